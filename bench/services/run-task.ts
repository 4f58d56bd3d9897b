import { once } from "node:events";
import { join } from "node:path";
import { createNamespace, type Namespace, readOutput } from "./namespaces.ts";
import type { Tasks } from "./task.ts";

const program: string = join(import.meta.dirname, "task.ts");

type How<Name extends keyof Tasks> = Parameters<Tasks[Name]>[0];
type Answer<Name extends keyof Tasks> = Awaited<ReturnType<Tasks[Name]>>;

/** Runs a task in a process and a namespace of its own. Throws when it fails or is not through in time. */
export async function runTask<Name extends keyof Tasks>(
  name: Name,
  how: How<Name> & { readonly limitMs: number },
): Promise<Answer<Name>> {
  await using namespace = createNamespace("task");
  const child = namespace.spawn(process.execPath, argsOf(name, how), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), how.limitMs);
  try {
    const output = await readOutput(child);
    const last = output.trimEnd().split("\n").at(-1) ?? "";
    if (child.exitCode !== 0) throw new Error(`Task ${name} failed: ${JSON.stringify(how)}`);
    return JSON.parse(last) as Answer<Name>;
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a task that holds something until the namespace goes; resolves when it says "ready". */
export async function startHolding(
  namespace: Namespace,
  how: How<"hold"> & { readonly limitMs: number },
): Promise<void> {
  const child = namespace.spawn(process.execPath, argsOf("hold", how), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await untilReady(child, how.limitMs);
}

/** Resolves when a child prints its first line. */
export async function untilReady(
  child: ReturnType<Namespace["spawn"]>,
  limitMs: number,
): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  const gone = once(child, "exit", { signal }).then(() => {
    throw new Error(`${child.spawnargs.join(" ")} ended early`);
  });
  if (child.stdout === null) throw new TypeError("The child has no standard output");
  await Promise.race([once(child.stdout, "data", { signal }), gone]);
  gone.catch(() => {});
}

function argsOf(name: string, how: object): string[] {
  return ["--expose-gc", program, name, JSON.stringify(how)];
}
