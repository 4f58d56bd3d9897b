import { once } from "node:events";
import { createInterface } from "node:readline";
import { DIAL } from "./lab.ts";
import { type Namespace, readOutput } from "./namespaces.ts";
import { untilReady } from "./run-task.ts";

/** Dials a target without pause until it opens or closes. */
export interface Dialler extends Disposable {
  /**
   * Resolves with the time of the attempt that met it, ns as process.hrtime.bigint(). Throws at the limit.
   * A letter: a server of `bench-dial NETNS name` that says it.
   */
  until(wish: "open" | "closed" | "A" | "B", target: string): Promise<bigint>;
}

const LIMIT_MS = 10_000;

export async function startDialler(
  namespace: Namespace,
  { limitMs = LIMIT_MS }: { readonly limitMs?: number } = {},
): Promise<Dialler> {
  const child = namespace.spawn(DIAL, [namespace.path, "until"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await untilReady(child, LIMIT_MS);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError("The dialler has no pipes");
  const lines = createInterface({ input: stdout });
  return {
    async until(wish, target) {
      const answered = once(lines, "line", { signal: AbortSignal.timeout(limitMs + LIMIT_MS) });
      stdin.write(`${wish} ${target} ${limitMs}\n`);
      const [line] = (await answered) as [string];
      const ns = BigInt((JSON.parse(line) as { ns: string }).ns);
      if (ns === 0n) throw new Error(`${target} was not ${wish} within ${limitMs} ms`);
      return ns;
    },
    [Symbol.dispose]() {
      lines.close();
      stdin.end();
    },
  };
}

/**
 * Dials without pause while `disturb` does something. The longest time between two connections that
 * were made, ms; throws when none was made in the end.
 */
export async function longestGap(
  namespace: Namespace,
  how: {
    readonly target: string;
    readonly ms: number;
    readonly disturb: () => Promise<void>;
  },
): Promise<number> {
  const { target, ms, disturb } = how;
  const child = namespace.spawn(DIAL, [namespace.path, "watch", target, String(ms)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const answered = readOutput(child);
  await disturb();
  const output = await answered;
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const { gapNs, successes } = JSON.parse(last) as { gapNs: string; successes: number };
  if (gapNs === "-1" || successes === 0) throw new Error(`${target} did not come back`);
  return Number(gapNs) / 1e6;
}
