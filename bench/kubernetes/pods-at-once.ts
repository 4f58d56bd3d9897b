import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { Cluster, type ClusterOptions } from "../../test/kubernetes/cluster/cluster.ts";
import { CNI_BIN_DIR, CNI_CONF_DIR } from "../../test/kubernetes/cluster/runtime-config.ts";
import { Lane } from "../../test/kubernetes/lane.ts";
import { pod } from "../../test/kubernetes/objects.ts";
import { type BenchRow, median } from "../rows.ts";
import { CniWalls } from "./cni-walls.ts";
import type { Options } from "./options.ts";
import { watchReadyPods } from "./ready-pods.ts";

const READY_MS = 120_000;
/** A node that has just become Ready is still busy with itself. */
const REST_MS = 3000;
const TRIES = 2;
/** What a cluster leaves on its node's disks. */
const disks = [CNI_CONF_DIR, CNI_BIN_DIR, "/var/lib/patchbay", "/var/lib/kubelet", "/var/lib/cni"];

interface Contender {
  readonly name: string;
  readonly cluster: ClusterOptions;
  /** The plugins of its conflist, whose ADDs the runtime waits for. */
  readonly plugins: readonly string[];
}

const patchbay: Contender = {
  name: "Patchbay",
  cluster: { cni: "patchbay", proxy: "patchbay" },
  plugins: ["patchbay"],
};
const peer: Contender = {
  name: "bridge + host-local + portmap",
  cluster: { cni: "bridge", proxy: "kube-proxy" },
  plugins: ["bridge", "portmap"],
};

/** Of one round, seconds. */
interface Round {
  readonly p50: number;
  readonly all: number;
  readonly adds: number;
}

/** Pods created at once on one node until they are Ready. A fresh cluster for each round, in turns. */
export async function benchPodsAtOnce(options: Options): Promise<BenchRow[]> {
  const pods = options.quick ? 10 : 50;
  const rounds = options.quick ? 1 : 3;
  const ours: Round[] = [];
  const theirs: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [contender, results] of [[patchbay, ours] as const, [peer, theirs] as const]) {
      options.progress(
        `kubernetes: ${pods} pods at once, ${contender.name}, ${round + 1}/${rounds}`,
      );
      const result = await tryRound(contender, pods, options);
      const { p50, all, adds } = result;
      options.progress(
        `kubernetes: ${contender.name}: Ready p50 ${p50.toFixed(2)} s, all ${all.toFixed(2)} s, ADDs ${adds.toFixed(3)} s`,
      );
      results.push(result);
    }
  }
  const figure = (key: keyof Round) => ({
    ours: median(ours.map((round) => round[key])),
    peer: { name: peer.name, value: median(theirs.map((round) => round[key])) },
    unit: "s" as const,
  });
  const note = `median of ${rounds} rounds, a fresh cluster each`;
  const faster = { kind: "within", times: 1 } as const;
  return [
    {
      name: `kubernetes: ${pods} pods at once, Ready p50`,
      ...figure("p50"),
      target: faster,
      note: `${note}; from before the first POST`,
    },
    {
      name: `kubernetes: ${pods} pods at once, all Ready`,
      ...figure("all"),
      target: faster,
      note,
    },
    {
      name: `kubernetes: ${pods} pods at once, sum of the ADD walls`,
      ...figure("adds"),
      target: { kind: "faster", times: 10 },
      note: `${note}; exec to exit of each plugin in the conflist, while all the others run`,
    },
  ];
}

/** Once more when a daemon of the cluster did not come up: minutes have been measured by then. */
async function tryRound(contender: Contender, pods: number, options: Options): Promise<Round> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runRound(contender, pods);
    } catch (error) {
      if (attempt === TRIES) throw error;
      options.progress(`kubernetes: once more: ${inspect(error)}`);
    }
  }
}

async function runRound(contender: Contender, pods: number): Promise<Round> {
  // A private node's layers: nothing of the machine's.
  for (const folder of disks.filter((name) => existsSync(name))) {
    // kubelet has its own mounted over itself.
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  }
  await using cluster = await Cluster.start(contender.cluster);
  const lane = new Lane(cluster, () => {});
  const namespace = await lane.createNamespace("bench");
  const make = (name: string) => pod(name, namespace, { args: ["serve"] });
  // What is made once for all pods: a bridge, chains, the runtime's first sandbox.
  await cluster.apply(make("first"));
  await lane.untilPodReady(namespace, "first");
  await delay(REST_MS);
  const walls = CniWalls.begin(contender.plugins);
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const names = Array.from({ length: pods }, (_, index) => `pod-${index}`);
  await using ready = await watchReadyPods(cluster.kubeconfig, path);
  const startMs = performance.now();
  const created = Promise.all(names.map((name) => cluster.api.create(path, make(name))));
  const timesMs = await ready.until(names, READY_MS);
  await created;
  const seconds = timesMs.map((ms) => (ms - startMs) / 1000);
  const adds = walls.adds();
  const expected = pods * contender.plugins.length;
  if (adds.length !== expected) {
    throw new Error(`${adds.length} ADDs of ${contender.name}, not ${expected}`);
  }
  return {
    p50: median(seconds),
    all: Math.max(...seconds),
    adds: adds.reduce((sum, us) => sum + us, 0) / 1e6,
  };
}
