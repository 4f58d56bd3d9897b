import type { Choice } from "./choose-endpoints.ts";
import type { Frontend, NodeFacts } from "./model.ts";
import type { PlannedFrontend } from "./plan-types.ts";
import type { VerdictRule } from "./rules.ts";

/** Where packets go, before lists have names. */
export interface Decision {
  readonly to: "cluster" | "local" | "reject" | "drop";
  readonly rule: VerdictRule;
}

export interface FrontendDecision {
  readonly inside: Decision;
  readonly outside: Decision;
  readonly masquerade: PlannedFrontend["masquerade"];
}

/** services.md 3.2.5, 3.3 and 3.4 for one frontend. */
export function decideRoutes(
  { kind, policy, network }: Frontend,
  { choice, facts }: { readonly choice: Choice; readonly facts: NodeFacts },
): FrontendDecision {
  if (network !== undefined) {
    const refused: Decision = { to: "reject", rule: "on-network" };
    return { inside: refused, outside: refused, masquerade: "nobody" };
  }
  switch (kind) {
    case "clusterIP": {
      // From whatever source: upstream's traffic policy chain does not ask who dials.
      const decision =
        policy.internalTrafficPolicy === "Local"
          ? toLocal(choice, { found: "cluster-ip-local", missing: "internal-local-no-endpoint" })
          : toCluster(choice, "cluster-ip-cluster");
      const masquerade = facts.masqueradeAll ? "everyone" : "others";
      return { inside: decision, outside: decision, masquerade };
    }
    case "hostPort": {
      const decision = toCluster(choice, "host-port");
      return { inside: decision, outside: decision, masquerade: "nobody" };
    }
    case "nodePort":
    case "externalIP":
    case "loadBalancer": {
      if (policy.externalTrafficPolicy === "Cluster") {
        const decision = toCluster(choice, "external-cluster");
        return { inside: decision, outside: decision, masquerade: "everyone" };
      }
      return {
        inside: toCluster(choice, "external-local-short-circuit"),
        outside: toLocal(choice, {
          found: "external-local",
          missing: "external-local-no-endpoint",
        }),
        masquerade: "nobody",
      };
    }
  }
}

/** The same for pods on the Service's network; undefined: what others reach by the node, nobody does. */
export function decideOnNetwork(
  { kind, policy, network }: Frontend,
  choice: Choice,
): Decision | undefined {
  if (network === undefined || kind !== "clusterIP") return undefined;
  return policy.internalTrafficPolicy === "Local"
    ? toLocal(choice, { found: "network-local", missing: "internal-local-no-endpoint" })
    : toCluster(choice, "network-cluster");
}

function toCluster({ cluster, anyUsable }: Choice, rule: VerdictRule): Decision {
  if (cluster.chosen.length > 0) return { to: "cluster", rule };
  return { to: "reject", rule: anyUsable ? "topology-no-endpoint" : "no-endpoint" };
}

function toLocal(
  { local, anyUsable }: Choice,
  { found, missing }: { readonly found: VerdictRule; readonly missing: VerdictRule },
): Decision {
  if (local.chosen.length > 0) return { to: "local", rule: found };
  return anyUsable ? { to: "drop", rule: missing } : { to: "reject", rule: "no-endpoint" };
}
