import { parseAddress, prefixContains } from "../ip/address.ts";
import {
  type Candidate,
  type Choice,
  type ChosenList,
  chooseEndpoints,
  isLastResort,
  isReady,
} from "./choose-endpoints.ts";
import type { Claims } from "./claims.ts";
import { familyOf } from "./address-text.ts";
import { weigh } from "./lists.ts";
import {
  type AddressText,
  type Endpoint,
  type EndpointGroup,
  type Frontend,
  frontendKey,
  type NodeFacts,
} from "./model.ts";
import { type Claim, resolveFrontend } from "./plan-unit.ts";
import { type Decision, decideOnNetwork, decideRoutes, type FrontendDecision } from "./routes.ts";
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
  /** Of the destination: the first has it. */
  readonly claims: readonly Claim[];
  readonly findNodePort: Claims["findNodePort"];
  readonly isClusterIp: (address: AddressText) => boolean;
  readonly isPodAddress: (address: AddressText) => boolean;
}

type Source = Pick<Explanation, "sourceKind" | "sourceReason">;

/** What becomes of a packet, by the functions that plan; only the words are made here. */
export function explain(question: Question, around: ExplainSurroundings): Explanation {
  const { facts, claims } = around;
  const source = sourceOf(question, around);
  const unmoved = unmovedOf(question, { claims, source });
  const [claim] = claims;
  if (claim === undefined) {
    if (around.isClusterIp(question.address)) return unmoved("reject", "cluster-ip-wrong-port");
    const address = parseAddress(question.address);
    if (facts.servicePrefixes.some((prefix) => prefixContains(prefix, address))) {
      return unmoved("drop", "unknown-service-address");
    }
    return explainNodePort(question, { source, around }) ?? unmoved("no-service", "no-service");
  }
  if (claim.frontend.network !== undefined)
    return explainOnNetwork(question, { claim, source, around });
  if (!maySourcePass(question, { claim, facts })) return unmoved("drop", "source-ranges");
  const decided = decide(claim, facts);
  const decision = source.sourceKind === "outside" ? decided.outside : decided.inside;
  return follow(decision, {
    decided,
    claim,
    unmoved,
    masqueradeOf: (used) => masqueradeOf(question, { source, decided, used, around, claim }),
  });
}

/** Of a Service on a network of its own: by the rules in the source's namespace, or refused. */
function explainOnNetwork(
  { source: asked, ...question }: Question,
  {
    claim,
    source,
    around: { facts, claims },
  }: { readonly claim: Claim; readonly source: Source; readonly around: ExplainSurroundings },
): Explanation {
  const unmoved = unmovedOf({ ...question, source: asked }, { claims, source });
  const decided = decide(claim, facts);
  const { network = "" } = claim.frontend;
  const isOnIt = asked.kind === "address" && asked.networks?.includes(network) === true;
  const decision = decideOnNetwork(claim.frontend, decided.choice);
  if (!isOnIt || decision === undefined) {
    const refused = unmoved("reject", "on-network");
    const unused = decided.portless;
    return { ...refused, ruleText: `${refused.ruleText} The network: ${network}.`, unused };
  }
  return follow(decision, {
    decided,
    claim,
    unmoved,
    masqueradeOf: () => ({ applies: false, rule: "network-source" }),
  });
}

/** A NodePort at an address that has none of its own: loopback, by the host's proxy, or nobody's. */
function explainNodePort(
  question: Question,
  { source, around }: { readonly source: Source; readonly around: ExplainSurroundings },
): Explanation | undefined {
  const { address, protocol, port } = question;
  const { facts } = around;
  const claim = around.findNodePort({ family: familyOf(address), protocol, port });
  if (claim === undefined) return undefined;
  const isLoopback = address === "::1" || address.startsWith("127.");
  // Everybody has a loopback of its own, and the proxy listens on that of the node.
  if (isLoopback && source.sourceKind !== "node") return undefined;
  if (!isLoopback || facts.servesLocalhost !== true || protocol === "SCTP") {
    const { rule, ...rest } = unmovedOf(question, { claims: [], source })(
      "no-service",
      "node-port-elsewhere",
    );
    const whose = `${port}/${protocol} is the NodePort of ${claim.planned.service}`;
    const why =
      isLoopback && facts.servesLocalhost
        ? "the host's proxy on loopback serves TCP and UDP alone"
        : `${address} is not among nodePortAddresses`;
    return { ...rest, rule, ruleText: `${whose}, but ${why}: the packet goes on as it is.` };
  }
  const decided = decide(claim, facts);
  const { inside } = decided;
  const isForwarded = inside.to === "cluster" || inside.to === "local";
  return follow(isForwarded ? { ...inside, rule: "node-port-localhost" } : inside, {
    decided,
    claim,
    unmoved: unmovedOf(question, { claims: [claim], source }),
    masqueradeOf: () => ({ applies: true, rule: "localhost-proxy" }),
  });
}

type Unmoved = (verdict: Explanation["verdict"], rule: VerdictRule) => Explanation;

/** Explanations of packets that are not forwarded; others are made of them. */
function unmovedOf(
  question: Question,
  { claims, source }: { readonly claims: readonly Claim[]; readonly source: Source },
): Unmoved {
  const [claim, ...others] = claims;
  const shadowed = others.map(({ planned }) => planned.service);
  return (verdict, rule) => ({
    verdict,
    endpoints: [],
    masquerade: false,
    masqueradeReason: masqueradeRules["not-forwarded"].text,
    key: frontendKey(question.address, question),
    ...(claim && describeClaim(claim)),
    ...source,
    rule,
    ruleText: verdictRules[rule].text,
    unused: [],
    shadowed: [...new Set(shadowed)].filter((service) => service !== claim?.planned.service),
    affinitySeconds: 0,
    pick: "random",
  });
}

interface Decided extends FrontendDecision {
  readonly choice: Choice;
  readonly portless: Explanation["unused"];
}

function decide({ frontend, unit }: Claim, facts: NodeFacts): Decided {
  const group = unit.planned?.groups.get(frontend.group);
  const candidates = resolveFrontend(frontend, { group, facts });
  const choice = chooseEndpoints(candidates, { policy: frontend.policy, facts });
  const portless = portlessOf(frontend, { group, candidates, facts });
  return { ...decideRoutes(frontend, { choice, facts }), choice, portless };
}

/** Endpoints that do not even come into question, said without a port. */
function portlessOf(
  { portName, protocol, family }: Frontend,
  {
    group,
    candidates,
    facts: { nodeName },
  }: {
    readonly group: EndpointGroup | undefined;
    readonly candidates: readonly Candidate[];
    readonly facts: NodeFacts;
  },
): Explanation["unused"] {
  if (group?.family !== family) return [];
  const addresses = new Set(candidates.map(({ endpoint }) => endpoint.address));
  const noPort = (endpoint: Endpoint): boolean => !addresses.has(endpoint.address);
  const wanted = `${protocol}, ${portName === "" ? "no name" : JSON.stringify(portName)}`;
  const reason = `${unusedRules["no-port"].text} (${wanted})`;
  const describe = (endpoint: Endpoint, why: string) => {
    const { address, weight } = endpoint;
    const target = { address, port: 0, weight };
    const isLocal = nodeName !== "" && endpoint.nodeName === nodeName;
    return { endpoint: stateOf({ endpoint, target, isLocal }), reason: why };
  };
  const absent = unusedRules["no-network-address"].text;
  return [
    ...group.endpoints.filter(noPort).map((endpoint) => describe(endpoint, reason)),
    ...(group.absent ?? []).map((endpoint) => describe(endpoint, absent)),
  ];
}

function follow(
  { to, rule }: Decision,
  {
    decided: { choice, portless },
    claim,
    unmoved,
    masqueradeOf: findMasquerade,
  }: {
    readonly decided: Decided;
    readonly claim: Claim;
    readonly unmoved: Unmoved;
    readonly masqueradeOf: (used: readonly Candidate[]) => {
      readonly applies: boolean;
      readonly rule: MasqueradeRule;
    };
  },
): Explanation {
  if (to === "reject" || to === "drop") {
    const wanted = rule.endsWith("local-no-endpoint") ? choice.local : choice.cluster;
    const unused = unusedOf(choice, { list: wanted, used: [] });
    return { ...unmoved(to, rule), unused: [...unused, ...portless] };
  }
  const list = choice[to];
  const used = weigh(list.chosen);
  const masquerade = findMasquerade(used);
  const { affinitySeconds = 0, pick } = claim.frontend.policy;
  return {
    ...unmoved("forward", rule),
    endpoints: used.map(stateOf),
    masquerade: masquerade.applies,
    masqueradeReason: masqueradeRules[masquerade.rule].text,
    ruleText: `${verdictRules[rule].text} ${choiceRules[list.rule].text}`,
    unused: [...unusedOf(choice, { list, used }), ...portless],
    affinitySeconds,
    pick,
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
