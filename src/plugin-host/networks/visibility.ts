import { refusal } from "./refuse.ts";

/** Whose networks a pod may ask for. */
export interface NetworkPolicy {
  /** True: those of its own namespace and the global ones only. */
  readonly namespaceIsolation: boolean;
  /** Namespaces whose networks are everybody's. */
  readonly globalNamespaces: readonly string[];
}

/** Every pod may ask for every network. */
export const OPEN_POLICY: NetworkPolicy = { namespaceIsolation: false, globalNamespaces: [] };

/** A network that a pod asks for. */
export interface WantedNetwork {
  /** Where it is asked for. */
  readonly field: string;
  readonly podNamespace: string;
  readonly namespace: string;
  readonly name: string;
}

/** Throws PatchbayError INVALID_NETWORK_CONFIG where isolation keeps a network from the pod's namespace. */
export function requireVisible(wanted: WantedNetwork, policy: NetworkPolicy): void {
  const { field, podNamespace, namespace, name } = wanted;
  if (isVisible(wanted, policy)) return;
  const allowed = [...new Set([podNamespace, ...policy.globalNamespaces])].join(", ");
  throw refusal(
    field,
    `names network ${namespace}/${name}, expected one of namespace ${allowed}: namespaces are isolated (networks.namespaceIsolation)`,
  );
}

function isVisible(
  { podNamespace, namespace }: Pick<WantedNetwork, "podNamespace" | "namespace">,
  { namespaceIsolation, globalNamespaces }: NetworkPolicy,
): boolean {
  return !namespaceIsolation || namespace === podNamespace || globalNamespaces.includes(namespace);
}
