import { parseAddress, prefixContains } from "../ip/address.ts";
import {
  type Candidate,
  type Choice,
  type ChosenList,
  chooseEndpoints,
  isLastResort,
  isReady,
} from "./choose-endpoints.ts";
import { familyOf } from "./address-text.ts";
import { weigh } from "./lists.ts";
import { type AddressText, frontendKey, type NodeFacts } from "./model.ts";
import { type Claim, resolveFrontend } from "./plan-unit.ts";
import { decideRoutes, type FrontendDecision } from "./routes.ts";
import {
  choiceRules,
  type MasqueradeRule,
  masqueradeRules,
  type UnusedRule,
  unusedRules,
  type VerdictRule,
  verdictRules,
} from "./rules.ts";
import type { Explanation, Question } from "./table-types.ts";
import { stateOf } from "./view.ts";

/** What an explanation is found in. */
export interface ExplainSurroundings {
  readonly facts: NodeFacts;
  readonly claim: Claim | undefined;
  readonly isClusterIp: (address: AddressText) => boolean;
  readonly isPodAddress: (address: AddressText) => boolean;
}

type Source = Pick<Explanation, "sourceKind" | "sourceReason">;

/** What becomes of a packet, by the functions that plan; only the words are made here. */
export function explain(question: Question, around: ExplainSurroundings): Explanation {
  const { facts, claim } = around;
  const source = sourceOf(question, around);
  const key = frontendKey(question.address, question);
  const unmoved = (verdict: Explanation["verdict"], rule: VerdictRule): Explanation => ({
    verdict,
    endpoints: [],
    masquerade: false,
    masqueradeReason: masqueradeRules["not-forwarded"].text,
    key,
    ...(claim && describeClaim(claim)),
    ...source,
    rule,
    ruleText: verdictRules[rule].text,
    unused: [],
  });
  if (claim === undefined) {
    if (around.isClusterIp(question.address)) return unmoved("reject", "cluster-ip-wrong-port");
    const address = parseAddress(question.address);
    return facts.servicePrefixes.some((prefix) => prefixContains(prefix, address))
      ? unmoved("drop", "unknown-service-address")
      : unmoved("no-service", "no-service");
  }
  if (!maySourcePass(question, { claim, facts })) return unmoved("drop", "source-ranges");
  const { frontend, unit } = claim;
  const group = unit.planned?.groups.get(frontend.group);
  const candidates = resolveFrontend(frontend, { group, facts });
  const choice = chooseEndpoints(candidates, { policy: frontend.policy, facts });
  const decided = decideRoutes(frontend, { choice, facts });
  const { to, rule } = source.sourceKind === "outside" ? decided.outside : decided.inside;
  if (to === "reject" || to === "drop") {
    const wanted = rule.endsWith("local-no-endpoint") ? choice.local : choice.cluster;
    return { ...unmoved(to, rule), unused: unusedOf(choice, { list: wanted, used: [] }) };
  }
  const list = choice[to];
  const used = weigh(list.chosen);
  const masquerade = masqueradeOf(question, { source, decided, used, around, claim });
  return {
    ...unmoved("forward", rule),
    endpoints: used.map(stateOf),
    masquerade: masquerade.applies,
    masqueradeReason: masqueradeRules[masquerade.rule].text,
    ruleText: `${verdictRules[rule].text} ${choiceRules[list.rule].text}`,
    unused: unusedOf(choice, { list, used }),
  };
}

function describeClaim({ planned }: Claim): Partial<Explanation> {
  const { service, portName, kind } = planned;
  return { service, portName, frontendKind: kind };
}

function sourceOf({ source }: Question, around: ExplainSurroundings): Source {
  if (source.kind === "node") {
    return { sourceKind: "node", sourceReason: "A process of this node." };
  }
  const { address } = source;
  const { facts } = around;
  if (facts.nodeAddresses.includes(address) || address === "::1" || address.startsWith("127.")) {
    return { sourceKind: "node", sourceReason: `${address} is an address of this node.` };
  }
  if (around.isPodAddress(address)) {
    return { sourceKind: "pod", sourceReason: `${address} is a pod that the host attached.` };
  }
  const parsed = parseAddress(address);
  if (facts.podPrefixes.some((prefix) => prefixContains(prefix, parsed))) {
    return { sourceKind: "pod", sourceReason: `${address} lies in a pod range.` };
  }
  return {
    sourceKind: "outside",
    sourceReason: `${address} is neither the node's nor in a pod range.`,
  };
}

/** A process of the node dials with one of the node's addresses, or with the frontend's own. */
function maySourcePass(
  { source, address }: Question,
  { claim, facts }: { readonly claim: Claim; readonly facts: NodeFacts },
): boolean {
  const ranges = claim.planned.sourceRanges;
  if (ranges === undefined) return true;
  const sources =
    source.kind === "address"
      ? [source.address]
      : facts.nodeAddresses.filter((node) => familyOf(node) === familyOf(address));
  return sources.some((text) => {
    const parsed = parseAddress(text);
    return ranges.some((range) => prefixContains(range, parsed));
  });
}

function masqueradeOf(
  { source: asked }: Question,
  {
    source,
    decided,
    used,
    around,
    claim,
  }: {
    readonly source: Source;
    readonly decided: FrontendDecision;
    readonly used: readonly Candidate[];
    readonly around: ExplainSurroundings;
    readonly claim: Claim;
  },
): { readonly applies: boolean; readonly rule: MasqueradeRule } {
  if (source.sourceKind === "node") return { applies: true, rule: "own-process" };
  const { kind } = claim.frontend;
  if (decided.masquerade === "everyone") {
    const rule = kind === "clusterIP" && around.facts.masqueradeAll;
    return { applies: true, rule: rule ? "masquerade-all" : "external-cluster-policy" };
  }
  if (decided.masquerade === "others" && source.sourceKind === "outside") {
    return { applies: true, rule: "from-outside" };
  }
  const itself = used.filter(
    ({ target, isLocal }) =>
      (isLocal || around.isPodAddress(target.address)) &&
      asked.kind === "address" &&
      target.address === asked.address,
  );
  if (itself.length > 0 && itself.length === used.length) return { applies: true, rule: "hairpin" };
  if (itself.length > 0) return { applies: false, rule: "maybe-hairpin" };
  if (decided.masquerade === "others") return { applies: false, rule: "from-pod" };
  return {
    applies: false,
    rule: kind === "hostPort" ? "host-port-source" : "external-local-policy",
  };
}

function unusedOf(
  choice: Choice,
  { list, used }: { readonly list: ChosenList; readonly used: readonly Candidate[] },
): Explanation["unused"] {
  const targets = new Set(used.map(({ endpoint, target }) => `${endpoint.address}|${target.port}`));
  return choice.candidates
    .filter(({ endpoint, target }) => !targets.has(`${endpoint.address}|${target.port}`))
    .map((candidate) => ({
      endpoint: stateOf(candidate),
      reason: unusedRules[whyUnused(candidate, { choice, list })].text,
    }));
}

function whyUnused(
  candidate: Candidate,
  { choice, list }: { readonly choice: Choice; readonly list: ChosenList },
): UnusedRule {
  if (list.chosen.includes(candidate)) return "weight-zero";
  if (list === choice.local && !candidate.isLocal) return "not-local";
  if (isLastResort(candidate)) {
    const byKeys = list.rule === "serving-terminating" || list.chosen.length === 0;
    return byKeys ? "topology-keys" : "terminating";
  }
  if (!isReady(candidate)) return candidate.endpoint.terminating ? "not-serving" : "not-ready";
  switch (list.rule) {
    case "same-node":
      return "other-node-hint";
    case "same-zone":
      return "other-zone-hint";
    case "ready":
    case "local":
    case "topology-keys":
    case "serving-terminating":
      return "topology-keys";
  }
}
