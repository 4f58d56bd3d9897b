import { parseAddress, prefixContains } from "../../src/ip/address.ts";
import type { Kernel, KernelOperation, Route } from "../../src/kernel/kernel.ts";
import type { NetnsNetfilter, NetnsPlace } from "../../src/kernel/netns-netfilter.ts";
import { encodeTables, type TablesBatch } from "../../src/kernel/nf-rule-messages.ts";
import type { NamespacePlan, NamespacePlane } from "../../src/services/namespace-plane.ts";
import type { PlannedFrontend } from "../../src/services/plan-types.ts";
import { dependsOnClient, podRules } from "./pod-rules.ts";
import { TABLE } from "./skeleton.ts";

export interface PodPlaneDeps {
  readonly netfilter: NetnsNetfilter;
  readonly kernel: Pick<Kernel, "routes" | "apply">;
}

/** "pb": routes of a namespace that have it are ours. */
const OWN_METRIC = 0x7062;
const RT_TABLE_MAIN = 254;
const RTN_UNICAST = 1;

const tables = [
  { family: "ip", table: TABLE },
  { family: "ip6", table: TABLE },
] as const;

/** Services inside namespaces of pods: rules of their own, and routes where a pod has none to a cluster IP. */
export function createPodPlane({ netfilter, kernel }: PodPlaneDeps): NamespacePlane {
  /** Most pods of a node hold the same: what was encoded last is likely to be wanted again. */
  let last: { readonly plan: NamespacePlan; readonly batch: TablesBatch } | undefined;
  const encode = (plan: NamespacePlan): TablesBatch => {
    if (last === undefined || !sameRules(last.plan, plan)) {
      last = { plan, batch: encodeTables(podRules(plan)) };
    }
    return last.batch;
  };
  return {
    async program(netns, plan) {
      const changes = changesOf(plan, await kernel.routes(netns.path));
      // Ways that nothing is behind go first, and come last.
      await apply(netns, changes.remove);
      const digest = await netfilter.replaceTables(netns, encode(plan));
      await apply(netns, changes.add);
      return digest;
    },
    async inspect(netns, plan) {
      const digest = await netfilter.ruleDigest(netns, tables);
      const { add, remove } = changesOf(plan, await kernel.routes(netns.path));
      return add.length + remove.length === 0 ? digest : `${digest}, other routes`;
    },
    conntrack: (netns) => netfilter.conntrack(netns),
    close: () => netfilter.close(),
  };

  async function apply(
    { path }: NetnsPlace,
    operations: readonly KernelOperation[],
  ): Promise<void> {
    if (operations.length > 0) await kernel.apply([{ netns: path, operations }]);
  }
}

/** Whether the rules are the same; frontends are compared as objects. */
function sameRules(one: NamespacePlan, other: NamespacePlan): boolean {
  const { frontends, ifnames, client } = one;
  if (frontends.length !== other.frontends.length || ifnames.size !== other.ifnames.size) {
    return false;
  }
  const isSame = (frontend: PlannedFrontend, index: number): boolean => {
    if (frontend !== other.frontends[index]) return false;
    return client === other.client || !dependsOnClient(frontend);
  };
  return (
    frontends.every(isSame) &&
    [...ifnames].every(([network, names]) => names.join() === other.ifnames.get(network)?.join())
  );
}

/**
 * Rules see a packet only after the kernel found a way for it (ip_route_output_key before NF_INET_LOCAL_OUT). A pod without a
 * default route, or with one of the other family alone, gets a way to the cluster IP by the network's interface.
 */
function changesOf(
  { frontends, ifnames }: NamespacePlan,
  routes: readonly Route[],
): { readonly add: readonly KernelOperation[]; readonly remove: readonly KernelOperation[] } {
  const isOwn = ({ metric, table }: Route) => metric === OWN_METRIC && table === RT_TABLE_MAIN;
  const others = routes.filter(
    (route) => route.table === RT_TABLE_MAIN && route.type === RTN_UNICAST && !isOwn(route),
  );
  const own = new Map(routes.filter(isOwn).map((route) => [keyOf(route), route]));
  const wanted = new Set<string>();
  const add: KernelOperation[] = [];
  for (const { address, onNetwork } of frontends) {
    const parsed = parseAddress(address);
    const [link] = ifnames.get(onNetwork?.network ?? "") ?? [];
    if (link === undefined) continue;
    if (others.some(({ destination }) => prefixContains(destination, parsed))) continue;
    const destination = { ...parsed, prefixLength: parsed.family === 4 ? 32 : 128 };
    const key = keyOf({ destination });
    if (!wanted.has(key) && !own.has(key)) {
      const scope = parsed.family === 4 ? ({ scope: "link" } as const) : {};
      const how = { link, metric: OWN_METRIC, ifExists: "replace", ...scope } as const;
      add.push({ kind: "add-route", destination, ...how });
    }
    wanted.add(key);
  }
  const remove = [...own].flatMap(([key, { destination }]): KernelOperation[] =>
    wanted.has(key) ? [] : [{ kind: "delete-route", destination, metric: OWN_METRIC }],
  );
  return { add, remove };
}

function keyOf({ destination: { family, value } }: Pick<Route, "destination">): string {
  return `${family} ${value}`;
}
