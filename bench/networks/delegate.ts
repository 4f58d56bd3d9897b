import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { type Contender, ContenderBench, emptySamples } from "../contender.ts";
import { readPeakMegabytes, readRssMegabytes, startHost } from "../host-process.ts";
import { type BenchRow, median } from "../rows.ts";
import { bridgeConfig, DEBIAN } from "./debian.ts";
import type { Options } from "./options.ts";
import { ourContender } from "./patchbay-network.ts";

const podsAtOnce = 100;
/** Flat: at most a tenth above what it was before. */
const flatWithin = 1.1;

/** Debian's bridge + host-local as a network of ours, beside the same plugin executed by the runtime itself. */
export async function benchDelegate(options: Options): Promise<BenchRow[]> {
  const { folder, quick, progress } = options;
  const rounds = quick ? 3 : 20;
  const perRound = quick ? 5 : 20;
  const burstRounds = quick ? 1 : 5;
  const warmUpBursts = 2;
  const config = join(folder, "delegate-host.json");
  writeFileSync(config, JSON.stringify({ cni: { binDirs: [DEBIAN] } }));
  const args = ["--config", config];
  await using host = await startHost(join(folder, "delegate-node"), { args });
  await using kernel = await openKernel();
  const bench = new ContenderBench(kernel, join(folder, "delegate"));
  const [ours, direct] = contendersOf(host.root, folder);
  const [ourSamples, directSamples] = [emptySamples(), emptySamples()];
  for (const each of [ours, direct]) await bench.sequential(each, "warm-up", perRound);
  for (let round = 0; round < rounds; round++) {
    progress(`cni-exec, round ${round + 1} of ${rounds}`);
    for (const [each, samples] of [
      [ours, ourSamples],
      [direct, directSamples],
    ] as const) {
      const { addMs, delMs } = await bench.sequential(each, `s${round}`, perRound);
      samples.addMs.push(...addMs);
      samples.delMs.push(...delMs);
    }
  }
  for (let round = 0; round < warmUpBursts; round++) {
    progress(`cni-exec, ${podsAtOnce} at once, warm-up`);
    await bench.burst(ours, `w${round}`, podsAtOnce);
  }
  const before = readRssMegabytes(host.pid);
  resetPeak(host.pid);
  for (let round = 0; round < burstRounds; round++) {
    progress(`cni-exec, ${podsAtOnce} at once, round ${round + 1} of ${burstRounds}`);
    ourSamples.burstAddMs.push((await bench.burst(ours, `b${round}`, podsAtOnce)).addMs);
    directSamples.burstAddMs.push((await bench.burst(direct, `b${round}`, podsAtOnce)).addMs);
  }
  const peak = readPeakMegabytes(host.pid);
  const after = readRssMegabytes(host.pid);
  const name = "executed directly";
  return [
    {
      name: "networks: ADD p50 by cni-exec of bridge + host-local",
      ours: median(ourSamples.addMs),
      peer: { name, value: median(directSamples.addMs) },
      unit: "ms",
      target: { kind: "within", times: 1.15 },
      note: `of ${ourSamples.addMs.length}`,
    },
    {
      name: "networks: DEL p50 by cni-exec of bridge + host-local",
      ours: median(ourSamples.delMs),
      peer: { name, value: median(directSamples.delMs) },
      unit: "ms",
    },
    {
      name: `networks: ${podsAtOnce} ADDs at once by cni-exec of bridge + host-local`,
      ours: median(ourSamples.burstAddMs),
      peer: { name, value: median(directSamples.burstAddMs) },
      unit: "ms",
      note: "ours runs a few delegates at a time, so that they find memory (docs/decisions/0017)",
    },
    {
      name: `networks: resident memory of the host, most during ${podsAtOnce} such ADDs at once`,
      ours: peak,
      peer: { name: "before", value: before },
      unit: "MB",
      target: { kind: "within", times: flatWithin },
      note: `warmed up by ${warmUpBursts} such rounds; ${formatGrowth(peak - before)}, after it ${formatGrowth(after - before)}. Quoted of Multus: 55 MiB for each delegate`,
    },
  ];
}

function contendersOf(root: string, folder: string): [Contender, Contender] {
  const named = (number: number) =>
    bridgeConfig("delegate", { number, folder: join(folder, `d${number}`), hasDefaultRoute: true });
  return [
    ourContender("exec", { root, keys: { plugin: "cni-exec", delegate: named(130) } }),
    {
      key: "direct",
      name: "executed directly",
      every: 1,
      binary: join(DEBIAN, "bridge"),
      cniPath: DEBIAN,
      networks: [{ ifname: "eth0", config: named(131) }],
    },
  ];
}

/** From here on VmHWM is the most since now (proc(5), clear_refs). */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function formatGrowth(megabytes: number): string {
  return `${megabytes < 0 ? "" : "+"}${(megabytes / 1.048576).toFixed(1)} MiB`;
}
