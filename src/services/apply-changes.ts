import type { PlanChanges, ServicePlan } from "./plan-types.ts";

export const emptyServicePlan: ServicePlan = {
  frontends: new Map(),
  lists: new Map(),
  clusterIps: new Set(),
  servicePrefixes: [],
  podPrefixes: [],
  podAddresses: new Set(),
  localEndpoints: new Set(),
};

/** A difference that changes nothing. */
export const noPlanChanges: Omit<PlanChanges, "revision"> = {
  putFrontends: [],
  removeFrontends: [],
  putLists: [],
  removeLists: [],
  addClusterIps: [],
  removeClusterIps: [],
  addPodAddresses: [],
  removePodAddresses: [],
  addLocalEndpoints: [],
  removeLocalEndpoints: [],
};

/** What a plane holds after a difference, as a new plan: the meaning of PlanChanges, in one place. */
export function applyPlanChanges(plan: ServicePlan, changes: PlanChanges): ServicePlan {
  const frontends = new Map(plan.frontends);
  for (const key of changes.removeFrontends) frontends.delete(key);
  for (const frontend of changes.putFrontends) frontends.set(frontend.key, frontend);
  const lists = new Map(plan.lists);
  for (const id of changes.removeLists) lists.delete(id);
  for (const list of changes.putLists) lists.set(list.id, list);
  return {
    frontends,
    lists,
    clusterIps: changeSet(plan.clusterIps, {
      add: changes.addClusterIps,
      remove: changes.removeClusterIps,
    }),
    servicePrefixes: changes.servicePrefixes ?? plan.servicePrefixes,
    podPrefixes: changes.podPrefixes ?? plan.podPrefixes,
    podAddresses: changeSet(plan.podAddresses, {
      add: changes.addPodAddresses,
      remove: changes.removePodAddresses,
    }),
    localEndpoints: changeSet(plan.localEndpoints, {
      add: changes.addLocalEndpoints,
      remove: changes.removeLocalEndpoints,
    }),
  };
}

function changeSet<T>(
  members: ReadonlySet<T>,
  { add, remove }: { readonly add: readonly T[]; readonly remove: readonly T[] },
): ReadonlySet<T> {
  const changed = new Set(members);
  for (const member of remove) changed.delete(member);
  for (const member of add) changed.add(member);
  return changed;
}
