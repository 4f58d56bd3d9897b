import { join } from "node:path";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { type Contender, ContenderBench, emptySamples, type Samples } from "../contender.ts";
import { type BenchRow, median } from "../rows.ts";
import { bridgeConfig, DEBIAN } from "./debian.ts";
import type { Options } from "./options.ts";
import {
  askingFor,
  dualStack,
  FURTHER_NETWORKS,
  ourContender,
  startHostWithNetworks,
} from "./patchbay-network.ts";

/** Multus thick, its main branch of August 2026, on a machine like this one: a default network plus three. */
const MULTUS_ADD_MS = 87;

/** A pod with four networks: beside one, and beside a CNI plugin executed for each, as Multus does. */
export async function benchFourNetworks(options: Options): Promise<BenchRow[]> {
  const { folder, quick, progress } = options;
  const rounds = quick ? 3 : 20;
  const perRound = quick ? 5 : 15;
  await using host = await startHostWithNetworks(join(folder, "four-node"));
  await using kernel = await openKernel();
  const bench = new ContenderBench(kernel, join(folder, "four"));
  const contenders = contendersOf(host.root, folder);
  const samples = new Map<string, Samples>(contenders.map(({ key }) => [key, emptySamples()]));
  for (const each of contenders) await bench.sequential(each, "warm-up", perRound);
  for (let round = 0; round < rounds; round++) {
    progress(`four networks, round ${round + 1} of ${rounds}`);
    for (const each of contenders) {
      const { addMs, delMs } = await bench.sequential(each, `s${round}`, perRound);
      samples.get(each.key)?.addMs.push(...addMs);
      samples.get(each.key)?.delMs.push(...delMs);
    }
  }
  return toRows((key) => samples.get(key) ?? emptySamples());
}

function contendersOf(root: string, folder: string): Contender[] {
  const routed = { plugin: "routed" };
  const further = askingFor(Object.keys(FURTHER_NETWORKS));
  return [
    ourContender("one", { root, keys: { ...routed, ipam: dualStack(104) } }),
    ourContender("four", { root, keys: { ...routed, ipam: dualStack(105), ...further } }),
    {
      key: "chain",
      name: "bridge + host-local",
      every: 1,
      binary: join(DEBIAN, "bridge"),
      cniPath: DEBIAN,
      networks: [0, 1, 2, 3].map((index) => {
        const place = { number: 110 + index, folder, hasDefaultRoute: index === 0 };
        const ifname = index === 0 ? "eth0" : `net${index}`;
        return { ifname, config: bridgeConfig(`chain${index}`, place) };
      }),
    },
  ];
}

function toRows(of: (key: string) => Samples): BenchRow[] {
  const four = median(of("four").addMs);
  const note = `routed, two bridges, routed; of ${of("four").addMs.length}`;
  return [
    {
      name: "networks: ADD p50 of four networks, against one",
      ours: four,
      peer: { name: "one network", value: median(of("one").addMs) },
      unit: "ms",
      target: { kind: "within", times: 2 },
      note,
    },
    {
      name: "networks: ADD p50 of four networks",
      ours: four,
      peer: { name: "Multus thick (quoted)", value: MULTUS_ADD_MS },
      unit: "ms",
      target: { kind: "faster", times: 20 },
      note: "quoted: its main branch of 2026-08 with a default network and three, another time on such a machine",
    },
    {
      name: "networks: ADD p50 of four networks, executed",
      ours: four,
      peer: { name: "4 x bridge + host-local", value: median(of("chain").addMs) },
      unit: "ms",
      note: "the peer is what Multus executes, without Multus",
    },
    {
      name: "networks: DEL p50 of four networks, against one",
      ours: median(of("four").delMs),
      peer: { name: "one network", value: median(of("one").delMs) },
      unit: "ms",
    },
    {
      name: "networks: DEL p50 of four networks, executed",
      ours: median(of("four").delMs),
      peer: { name: "4 x bridge + host-local", value: median(of("chain").delMs) },
      unit: "ms",
    },
  ];
}
