import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressText, Frontend, NodeFacts } from "./model.ts";
import type { Service, SliceEndpoint } from "./objects.ts";
import { choiceRules, masqueradeRules, unusedRules, verdictRules } from "./rules.ts";
import {
  puts,
  sampleEndpoint,
  sampleFacts,
  sampleFrontend,
  sampleGroup,
  sampleModelEndpoint,
  sampleService,
  sampleSlice,
  text,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { Explanation, Question, ServiceTable } from "./table-types.ts";

interface Case {
  readonly why: string;
  readonly service?: Service;
  readonly endpoints?: readonly SliceEndpoint[];
  readonly hostPort?: boolean;
  readonly facts?: Partial<NodeFacts>;
  /** "node", or an address. */
  readonly from: string;
  /** Of the source. */
  readonly networks?: readonly string[];
  readonly to?: string;
  readonly port?: number;
  readonly expected: Partial<Record<keyof Explanation, unknown>>;
  readonly choice?: keyof typeof choiceRules;
  readonly masquerade: keyof typeof masqueradeRules;
  /** Address and reason of each endpoint that is not used. */
  readonly unused?: readonly (readonly [string, keyof typeof unusedRules])[];
}

const pod = "10.1.0.200";
const outside = "203.0.113.1";
const onA = { nodeName: "node-a", zone: "zone-1" };
const onB = { nodeName: "node-b", zone: "zone-1" };
const onC = { nodeName: "node-c", zone: "zone-2" };
const draining = { conditions: { ready: false, serving: true, terminating: true } };
const gone = { conditions: { ready: false, serving: false, terminating: true } };
const local = sampleEndpoint("10.1.0.1", onA);
const remote = sampleEndpoint("10.1.0.2", onB);
const far = sampleEndpoint("10.1.0.3", onC);
const inZone = (name: string) => ({ hints: { forZones: [{ name }] } });
const onNode = (name: string) => ({ hints: { forNodes: [{ name }] } });
const annotated = (annotation: string, value: string): Service =>
  sampleService({}, { annotations: { [`services.patchbay.dev/${annotation}`]: value } });
const balanced = (ranges: readonly string[]): Service =>
  sampleService({ loadBalancerSourceRanges: ranges }, { ingress: [{ ip: "198.51.100.1" }] });
const external = (policy: "Cluster" | "Local"): Service =>
  sampleService({ externalIPs: ["198.51.100.1"], externalTrafficPolicy: policy });

const onNodePort = sampleService({ ports: [{ name: "http", port: 80, nodePort: 30_080 }] });

const CASES: readonly Case[] = [
  {
    why: "a pod to a cluster IP",
    endpoints: [local, remote, sampleEndpoint("10.1.0.4", { conditions: { ready: false } })],
    from: pod,
    expected: {
      verdict: "forward",
      rule: "cluster-ip-cluster",
      sourceKind: "pod",
      masquerade: false,
    },
    choice: "ready",
    masquerade: "from-pod",
    unused: [["10.1.0.4", "not-ready"]],
  },
  {
    why: "an attached pod outside of all pod ranges",
    endpoints: [remote],
    from: "172.16.0.9",
    expected: { verdict: "forward", sourceKind: "pod", masquerade: false },
    choice: "ready",
    masquerade: "from-pod",
  },
  {
    why: "an outside client to a cluster IP",
    endpoints: [remote],
    from: outside,
    expected: { verdict: "forward", sourceKind: "outside", masquerade: true },
    choice: "ready",
    masquerade: "from-outside",
  },
  {
    why: "a process of the node, by its address",
    endpoints: [remote],
    from: "192.0.2.1",
    expected: { verdict: "forward", sourceKind: "node", masquerade: true },
    choice: "ready",
    masquerade: "own-process",
  },
  {
    why: "a process of the node, by a loopback address",
    endpoints: [remote],
    from: "127.0.0.1",
    expected: { verdict: "forward", sourceKind: "node", masquerade: true },
    choice: "ready",
    masquerade: "own-process",
  },
  {
    why: "masqueradeAll",
    endpoints: [remote],
    facts: { masqueradeAll: true },
    from: pod,
    expected: { verdict: "forward", masquerade: true },
    choice: "ready",
    masquerade: "masquerade-all",
  },
  {
    why: "the only endpoint dials itself",
    endpoints: [local],
    from: "10.1.0.1",
    expected: { verdict: "forward", masquerade: true },
    choice: "ready",
    masquerade: "hairpin",
  },
  {
    why: "one of two endpoints dials its own Service",
    endpoints: [local, remote],
    from: "10.1.0.1",
    expected: { verdict: "forward", masquerade: false },
    choice: "ready",
    masquerade: "maybe-hairpin",
  },
  {
    why: "internal policy Local",
    service: sampleService({ internalTrafficPolicy: "Local" }),
    endpoints: [local, remote, sampleEndpoint("10.1.0.5", { ...onA, ...draining })],
    from: pod,
    expected: { verdict: "forward", rule: "cluster-ip-local" },
    choice: "local",
    masquerade: "from-pod",
    unused: [
      ["10.1.0.2", "not-local"],
      ["10.1.0.5", "terminating"],
    ],
  },
  {
    why: "internal policy Local without a local endpoint",
    service: sampleService({ internalTrafficPolicy: "Local" }),
    endpoints: [remote],
    from: pod,
    expected: { verdict: "drop", rule: "internal-local-no-endpoint", service: "default/web" },
    masquerade: "not-forwarded",
    unused: [["10.1.0.2", "not-local"]],
  },
  {
    why: "nobody is left",
    endpoints: [sampleEndpoint("10.1.0.4", gone)],
    from: pod,
    expected: {
      verdict: "reject",
      rule: "no-endpoint",
      frontendKind: "clusterIP",
      portName: "http",
    },
    masquerade: "not-forwarded",
    unused: [["10.1.0.4", "not-serving"]],
  },
  {
    why: "only terminating ones",
    endpoints: [
      sampleEndpoint("10.1.0.1", { ...onA, ...draining }),
      sampleEndpoint("10.1.0.4", gone),
    ],
    from: pod,
    expected: { verdict: "forward", rule: "cluster-ip-cluster" },
    choice: "serving-terminating",
    masquerade: "from-pod",
    unused: [["10.1.0.4", "not-serving"]],
  },
  {
    why: "hints for zones",
    endpoints: [
      sampleEndpoint("10.1.0.2", { ...onB, ...inZone("zone-1") }),
      sampleEndpoint("10.1.0.3", { ...onC, ...inZone("zone-2") }),
    ],
    from: pod,
    expected: { verdict: "forward" },
    choice: "same-zone",
    masquerade: "from-pod",
    unused: [["10.1.0.3", "other-zone-hint"]],
  },
  {
    why: "hints for nodes",
    endpoints: [
      sampleEndpoint("10.1.0.1", { ...onA, ...onNode("node-a") }),
      sampleEndpoint("10.1.0.2", { ...onB, ...onNode("node-b") }),
    ],
    from: pod,
    expected: { verdict: "forward" },
    choice: "same-node",
    masquerade: "from-pod",
    unused: [["10.1.0.2", "other-node-hint"]],
  },
  {
    why: "topology keys",
    service: annotated("topology-keys", "topology.kubernetes.io/zone"),
    endpoints: [remote, far, sampleEndpoint("10.1.0.5", { ...onB, ...draining })],
    from: pod,
    expected: { verdict: "forward" },
    choice: "topology-keys",
    masquerade: "from-pod",
    unused: [
      ["10.1.0.3", "topology-keys"],
      ["10.1.0.5", "terminating"],
    ],
  },
  {
    why: "topology keys that nobody matches",
    service: annotated("topology-keys", "kubernetes.io/hostname"),
    endpoints: [far, sampleEndpoint("10.1.0.5", { ...onB, ...draining })],
    from: pod,
    expected: { verdict: "reject", rule: "topology-no-endpoint" },
    masquerade: "not-forwarded",
    unused: [
      ["10.1.0.3", "topology-keys"],
      ["10.1.0.5", "topology-keys"],
    ],
  },
  {
    why: "topology keys that only a terminating endpoint matches",
    service: annotated("topology-keys", "topology.kubernetes.io/zone"),
    endpoints: [
      sampleEndpoint("10.1.0.2", { ...onB, ...draining }),
      far,
      sampleEndpoint("10.1.0.6", { ...onC, ...draining }),
    ],
    from: pod,
    expected: { verdict: "forward" },
    choice: "serving-terminating",
    masquerade: "from-pod",
    unused: [
      ["10.1.0.3", "topology-keys"],
      ["10.1.0.6", "topology-keys"],
    ],
  },
  {
    why: "a weight of 0",
    service: annotated("weights", "10.1.0.2=0"),
    endpoints: [local, remote],
    from: pod,
    expected: { verdict: "forward" },
    choice: "ready",
    masquerade: "from-pod",
    unused: [["10.1.0.2", "weight-zero"]],
  },
  {
    why: "an external address, policy Cluster",
    service: external("Cluster"),
    endpoints: [remote],
    from: outside,
    to: "198.51.100.1",
    expected: { verdict: "forward", rule: "external-cluster", masquerade: true },
    choice: "ready",
    masquerade: "external-cluster-policy",
  },
  {
    why: "an external address, policy Local",
    service: external("Local"),
    endpoints: [local, remote],
    from: outside,
    to: "198.51.100.1",
    expected: { verdict: "forward", rule: "external-local", masquerade: false },
    choice: "local",
    masquerade: "external-local-policy",
    unused: [["10.1.0.2", "not-local"]],
  },
  {
    why: "an external address, policy Local, nobody here",
    service: external("Local"),
    endpoints: [remote],
    from: outside,
    to: "198.51.100.1",
    expected: { verdict: "drop", rule: "external-local-no-endpoint" },
    masquerade: "not-forwarded",
    unused: [["10.1.0.2", "not-local"]],
  },
  {
    why: "a pod takes the short circuit",
    service: external("Local"),
    endpoints: [remote],
    from: pod,
    to: "198.51.100.1",
    expected: { verdict: "forward", rule: "external-local-short-circuit", masquerade: false },
    choice: "ready",
    masquerade: "external-local-policy",
  },
  {
    why: "a hostPort",
    hostPort: true,
    from: outside,
    to: "192.0.2.1",
    expected: {
      verdict: "forward",
      rule: "host-port",
      masquerade: false,
      frontendKind: "hostPort",
    },
    choice: "ready",
    masquerade: "host-port-source",
  },
  {
    why: "a source outside of the source ranges",
    service: balanced(["10.1.0.0/16"]),
    endpoints: [local],
    from: outside,
    to: "198.51.100.1",
    expected: { verdict: "drop", rule: "source-ranges", frontendKind: "loadBalancer" },
    masquerade: "not-forwarded",
  },
  {
    why: "source ranges come before a missing endpoint",
    service: balanced(["10.1.0.0/16"]),
    endpoints: [],
    from: outside,
    to: "198.51.100.1",
    expected: { verdict: "drop", rule: "source-ranges" },
    masquerade: "not-forwarded",
  },
  {
    why: "a pod within the source ranges",
    service: balanced(["10.1.0.0/16"]),
    endpoints: [local],
    from: pod,
    to: "198.51.100.1",
    expected: { verdict: "forward", rule: "external-cluster" },
    choice: "ready",
    masquerade: "external-cluster-policy",
  },
  {
    why: "a pod outside of the source ranges is no exception",
    service: balanced(["203.0.113.0/24"]),
    endpoints: [local],
    from: pod,
    to: "198.51.100.1",
    expected: { verdict: "drop", rule: "source-ranges" },
    masquerade: "not-forwarded",
  },
  {
    why: "the node outside of the source ranges",
    service: balanced(["203.0.113.0/24"]),
    endpoints: [local],
    from: "node",
    to: "198.51.100.1",
    expected: { verdict: "drop", rule: "source-ranges" },
    masquerade: "not-forwarded",
  },
  {
    why: "the node within the source ranges",
    service: balanced(["192.0.2.0/24"]),
    endpoints: [local],
    from: "node",
    to: "198.51.100.1",
    expected: { verdict: "forward", masquerade: true },
    choice: "ready",
    masquerade: "own-process",
  },
  {
    why: "the address itself as source, where the ranges hold the node's",
    service: balanced(["192.0.2.0/24"]),
    endpoints: [local],
    from: "198.51.100.1",
    to: "198.51.100.1",
    expected: { verdict: "forward" },
    choice: "ready",
    masquerade: "external-cluster-policy",
  },
  {
    why: "the address itself as source, where they do not",
    service: balanced(["203.0.113.0/24"]),
    endpoints: [local],
    from: "198.51.100.1",
    to: "198.51.100.1",
    expected: { verdict: "drop", rule: "source-ranges" },
    masquerade: "not-forwarded",
  },
  {
    why: "a port that the cluster IP has not",
    endpoints: [local],
    from: pod,
    port: 81,
    expected: { verdict: "reject", rule: "cluster-ip-wrong-port", service: undefined },
    masquerade: "not-forwarded",
  },
  {
    why: "a Service range without a Service",
    from: pod,
    to: "10.96.0.99",
    expected: { verdict: "drop", rule: "unknown-service-address" },
    masquerade: "not-forwarded",
  },
  {
    why: "a Service port whose name no slice has",
    service: sampleService({ ports: [{ name: "web", port: 80 }] }),
    endpoints: [local],
    from: pod,
    expected: {
      verdict: "reject",
      rule: "no-endpoint",
      unused: [
        {
          endpoint: { address: "10.1.0.1", port: 0, weight: 1, ...onA, isLocal: true },
          reason: `${unusedRules["no-port"].text} (TCP, "web")`,
        },
      ],
    },
    masquerade: "not-forwarded",
    unused: [["10.1.0.1", "no-port"]],
  },
  {
    why: "an address of nobody",
    from: pod,
    to: "198.51.100.99",
    expected: { verdict: "no-service", rule: "no-service" },
    masquerade: "not-forwarded",
  },
  {
    why: "a node port on an address that serves none",
    service: sampleService({ ports: [{ name: "http", port: 80, nodePort: 80 }] }),
    endpoints: [local],
    from: outside,
    to: "192.0.2.77",
    expected: {
      verdict: "no-service",
      rule: "node-port-elsewhere",
      service: undefined,
      ruleText:
        "80/TCP is the NodePort of default/web, but 192.0.2.77 is not among nodePortAddresses: the packet goes on as it is.",
    },
    masquerade: "not-forwarded",
  },
  {
    why: "a node port on loopback, where it is not served",
    service: onNodePort,
    endpoints: [local],
    from: "node",
    to: "127.0.0.1",
    port: 30_080,
    expected: {
      verdict: "no-service",
      rule: "node-port-elsewhere",
      ruleText:
        "30080/TCP is the NodePort of default/web, but 127.0.0.1 is not among nodePortAddresses: the packet goes on as it is.",
    },
    masquerade: "not-forwarded",
  },
  {
    why: "a node port on loopback",
    service: onNodePort,
    endpoints: [local, remote],
    facts: { servesLocalhost: true },
    from: "node",
    to: "127.0.0.1",
    port: 30_080,
    expected: {
      verdict: "forward",
      rule: "node-port-localhost",
      service: "default/web",
      frontendKind: "nodePort",
      masquerade: true,
    },
    choice: "ready",
    masquerade: "localhost-proxy",
  },
  {
    why: "a node port on loopback without an endpoint",
    service: onNodePort,
    facts: { servesLocalhost: true },
    from: "127.0.0.2",
    to: "127.0.0.1",
    port: 30_080,
    expected: { verdict: "reject", rule: "no-endpoint", service: "default/web" },
    masquerade: "not-forwarded",
  },
  {
    why: "loopback of a pod",
    service: onNodePort,
    endpoints: [local],
    facts: { servesLocalhost: true },
    from: pod,
    to: "127.0.0.1",
    port: 30_080,
    expected: { verdict: "no-service", rule: "no-service" },
    masquerade: "not-forwarded",
  },
  {
    why: "loopback of the other family, in which the Service is not",
    service: onNodePort,
    endpoints: [local],
    facts: { servesLocalhost: true },
    from: "node",
    to: "::1",
    port: 30_080,
    expected: { verdict: "no-service", rule: "no-service" },
    masquerade: "not-forwarded",
  },
  {
    why: "a Service on a network, from a pod on it",
    service: annotated("network", "fast"),
    endpoints: [
      sampleEndpoint("10.1.0.1", { ...onA, targetRef: { kind: "Pod", name: "web-1" } }),
      remote,
    ],
    from: pod,
    networks: ["default/slow", "default/fast"],
    expected: { verdict: "forward", rule: "network-cluster", masquerade: false },
    choice: "ready",
    masquerade: "network-source",
    unused: [["10.1.0.2", "no-network-address"]],
  },
  {
    why: "a Service on a network with internal policy Local",
    service: sampleService(
      { internalTrafficPolicy: "Local" },
      { annotations: { "services.patchbay.dev/network": "fast" } },
    ),
    endpoints: [sampleEndpoint("10.1.0.1", { ...onA, targetRef: { kind: "Pod", name: "web-1" } })],
    from: pod,
    networks: ["default/fast"],
    expected: { verdict: "forward", rule: "network-local" },
    choice: "local",
    masquerade: "network-source",
  },
  {
    why: "a Service on a network, from a pod that is not on it",
    service: annotated("network", "fast"),
    endpoints: [sampleEndpoint("10.1.0.1", { targetRef: { kind: "Pod", name: "web-1" } })],
    from: pod,
    networks: ["default/slow"],
    expected: {
      verdict: "reject",
      rule: "on-network",
      ruleText:
        "The Service is on a network of its own, and only pods on it reach it, by rules in their own namespaces: the node refuses. The network: default/fast.",
    },
    masquerade: "not-forwarded",
  },
];

function tableOf({ service, endpoints = [], hostPort, facts }: Case): ServiceTable {
  const table = createServiceTable(sampleFacts(facts));
  const onFast = { id: "1", pod: "default/web-1", network: "default/fast", ifname: "net1" };
  table.changePodNetworks({
    put: [{ ...onFast, addresses: [text("10.20.0.1")] }],
    remove: [],
  });
  table.changePodAddresses({ add: [text("172.16.0.9")], remove: [] });
  if (hostPort) {
    const { address: _, ...plain }: Frontend = sampleFrontend({ kind: "hostPort" });
    table.applyModel("hostports", {
      replace: false,
      putGroups: [sampleGroup([sampleModelEndpoint("10.1.0.1", { nodeName: "node-a" })])],
      removeGroups: [],
      putFrontends: [plain],
      removeFrontends: [],
    });
  } else {
    table.applyObjects("test", puts(service ?? sampleService(), sampleSlice(endpoints)));
  }
  table.takeChanges();
  return table;
}

function ask(asked: Case): Explanation {
  const { from, networks, to = "10.96.0.10", port = 80 } = asked;
  const source = { kind: "address", address: from as AddressText, ...(networks && { networks }) };
  return tableOf(asked).explain({
    source: from === "node" ? { kind: "node" } : (source as Question["source"]),
    address: text(to),
    protocol: "TCP",
    port,
  });
}

for (const asked of CASES) {
  test(`explain(): ${asked.why}`, () => {
    const found = ask(asked);
    for (const [field, value] of Object.entries(asked.expected)) {
      assert.deepEqual(found[field as keyof Explanation], value, field);
    }
    const { rule, masqueradeReason, ruleText } = found;
    assert.ok(rule in verdictRules);
    assert.equal(masqueradeReason, masqueradeRules[asked.masquerade].text);
    const sentences: string[] = [verdictRules[rule as keyof typeof verdictRules].text];
    if (asked.choice) sentences.push(choiceRules[asked.choice].text);
    if (!("ruleText" in asked.expected)) assert.equal(ruleText, sentences.join(" "));
    const reasons = (asked.unused ?? []).map(([address, why]) => [address, unusedRules[why].text]);
    assert.deepEqual(
      // After the sentence there may be what was looked for, in parentheses.
      found.unused.map(({ endpoint, reason }) => [
        endpoint.address,
        reason.replace(/ \(.*\)$/, ""),
      ]),
      reasons,
    );
  });
}

test("explain() says affinity, pick and whom the frontend shadows", () => {
  const table = createServiceTable(sampleFacts());
  const hashed = sampleService(
    { sessionAffinity: "ClientIP" },
    { annotations: { "services.patchbay.dev/pick": "consistent-hash" } },
  );
  const other = sampleService({}, { name: "zeta" });
  table.applyObjects("test", puts(hashed, other, sampleSlice([local])));
  table.takeChanges();
  const question = { address: text("10.96.0.10"), protocol: "TCP", port: 80 } as const;
  const found = table.explain({ source: { kind: "node" }, ...question });
  assert.equal(found.service, "default/web");
  assert.deepEqual(found.shadowed, ["default/zeta"]);
  assert.equal(found.affinitySeconds, 10_800);
  assert.equal(found.pick, "consistent-hash");
});

test("every rule of the catalogue decides in some case above", () => {
  const verdicts = new Set(CASES.map((asked) => ask(asked).rule));
  assert.deepEqual(verdicts, new Set(Object.keys(verdictRules)));
  const choices = new Set(CASES.flatMap(({ choice }) => choice ?? []));
  assert.deepEqual(choices, new Set(Object.keys(choiceRules)));
  const masquerades = new Set(CASES.map(({ masquerade }) => masquerade));
  assert.deepEqual(masquerades, new Set(Object.keys(masqueradeRules)));
  const unused = new Set(CASES.flatMap(({ unused = [] }) => unused.map(([, why]) => why)));
  assert.deepEqual(unused, new Set(Object.keys(unusedRules)));
});

test("every rule has a sentence of its own and says where it is written", () => {
  for (const rules of [verdictRules, choiceRules, masqueradeRules, unusedRules]) {
    const texts = Object.values(rules).map(({ text }) => text);
    assert.equal(new Set(texts).size, texts.length);
    for (const [word, { section, text }] of Object.entries(rules)) {
      assert.match(word, /^[a-z]+(-[a-z]+)*$/);
      assert.ok(section.length > 0 && text.length > 0);
    }
  }
});
