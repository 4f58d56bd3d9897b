import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { findMemoryCgroupSkipReason, MemoryCgroup } from "../../test/e2e/memory-cgroup.ts";
import { type ExecCall, execPlugins } from "../exec-driver.ts";
import { createPods, deletePods } from "../pods.ts";
import { type BenchRow, median } from "../rows.ts";
import type { Options } from "./options.ts";
import {
  askingFor,
  dualStack,
  FURTHER_NETWORKS,
  ourContender,
  startHostWithNetworks,
} from "./patchbay-network.ts";

const LIMIT_BYTES = 256 << 20;
const podsAtOnce = 200;
const attemptsMax = 20;
/** CNI 1.1, "Error": try again later. */
const TRY_LATER = 11;

interface Round {
  /** From the first start until the last pod has its networks, retries among it. */
  readonly ms: number;
  /** ADDs that were told to come again, and came. */
  readonly retries: number;
}

/**
 * 200 pods of four networks at once by a host in a cgroup of 256 MiB without swap: what it took, and that
 * nobody was killed. Throws when an ADD fails otherwise than by "try again later", and when somebody was.
 */
export async function benchMemoryBound(options: Options): Promise<BenchRow[]> {
  const { folder, quick, progress } = options;
  const reason = findMemoryCgroupSkipReason();
  if (reason !== undefined) {
    progress(`left out: ${reason}`);
    return [];
  }
  using cgroup = new MemoryCgroup(LIMIT_BYTES);
  const rounds: Round[] = [];
  {
    const { wrapper } = cgroup;
    await using host = await startHostWithNetworks(join(folder, "bound-node"), { wrapper });
    await using kernel = await openKernel();
    const keys = { plugin: "routed", ipam: dualStack(140) };
    const { binary, cniPath, networks, argsOf } = ourContender("bound", { root: host.root, keys });
    const stdinFile = join(folder, "bound.json");
    const further = askingFor(Object.keys(FURTHER_NETWORKS));
    writeFileSync(stdinFile, JSON.stringify({ ...networks[0]?.config, ...further }));
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      progress(`${podsAtOnce} ADDs at once in ${LIMIT_BYTES >> 20} MiB, round ${round + 1}`);
      const made = await createPods(kernel, `bound-${round}`, podsAtOnce);
      const pods = made.map((pod, index) => ({ ...pod, cniArgs: argsOf?.(index) ?? "" }));
      const common = { binary, cniPath, stdinFile, concurrency: podsAtOnce };
      rounds.push(addUntilAllAreThere(pods, { ...common, folder }));
      execPlugins({ ...common, calls: pods, command: "DEL" });
      await deletePods(kernel, pods);
    }
  }
  if (cgroup.kills() > 0) throw new Error(`${cgroup.kills()} processes were killed for memory`);
  return [
    {
      name: `networks: ${podsAtOnce} ADDs at once, four networks each, in ${LIMIT_BYTES >> 20} MiB: the most memory`,
      ours: cgroup.peakBytes() / 1e6,
      unit: "MB",
      target: { kind: "below", value: LIMIT_BYTES / 1e6 },
      note: `the host's cgroup, without swap, with what the kernel holds for it; nobody was killed, ${rounds.reduce((sum, { retries }) => sum + retries, 0)} ADDs of ${rounds.length * podsAtOnce} were told to come again`,
    },
    {
      name: `networks: ${podsAtOnce} ADDs at once, four networks each, in ${LIMIT_BYTES >> 20} MiB`,
      ours: median(rounds.map(({ ms }) => ms)),
      unit: "ms",
      note: "until the last has its networks",
    },
  ];
}

function addUntilAllAreThere(
  pods: readonly ExecCall[],
  how: {
    readonly binary: string;
    readonly cniPath: string;
    readonly stdinFile: string;
    readonly concurrency: number;
    readonly folder: string;
  },
): Round {
  const { folder, ...common } = how;
  const saveFile = join(folder, "{id}.bound");
  let [ms, retries, calls, answer] = [0, 0, pods, ""];
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const named = { ...common, command: "ADD", saveFile, mayFail: true } as const;
    const { totalMs, exits } = execPlugins({ ...named, calls });
    ms += totalMs;
    calls = calls.filter((_, index) => exits[index] !== 0);
    if (calls.length === 0) return { ms, retries };
    retries += calls.length;
    for (const { containerId } of calls) {
      answer = readFileSync(join(folder, `${containerId}.bound`), "utf8");
      if ((JSON.parse(answer) as { code?: number }).code !== TRY_LATER) {
        throw new Error(`ADD of ${containerId} failed: ${answer}`);
      }
    }
  }
  throw new Error(`${calls.length} ADDs were refused ${attemptsMax} times: ${answer}`);
}
