import { join } from "node:path";
import { openKernel } from "../src/kernel/rtnetlink-kernel.ts";
import { type Contender, ContenderBench, emptySamples, type Samples } from "./contender.ts";
import { startHost } from "./host-process.ts";
import { type BenchRow, median, type Peer, percentile, type Target } from "./rows.ts";

const repository: string = join(import.meta.dirname, "..");
const peerFolder = "/usr/lib/cni";

export interface CniBenchOptions {
  /** Scratch folder on a disk. */
  readonly folder: string;
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}

/**
 * ADD and DEL by exec, ours and Debian's. Rounds go around all contenders, so that whatever the
 * machine does meanwhile hits all of them; every ADD gets a namespace that nobody used before.
 */
export async function benchCni(options: CniBenchOptions): Promise<BenchRow[]> {
  const { progress } = options;
  const rounds = options.quick ? 3 : 20;
  const perRound = options.quick ? 10 : 25;
  const burstRounds = options.quick ? 1 : 7;
  const burstSize = 100;

  await using host = await startHost(join(options.folder, "node"));
  await using kernel = await openKernel();
  const contenders = contendersOf(host.root, options.folder);
  const samples = new Map(contenders.map(({ key }) => [key, emptySamples()]));
  const bench = new ContenderBench(kernel, options.folder);

  // The peers' first calls make the bridge; our first ones meet code that V8 has not compiled.
  for (const each of contenders) await bench.sequential(each, "warm-up", perRound);
  for (let round = 0; round < rounds; round++) {
    progress(`ADD and DEL one after the other, round ${round + 1} of ${rounds}`);
    for (const each of contenders.filter(({ every }) => round % every === 0)) {
      const { addMs, delMs } = await bench.sequential(each, `s${round}`, perRound);
      samples.get(each.key)?.addMs.push(...addMs);
      samples.get(each.key)?.delMs.push(...delMs);
    }
  }
  for (let round = 0; round < burstRounds; round++) {
    progress(`${burstSize} ADDs and DELs at once, round ${round + 1} of ${burstRounds}`);
    for (const each of contenders.filter(({ every }) => round % every === 0)) {
      const { addMs, delMs } = await bench.burst(each, `b${round}`, burstSize);
      samples.get(each.key)?.burstAddMs.push(addMs);
      samples.get(each.key)?.burstDelMs.push(delMs);
    }
  }
  return toRows(samples);
}

function contendersOf(root: string, folder: string): Contender[] {
  const ours = (key: string, plugin: string, subnets: readonly string[], ipMasq: boolean) => ({
    key,
    name: `Patchbay, ${plugin}`,
    every: plugin === "routed" && !ipMasq ? 1 : 2,
    binary: join(repository, "build/cni/patchbay"),
    cniPath: join(repository, "build/cni"),
    networks: onlyOne({
      cniVersion: "1.0.0",
      name: key,
      type: "patchbay",
      root,
      plugin,
      ipMasq,
      ipam: { ranges: subnets.map((subnet) => [{ subnet }]) },
    }),
  });
  const peer = (key: string, bridge: string, subnets: readonly string[], ipMasq: boolean) => ({
    key,
    name: "bridge + host-local",
    every: ipMasq ? 2 : 1,
    binary: join(peerFolder, "bridge"),
    cniPath: peerFolder,
    networks: onlyOne({
      cniVersion: "1.0.0",
      name: key,
      type: "bridge",
      bridge,
      isGateway: true,
      ipMasq,
      ipam: {
        type: "host-local",
        dataDir: join(folder, "host-local"),
        ranges: subnets.map((subnet) => [{ subnet }]),
        routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
      },
    }),
  });
  return [
    ours("ours", "routed", ["10.81.0.0/16", "fd81::/64"], false),
    peer("peer", "bench0", ["10.82.0.0/16", "fd82::/64"], false),
    {
      key: "c",
      name: "static C",
      every: 1,
      binary: join(repository, "build/bench-attach"),
      cniPath: "/nonexistent",
      networks: onlyOne({}),
      argsOf: (index) =>
        `LINK=bc${index};V4=10.83.0.${index + 2};V6=fd83::${index + 2};GW4=169.254.1.1;GW6=fe80::1`,
    },
    ours("oursmasq", "routed", ["10.84.0.0/16", "fd84::/64"], true),
    peer("peermasq", "bench1", ["10.85.0.0/16", "fd85::/64"], true),
    ours("oursbridge", "bridge", ["10.86.0.0/16", "fd86::/64"], false),
  ];
}

function onlyOne(config: Readonly<Record<string, unknown>>) {
  return [{ ifname: "eth0", config }];
}

function toRows(samples: ReadonlyMap<string, Samples>): BenchRow[] {
  const of = (key: string): Samples => samples.get(key) ?? emptySamples();
  const debian = (value: number): Peer => ({ name: "bridge + host-local", value });
  const faster = (times: number): Target => ({ kind: "faster", times });
  const p99 = (values: readonly number[]): number => percentile(values, 0.99);
  const compare = (
    what: string,
    statistic: (of: Samples) => number,
    times: number | undefined,
    [ours, peer]: readonly [string, string],
  ): BenchRow => ({
    name: what,
    ours: statistic(of(ours)),
    peer: debian(statistic(of(peer))),
    unit: "ms",
    ...(times !== undefined && { target: faster(times) }),
  });
  const pairs = [
    ["", "ours", "peer"],
    [", masquerade", "oursmasq", "peermasq"],
  ] as const;
  const measures = [
    ["ADD p50", (each: Samples) => median(each.addMs), 10],
    ["ADD p99", (each: Samples) => p99(each.addMs), 20],
    ["100 ADDs at once", (each: Samples) => median(each.burstAddMs), 8],
    ["100 DELs at once", (each: Samples) => median(each.burstDelMs), 5],
    ["DEL p50", (each: Samples) => median(each.delMs), undefined],
    ["DEL p99", (each: Samples) => p99(each.delMs), undefined],
  ] as const;
  return [
    ...pairs.flatMap(([suffix, ours, peer]) =>
      measures.map(([what, statistic, times]) => ({
        ...compare(`cni: ${what}${suffix}`, statistic, times, [ours, peer]),
        ...(what.startsWith("ADD") && { note: `of ${of(ours).addMs.length}` }),
      })),
    ),
    compare("cni: ADD p50, both as a bridge", (each) => median(each.addMs), undefined, [
      "oursbridge",
      "peer",
    ]),
    {
      name: "cni: ADD p50 against the same in C",
      ours: median(of("ours").addMs),
      peer: { name: "static C", value: median(of("c").addMs) },
      unit: "ms",
      target: { kind: "within", times: 2.5 },
    },
    {
      name: "cni: 100 ADDs at once against the same in C",
      ours: median(of("ours").burstAddMs),
      peer: { name: "static C", value: median(of("c").burstAddMs) },
      unit: "ms",
    },
  ];
}
