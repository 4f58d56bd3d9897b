import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPlugins } from "./exec-driver.ts";
import { startHost } from "./host-process.ts";
import { type BenchRow, median, percentile } from "./rows.ts";

const build: string = join(import.meta.dirname, "../build");

/** The shim alone: exec to exit, against a host that has nothing to do. */
export async function benchShim(options: {
  readonly folder: string;
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}): Promise<BenchRow[]> {
  const rounds = options.quick ? 2 : 10;
  const perRound = options.quick ? 50 : 100;
  await using host = await startHost(join(options.folder, "shim-node"));
  const stdinFile = join(options.folder, "shim.json");
  writeFileSync(
    stdinFile,
    JSON.stringify({ cniVersion: "1.1.0", name: "bench", type: "patchbay", root: host.root }),
  );
  const shim = join(build, "cni/patchbay");
  const run = (binary: string, command: string): readonly number[] => {
    const calls = [{ containerId: "bench" }];
    return execPlugins({ binary, command, calls, stdinFile, repeat: perRound }).wallMs;
  };

  const hello: number[] = [];
  const status: number[] = [];
  const version: number[] = [];
  run(shim, "STATUS");
  for (let round = 0; round < rounds; round++) {
    options.progress(`shim alone, round ${round + 1} of ${rounds}`);
    hello.push(...run(join(build, "bench-hello"), "VERSION"));
    status.push(...run(shim, "STATUS"));
    version.push(...run(shim, "VERSION"));
  }
  const floor = { name: "static hello world", value: median(hello) };
  return [
    {
      name: "shim: STATUS through an idle host, p50",
      ours: median(status),
      peer: floor,
      unit: "ms",
      // 1.2 ms where a hello takes 0.35.
      target: { kind: "within", times: 3.43 },
      note: "exec to exit; the target is 1.2 ms where hello takes 0.35",
    },
    {
      name: "shim: STATUS through an idle host, p99",
      ours: percentile(status, 0.99),
      peer: { name: "static hello world", value: percentile(hello, 0.99) },
      unit: "ms",
    },
    {
      name: "shim: VERSION through an idle host, p50",
      ours: median(version),
      peer: floor,
      unit: "ms",
    },
    {
      name: "shim: size of the binary",
      ours: statSync(shim).size / 1e6,
      unit: "MB",
      target: { kind: "below", value: 2.5 },
    },
  ];
}
