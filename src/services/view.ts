import { type Candidate, chooseEndpoints } from "./choose-endpoints.ts";
import type { Claims } from "./claims.ts";
import { weigh } from "./lists.ts";
import type { NodeFacts } from "./model.ts";
import { type Claim, resolveFrontend } from "./plan-unit.ts";
import { type Decision, decideOnNetwork, decideRoutes } from "./routes.ts";
import type { EndpointState, FrontendState } from "./table-types.ts";

/** A frontend with the endpoints that it leads to, found by the functions that plan. */
export function viewClaim(
  claim: Claim,
  { claims, facts }: { readonly claims: Claims; readonly facts: NodeFacts },
): FrontendState {
  const { frontend, unit, planned } = claim;
  const group = unit.planned?.groups.get(frontend.group);
  const candidates = resolveFrontend(frontend, { group, facts });
  const choice = chooseEndpoints(candidates, { policy: frontend.policy, facts });
  const { inside, outside } = decideRoutes(frontend, { choice, facts });
  const onNetwork = decideOnNetwork(frontend, choice);
  const endpointsOf = ({ to }: Decision): readonly EndpointState[] =>
    to === "reject" || to === "drop" ? [] : weigh(choice[to].chosen).map(stateOf);
  const winner = claims.winner(planned.key);
  return {
    planned,
    ...(winner && winner !== claim && { shadowedBy: winner.planned.service }),
    affinitySeconds: frontend.policy.affinitySeconds ?? 0,
    pick: frontend.policy.pick,
    inside: endpointsOf(onNetwork ?? inside),
    outside: endpointsOf(outside),
  };
}

export function stateOf({ endpoint, target, isLocal }: Candidate): EndpointState {
  const { nodeName, podName, zone } = endpoint;
  return {
    address: target.address,
    port: target.port,
    weight: target.weight,
    ...(nodeName !== undefined && { nodeName }),
    ...(podName !== undefined && { podName }),
    ...(zone !== undefined && { zone }),
    isLocal,
  };
}
