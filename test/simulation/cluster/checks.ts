import { printPlan } from "../../../src/plugin-host/services/fake-service-plane.ts";
import type { FakeApi } from "../../../src/plugin-host/kubernetes/fake-api.ts";
import type { ResourceName } from "../../../src/plugin-host/kubernetes/resources.ts";
import { sampleFacts } from "../../../src/services/sample-objects.ts";
import { createServiceTable } from "../../../src/services/service-table.ts";
import { isServicesObject } from "../../../src/plugin-host/manifests/manifest-object.ts";
import type { Life } from "./life.ts";
import { NODE_NAME } from "./objects.ts";
import { difference, type Truth } from "./truth.ts";

/** An invariant does not hold. */
export class Broken extends Error {}

interface Seen {
  readonly truth: Truth;
  /** Versions of another cluster may still be believed. */
  readonly isForeign: boolean;
}

/** At every moment: what was told adds up to what a server had at the version that is known. */
export function checkNow(life: Life, { truth, isForeign }: Seen): void {
  require(life.faults.length === 0, life.faults.join("; "));
  const { idleLists } = life.network;
  require(idleLists.length === 0, `listed for no reason: ${idleLists.join("; ")}`);
  for (const { resource, resourceVersion, objects } of life.cluster.watches) {
    const name = resource as ResourceName;
    const known = life.known(name);
    if (known === undefined) continue;
    require(known.size === objects, `${name}: ${known.size} were told of, ${objects} are there`);
    if (isForeign) continue;
    const states = truth.at(name, resourceVersion);
    const wrong = states.map((state) => difference(known, state));
    require(wrong.includes(
      "",
    ), `${name} is no state that the server had at ${resourceVersion}: ${wrong[0]}`);
  }
}

/** A start: each resource is as it was written down last, and nothing waits for the server that was known. */
export function checkStart(
  life: Life,
  { versions, truth, isForeign }: Seen & { readonly versions: ReadonlyMap<ResourceName, string> },
): void {
  for (const { resource, resourceVersion } of life.cluster.watches) {
    const written = versions.get(resource as ResourceName) ?? "";
    require(resourceVersion ===
      written, `${resource} begins at ${resourceVersion}, written was ${written}`);
  }
  const isKnown = (names: readonly ResourceName[]) => names.every((name) => versions.has(name));
  require(life.isTold.services === isKnown(SERVICES), "Services are not told of at the start");
  require(life.isTold.networks === isKnown(NETWORKS), "networks are not told of at the start");
  checkNow(life, { truth, isForeign });
  const cluster = life.restoredUid?.split("/")[0];
  if (cluster === undefined || cluster !== truth.cluster) return;
  for (const { resource, resourceVersion } of life.cluster.watches) {
    const name = resource as ResourceName;
    const known = life.known(name);
    const isOwn = truth
      .at(name, resourceVersion, { ofClusterAlone: true })
      .some((state) => known === undefined || difference(known, state) === "");
    require(isOwn, `${name} are those of another cluster than the own Node is`);
  }
}

const SERVICES: readonly ResourceName[] = [
  "services",
  "endpointslices.discovery.k8s.io",
  "nodes (own)",
  "nodes (others)",
  "servicecidrs.networking.k8s.io",
];
const NETWORKS: readonly ResourceName[] = [
  "network-attachment-definitions.k8s.cni.cncf.io",
  "ipamclaims.k8s.cni.cncf.io",
];

/** At rest: everything is as the server has it, on disk too. */
export function checkRest(
  life: Life,
  options: {
    readonly truth: Truth;
    readonly versions: ReadonlyMap<ResourceName, string>;
    readonly version: string;
  },
): void {
  const { truth, versions, version } = options;
  for (const { resource, resourceVersion, phase, trouble } of life.cluster.watches) {
    const name = resource as ResourceName;
    require(trouble === "", `${name} is in trouble at rest: ${trouble}`);
    require(phase === "watching" || phase === "absent", `${name} is ${phase} at rest`);
    const wanted = phase === "absent" ? "" : version;
    require(resourceVersion === wanted, `${name} stands at ${resourceVersion}, not ${wanted}`);
    const known = life.known(name);
    require(known !== undefined, `${name} was not told of`);
    const wrong = difference(known ?? new Map(), truth.now(name));
    require(wrong === "", `${name} at rest: ${wrong}`);
    const written = versions.get(name);
    require(written === wanted, `${name} is written down as of ${written}, not ${wanted}`);
  }
  require(life.cluster.unready === "", life.cluster.unready);
  checkTable(life);
  checkDefinitions(life);
}

/** The table is what a fresh one is that is told everything at once. */
function checkTable({ table, objects }: Life): void {
  const fresh = createServiceTable(sampleFacts({ nodeName: NODE_NAME }));
  const all = [...objects.values()].filter(isServicesObject).reverse();
  fresh.applyObjects("kubernetes", [{ kind: "relist", objects: all }]);
  fresh.takeChanges();
  require(printPlan(table.plan()) ===
    printPlan(fresh.plan()), "the table is not that of a fresh start");
}

function checkDefinitions({ definitions, objects }: Life): void {
  const known = definitions.list().map(({ namespace, name }) => `${namespace}/${name}`);
  const wanted = [...objects.values()]
    .filter(({ kind }) => kind === "NetworkAttachmentDefinition")
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  require(known.sort().join() === wanted.sort().join(), `networks are ${known.join()}`);
}

/** After close(): nothing waits, nothing is asked. */
export function checkEnd(life: Life, api: FakeApi): void {
  require(life.clock.nextTimerMs() === undefined, "a timer outlives the host");
  require(api.streams() === 0, `${api.streams()} watches outlive the host`);
}

function require(holds: boolean, message: string): void {
  if (!holds) throw new Broken(message);
}
