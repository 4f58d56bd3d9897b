import { hash } from "node:crypto";
import { type Family, parseAddress } from "../../src/ip/address.ts";
import type {
  ChainRules,
  Match,
  Rule,
  RuleVerdict,
  TableRules,
} from "../../src/kernel/nf-rules.ts";
import type { NamespacePlan } from "../../src/services/namespace-plane.ts";
import type { Protocol } from "../../src/services/model.ts";
import type { PlannedEndpoint, PlannedFrontend } from "../../src/services/plan-types.ts";
import { TABLE } from "./skeleton.ts";

/** linux/if.h, IFNAMSIZ with the zero at its end. */
const IFNAME_BYTES_MAX = 15;
const COMMENT_CHARACTERS_MAX = 120;
/** Endpoints that one client is led to: each is a rule. Of more, every client has its own choice. */
export const ENDPOINTS_MAX = 64;

/**
 * What a pod's namespace holds, both families. A pod has few Services on its networks, and one client: they are rules, not maps as
 * in the node (docs/decisions/0018). Throws RangeError for an interface that cannot be.
 */
export function podRules(plan: NamespacePlan): readonly TableRules[] {
  return ([4, 6] as const).map((family) => ({
    family: family === 4 ? "ip" : "ip6",
    table: TABLE,
    comment: "Services on networks; written by patchbay: changes are undone",
    chains: chainsOf(plan, family),
  }));
}

function chainsOf(plan: NamespacePlan, family: Family): readonly ChainRules[] {
  const frontends = plan.frontends.filter((each) => each.family === family && each.onNetwork);
  if (frontends.length === 0) return [];
  const addresses = new Set(frontends.map(({ address }) => address));
  return [
    {
      name: "refuse",
      // Reset for TCP, as on the node: a client takes an ICMPv6 error during connect() for a soft one and waits.
      rules: [
        rule([{ kind: "protocol", protocol: 6 }], { kind: "tcp-reset" }),
        rule([], { kind: "port-unreachable" }),
      ],
    },
    ...frontends.map((frontend, index) => serviceChain(frontend, { index, client: plan.client })),
    {
      name: "output",
      hook: { type: "nat", hook: "output", priority: -100 },
      rules: [
        ...frontends.map(({ address, protocol, port }, index) =>
          rule(
            [
              { kind: "protocol", protocol: protocolNumbers[protocol] },
              { kind: "destination", address: parseAddress(address) },
              { kind: "destination-port", port },
            ],
            { kind: "goto", chain: `service-${index}` },
          ),
        ),
        // Ports that the Services do not have: as on the node, and never out by the network.
        ...[...addresses].map((address) =>
          rule([{ kind: "destination", address: parseAddress(address) }], refuse),
        ),
      ],
    },
    {
      name: "postrouting",
      hook: { type: "nat", hook: "postrouting", priority: 100 },
      rules: masquerades(plan, frontends),
    },
  ];
}

const protocolNumbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
const refuse: RuleVerdict = { kind: "goto", chain: "refuse" };

/**
 * The source of a connection was chosen by the way to the cluster IP, mostly the default network's: it becomes the pod's address on
 * the network by which it leaves.
 */
function masquerades(
  { ifnames }: NamespacePlan,
  frontends: readonly PlannedFrontend[],
): readonly Rule[] {
  const rules = new Map<string, Rule>();
  for (const { address, onNetwork } of frontends) {
    for (const name of ifnames.get(onNetwork?.network ?? "") ?? []) {
      rules.set(
        `${name} ${address}`,
        rule(
          [
            { kind: "output-interface", name: checkedName(name) },
            { kind: "translated" },
            { kind: "original-destination", address: parseAddress(address) },
          ],
          { kind: "masquerade" },
        ),
      );
    }
  }
  return [...rules.values()];
}

function serviceChain(
  { protocol, service, portName, onNetwork }: PlannedFrontend,
  { index, client }: { readonly index: number; readonly client: string },
): ChainRules {
  const comment = `${service}:${portName}`.slice(0, COMMENT_CHARACTERS_MAX);
  const rules = ((): readonly Rule[] => {
    const route = onNetwork?.route ?? { kind: "reject" };
    switch (route.kind) {
      case "reject":
        return [rule([], refuse)];
      case "drop":
        return [rule([], { kind: "drop" })];
      case "forward": {
        const count = route.pick === "same" ? 1 : ENDPOINTS_MAX;
        return draws(favouritesOf(route.endpoints, { client, count }), protocol);
      }
    }
  })();
  return {
    name: `service-${index}`,
    rules: rules.map((each, at) => (at === 0 ? { ...each, comment } : each)),
  };
}

/** Whether another client has other rules for it. */
export function dependsOnClient({ onNetwork }: PlannedFrontend): boolean {
  const route = onNetwork?.route;
  if (route?.kind !== "forward") return false;
  return route.pick === "same" || route.endpoints.length > ENDPOINTS_MAX;
}

/** One rule for each endpoint, which takes its share of what those before it left; the last one takes all. */
function draws(endpoints: readonly PlannedEndpoint[], protocol: Protocol): readonly Rule[] {
  const transport: Match = { kind: "protocol", protocol: protocolNumbers[protocol] };
  let left = endpoints.reduce((sum, { weight }) => sum + weight, 0);
  return endpoints.map(({ address, port, weight }) => {
    const draw: Match = { kind: "draw", modulus: left, below: weight };
    const isLast = left === weight;
    left -= weight;
    const verdict = { kind: "dnat", address: parseAddress(address), port } as const;
    return rule(isLast ? [transport] : [transport, draw], verdict);
  });
}

function rule(matches: readonly Match[], verdict: RuleVerdict): Rule {
  return { matches, verdict };
}

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): a client keeps its endpoint while that is there, wherever it runs, and of
 * those that come it may prefer one. Weights as in draft-ietf-bess-weighted-hrw.
 */
function favouritesOf(
  endpoints: readonly PlannedEndpoint[],
  { client, count }: { readonly client: string; readonly count: number },
): readonly PlannedEndpoint[] {
  if (endpoints.length <= count) return endpoints;
  return endpoints
    .map((endpoint) => ({ endpoint, score: scoreOf(endpoint, client) }))
    .sort((one, other) => other.score - one.score)
    .slice(0, count)
    .map(({ endpoint }) => endpoint);
}

function scoreOf({ address, port, weight }: PlannedEndpoint, client: string): number {
  const bits = Number.parseInt(hash("sha256", `${client}\0${address}|${port}`).slice(0, 12), 16);
  return -weight / Math.log((bits + 0.5) / 2 ** 48);
}

function checkedName(ifname: string): string {
  const byteCount = Buffer.byteLength(ifname);
  if (byteCount > 0 && byteCount <= IFNAME_BYTES_MAX && !ifname.includes("\0")) return ifname;
  throw new RangeError(`${JSON.stringify(ifname)} is no name of an interface`);
}
