import { join } from "node:path";
import type { BenchRow } from "../rows.ts";
import { benchColdStart } from "./cold-start.ts";
import { startControlPlane } from "./control-plane.ts";
import type { Options } from "./options.ts";
import { populate } from "./population.ts";
import { type ProxyOptions, startKubeProxy, startPatchbay } from "./proxies.ts";
import { measureReach, type Reach } from "./reach.ts";
import { reachRows } from "./reach-rows.ts";
import { createServiceLab } from "./service-lab.ts";

const few = 10;

/** Services of an API server, with the host and with kube-proxy in turns on one node: few, then many. */
export async function benchClusterServices(options: Options): Promise<BenchRow[]> {
  const many = options.quick ? 100 : 10_000;
  await using plane = await startControlPlane(join(options.folder, "control-plane"));
  await using lab = await createServiceLab(plane);
  const say = (line: string) => options.progress(`kubernetes: ${line}`);
  const measureBoth = async (services: number) => {
    const parts: ProxyOptions = { plane, lab, services };
    const samples = samplesOf(services, options);
    say(`EndpointSlice to a connection, ${services} Services, Patchbay`);
    const ours = await measureOurs(parts, join(options.folder, `reach-${services}`), samples.ours);
    say(`EndpointSlice to a connection, ${services} Services, kube-proxy`);
    const theirs = await measureTheirs(parts, samples.theirs);
    return { services, ours, theirs };
  };
  // The probed one is one of them, and the API server's own.
  await populate(plane, { from: 0, to: few - 2 });
  const atFew = await measureBoth(few);
  say(`writing ${many} Services`);
  await populate(plane, { from: few - 2, to: many - 2 });
  const atMany = await measureBoth(many);
  const rows = reachRows(atFew, atMany);
  return [...rows, ...(await benchColdStart({ plane, lab, services: many }, options))];
}

/** kube-proxy takes seconds for each where there are many. */
function samplesOf(services: number, { quick }: Options): { ours: number; theirs: number } {
  if (quick) return { ours: 6, theirs: 4 };
  return { ours: 100, theirs: services > few ? 20 : 60 };
}

async function measureOurs(parts: ProxyOptions, root: string, samples: number): Promise<Reach[]> {
  await using _host = await startPatchbay(parts, root);
  return await measureReach(parts.lab, samples);
}

async function measureTheirs(parts: ProxyOptions, samples: number): Promise<Reach[]> {
  await using _proxy = await startKubeProxy(parts);
  return await measureReach(parts.lab, samples);
}
