import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseEndpoints, resolveEndpoints } from "./choose-endpoints.ts";
import type { Endpoint, NodeFacts } from "./model.ts";
import { sampleFacts, sampleGroup, sampleModelEndpoint, samplePolicy } from "./sample-objects.ts";

type Row = readonly [
  why: string,
  endpoints: readonly Partial<Endpoint>[],
  facts: Partial<NodeFacts>,
  keys: readonly string[],
  rule: string,
  /** Numbers of the endpoints chosen. */
  chosen: readonly number[],
];

const draining = { ready: false, serving: true, terminating: true } as const;
const zone1 = { zoneHints: ["zone-1"] } as const;
const zone2 = { zoneHints: ["zone-2"] } as const;
const nodeA = { nodeHints: ["node-a"] } as const;
const nodeB = { nodeHints: ["node-b"] } as const;

/** services.md 3.2.3; the sample node is node-a in zone-1, rack r1. */
const HINTS: readonly Row[] = [
  ["no hints", [{}, {}], {}, [], "ready", [0, 1]],
  ["our zone", [zone1, zone2], {}, [], "same-zone", [0]],
  [
    "several zones in a hint",
    [{ zoneHints: ["zone-2", "zone-1"] }, zone2],
    {},
    [],
    "same-zone",
    [0],
  ],
  ["no hint for our zone", [zone2, zone2], {}, [], "ready", [0, 1]],
  ["one without a hint disables hints", [zone1, {}], {}, [], "ready", [0, 1]],
  ["an empty hint is none", [zone1, { zoneHints: [] }], {}, [], "ready", [0, 1]],
  [
    "not-ready ones without hints do not count",
    [zone1, zone2, { ready: false }],
    {},
    [],
    "same-zone",
    [0],
  ],
  [
    "only terminating ones: no topology",
    [
      { ...draining, ...zone1 },
      { ...draining, ...zone2 },
    ],
    {},
    [],
    "serving-terminating",
    [0, 1],
  ],
  [
    "our node",
    [
      { ...zone1, ...nodeA },
      { ...zone1, ...nodeB },
    ],
    {},
    [],
    "same-node",
    [0],
  ],
  [
    "no hint for our node: zones",
    [
      { ...zone1, ...nodeB },
      { ...zone2, ...nodeB },
    ],
    {},
    [],
    "same-zone",
    [0],
  ],
  [
    "one without a node hint: zones",
    [{ ...zone1, ...nodeA }, zone1, zone2],
    {},
    [],
    "same-zone",
    [0, 1],
  ],
  ["node hints without zone hints", [nodeA, nodeB], {}, [], "same-node", [0]],
  ["we have no name", [{ ...zone1, ...nodeA }], { nodeName: "" }, [], "ready", [0]],
  ["our zone is unknown", [zone1, zone2], { nodeLabels: new Map() }, [], "ready", [0, 1]],
  ["nobody at all", [], {}, [], "ready", []],
  ["not ready and not terminating is never used", [{ ready: false }], {}, [], "ready", []],
  [
    "terminating and not serving is never used",
    [{ ...draining, serving: false }],
    {},
    [],
    "ready",
    [],
  ],
  ["ready and terminating is ready", [{ terminating: true }, draining], {}, [], "ready", [0]],
];

const rack = "example.com/rack";
const zone = "topology.kubernetes.io/zone";
const host = "kubernetes.io/hostname";
const onA = { nodeName: "node-a" } as const;
const onB = { nodeName: "node-b" } as const;
const onC = { nodeName: "node-c" } as const;
const unknownNodes = { nodeLabels: new Map() } as const;

/** KEP-536. node-b shares our zone, node-c our rack. */
const KEYS: readonly Row[] = [
  ["the first key that matches wins", [onA, onB, onC], {}, [host, zone], "topology-keys", [0]],
  ["the next key, where the first has nobody", [onB, onC], {}, [host, zone], "topology-keys", [0]],
  ["another order", [onB, onC], {}, [rack, zone], "topology-keys", [1]],
  ["no match is nobody", [onB], {}, [host, rack], "topology-keys", []],
  ["* is anybody", [onB, onC], {}, [host, "*"], "topology-keys", [0, 1]],
  [
    "a key that we lack is skipped",
    [onB, onC],
    {},
    ["example.com/leaf", zone],
    "topology-keys",
    [0],
  ],
  ["endpoints on no node match nothing", [{}, onB], {}, [host, zone], "topology-keys", [1]],
  [
    "the zone may come from the endpoint",
    [{ zone: "zone-1" }, { zone: "zone-2" }],
    {},
    [zone],
    "topology-keys",
    [0],
  ],
  [
    "hints do not count beside keys",
    [
      { ...onB, ...zone2 },
      { ...onC, ...zone1 },
    ],
    {},
    [zone],
    "topology-keys",
    [0],
  ],
  ["our labels are unknown", [onA], unknownNodes, [host], "topology-keys", []],
  [
    "our labels are unknown, with *",
    [onA, onB],
    unknownNodes,
    [host, "*"],
    "topology-keys",
    [0, 1],
  ],
  [
    "terminating ones that match, where no ready one does",
    [{ ...onB, ...draining }, onC],
    {},
    [zone],
    "serving-terminating",
    [0],
  ],
  [
    "terminating ones that do not match",
    [{ ...onC, ...draining }],
    {},
    [zone],
    "topology-keys",
    [],
  ],
];

test("chooseEndpoints() makes the Cluster list by hints or by keys", () => {
  for (const [why, endpoints, facts, topologyKeys, rule, chosen] of [...HINTS, ...KEYS]) {
    const { choice, numbers } = choose(endpoints, { facts, topologyKeys });
    assert.deepEqual([choice.cluster.rule, numbers(choice.cluster.chosen)], [rule, chosen], why);
  }
});

test("chooseEndpoints() falls back for Local apart from Cluster", () => {
  const rows: readonly [
    why: string,
    endpoints: Partial<Endpoint>[],
    rule: string,
    chosen: number[],
  ][] = [
    ["ready on this node", [onA, onB], "local", [0]],
    [
      "terminating on this node, ready elsewhere",
      [{ ...onA, ...draining }, onB],
      "serving-terminating",
      [0],
    ],
    ["ready before terminating", [{ ...onA, ...draining }, onA], "local", [1]],
    ["nobody here", [onB], "local", []],
    [
      "hints do not count",
      [
        { ...onA, ...zone2 },
        { ...onB, ...zone1 },
      ],
      "local",
      [0],
    ],
  ];
  for (const [why, endpoints, rule, chosen] of rows) {
    const { choice, numbers } = choose(endpoints, {});
    assert.deepEqual([choice.local.rule, numbers(choice.local.chosen)], [rule, chosen], why);
  }
});

test("chooseEndpoints() has no local endpoint when nobody said which node this is", () => {
  const { choice } = choose([{ nodeName: "" }, onA], { facts: { nodeName: "" } });
  assert.deepEqual(choice.local.chosen, []);
});

test("chooseEndpoints() ignores keys where external traffic policy is Local", () => {
  const { choice, numbers } = choose([onB], { topologyKeys: [host], local: true });
  assert.deepEqual([choice.cluster.rule, numbers(choice.cluster.chosen)], ["ready", [0]]);
});

function choose(
  endpoints: readonly Partial<Endpoint>[],
  {
    facts = {},
    topologyKeys = [],
    local = false,
  }: {
    readonly facts?: Partial<NodeFacts>;
    readonly topologyKeys?: readonly string[];
    readonly local?: boolean;
  },
) {
  const all = sampleFacts(facts);
  const group = sampleGroup(
    endpoints.map((changes, index) => sampleModelEndpoint(`10.1.0.${index + 1}`, changes)),
  );
  const { nodeName } = all;
  const candidates = resolveEndpoints(group, { portName: "http", protocol: "TCP", nodeName });
  const policy = {
    ...samplePolicy,
    topologyKeys,
    externalTrafficPolicy: local ? ("Local" as const) : ("Cluster" as const),
  };
  const choice = chooseEndpoints(candidates, { policy, facts: all });
  const numbers = (chosen: typeof candidates): readonly number[] =>
    chosen.map(({ endpoint }) => group.endpoints.indexOf(endpoint));
  return { choice, numbers };
}
