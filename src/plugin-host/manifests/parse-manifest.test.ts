import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ObjectKey } from "../../services/objects.ts";
import { formatProblem } from "./object-source.ts";
import { describeKey, locateObject, parseManifest } from "./parse-manifest.ts";

function parse(text: string, name = "web.yaml") {
  return parseManifest(text, {
    name,
    objectsMax: 1_000,
    problemsMax: 10,
    breathe: () => undefined,
  });
}

async function problemsOf(text: string, name?: string): Promise<string[]> {
  return (await parse(text, name)).problems.map(formatProblem);
}

async function objectsOf(text: string, name?: string): Promise<unknown[]> {
  const { objects, problems } = await parse(text, name);
  assert.deepEqual(problems, []);
  return [...objects.values()];
}

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: prod
spec:
  clusterIP: 10.96.0.10
  ports:
  - name: http
    port: 80
`;

const SLICE = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-abc
addressType: IPv4
endpoints:
- addresses: [10.1.0.5]
`;

const NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: one}\n";

/** What changes in a manifest that is whole, and what is said then. */
const BROKEN: readonly (readonly [string, string, string, string])[] = [
  [SERVICE, "port: 80", "port: 0", "web.yaml:10:11: spec.ports[0].port is 0, expected 1 to 65535"],
  [
    SERVICE,
    "port: 80",
    "port: 65536",
    "web.yaml:10:11: spec.ports[0].port is 65536, expected 1 to 65535",
  ],
  [
    SERVICE,
    "port: 80",
    "port: http",
    'web.yaml:10:11: spec.ports[0].port is "http", expected 1 to 65535',
  ],
  [
    SERVICE,
    "port: 80",
    "port: 80.5",
    "web.yaml:10:11: spec.ports[0].port is 80.5, expected 1 to 65535",
  ],
  [
    SERVICE,
    "port: 80",
    "protocol: TCP",
    "web.yaml:9:5: spec.ports[0].port is missing, expected 1 to 65535",
  ],
  [
    SERVICE,
    "port: 80",
    "port: null",
    "web.yaml:10:11: spec.ports[0].port is missing, expected 1 to 65535",
  ],
  [
    SERVICE,
    "port: 80",
    "port: 80\n    protocol: tcp",
    'web.yaml:11:15: spec.ports[0].protocol is "tcp", expected TCP, UDP or SCTP',
  ],
  [
    SERVICE,
    "port: 80",
    "port: 80\n    nodePort: -1",
    "web.yaml:11:15: spec.ports[0].nodePort is -1, expected 0 to 65535",
  ],
  [
    SERVICE,
    "name: http",
    "name: HTTP",
    'web.yaml:9:11: spec.ports[0].name is "HTTP", expected a DNS label',
  ],
  [
    SERVICE,
    "\n  - name: http\n    port: 80",
    " 80",
    "web.yaml:8:10: spec.ports is 80, expected a list",
  ],
  [
    SERVICE,
    "- name: http\n    port: 80",
    "- 80",
    "web.yaml:9:5: spec.ports[0] is 80, expected a mapping",
  ],
  [
    SERVICE,
    "10.96.0.10",
    "10.96.0.256",
    'web.yaml:7:14: spec.clusterIP is "10.96.0.256", expected an IP address or None',
  ],
  [
    SERVICE,
    "clusterIP: 10.96.0.10",
    "clusterIPs: [10.96.0.10, 1.2.3]",
    'web.yaml:7:15: spec.clusterIPs[1] is "1.2.3", expected an IP address or None',
  ],
  [
    SERVICE,
    "clusterIP: 10.96.0.10",
    "type: Loadbalancer",
    'web.yaml:7:9: spec.type is "Loadbalancer", expected ClusterIP, NodePort, LoadBalancer or ExternalName',
  ],
  [
    SERVICE,
    "clusterIP: 10.96.0.10",
    "externalIPs: [x]",
    'web.yaml:7:16: spec.externalIPs[0] is "x", expected an IP address',
  ],
  [
    SERVICE,
    "clusterIP: 10.96.0.10",
    "loadBalancerSourceRanges: [10.0.0.0]",
    'web.yaml:7:29: spec.loadBalancerSourceRanges[0] is "10.0.0.0", expected an address with a prefix length',
  ],
  [
    SERVICE,
    "clusterIP: 10.96.0.10",
    "sessionAffinityConfig:\n    clientIP:\n      timeoutSeconds: 86401",
    "web.yaml:9:23: spec.sessionAffinityConfig.clientIP.timeoutSeconds is 86401, expected 1 to 86400",
  ],
  [
    SERVICE,
    "clusterIP: 10.96.0.10",
    "externalTrafficPolicy: local",
    'web.yaml:7:26: spec.externalTrafficPolicy is "local", expected Cluster or Local',
  ],
  [
    SERVICE,
    "name: web",
    "name: Web_1",
    'web.yaml:4:9: metadata.name is "Web_1", expected a DNS label',
  ],
  [
    SERVICE,
    "name: web",
    "name: ../../etc",
    'web.yaml:4:9: metadata.name is "../../etc", expected a DNS label',
  ],
  [SERVICE, "name: web", "name: 7", "web.yaml:4:9: metadata.name is 7, expected a DNS label"],
  [SERVICE, "  name: web\n", "", "web.yaml:4:3: metadata.name is missing, expected a DNS label"],
  [
    SERVICE,
    "namespace: prod",
    "namespace: a/b",
    'web.yaml:5:14: metadata.namespace is "a/b", expected a DNS label',
  ],
  [
    SERVICE,
    "namespace: prod",
    "labels: {a: 1}",
    "web.yaml:5:11: metadata.labels.a is 1, expected at most 63 letters, digits, '-', '_' and '.'",
  ],
  [
    SERVICE,
    "namespace: prod",
    "labels: {__proto__: x}",
    "web.yaml:5:23: metadata.labels[\"__proto__\"] is no key, expected a name of letters, digits, '-', '_' and '.', after an optional DNS name and '/'",
  ],
  [
    SERVICE,
    "namespace: prod",
    "annotations: {a: true}",
    "web.yaml:5:16: metadata.annotations.a is true, expected text",
  ],
  [
    SERVICE,
    "namespace: prod",
    "creationTimestamp: yesterday",
    'web.yaml:5:22: metadata.creationTimestamp is "yesterday", expected a time such as 2026-01-31T12:00:00Z',
  ],
  [
    SERVICE,
    "metadata:\n  name: web\n  namespace: prod",
    "metadata: web",
    'web.yaml:3:11: metadata is "web", expected a mapping',
  ],
  [SERVICE, "spec:", "specs:", "web.yaml:1:1: spec is missing, expected a mapping"],
  [
    SERVICE,
    "kind: Service",
    "kinds: Service",
    "web.yaml:1:1: kind is missing, expected text such as Service",
  ],
  [
    SERVICE,
    "apiVersion: v1",
    "apiVersion: v2",
    'web.yaml:1:13: apiVersion is "v2", expected v1 of a Service',
  ],
  [
    SLICE,
    "k8s.io/v1",
    "k8s.io/v1beta1",
    'web.yaml:1:13: apiVersion is "discovery.k8s.io/v1beta1", expected discovery.k8s.io/v1 of a EndpointSlice',
  ],
  [
    SLICE,
    "addressType: IPv4\n",
    "",
    "web.yaml:1:1: addressType is missing, expected IPv4, IPv6 or FQDN",
  ],
  [
    SLICE,
    "10.1.0.5",
    "10.1.0",
    'web.yaml:7:14: endpoints[0].addresses[0] is "10.1.0", expected an IP address',
  ],
  [
    SLICE,
    "addresses: [10.1.0.5]",
    "nodeName: one",
    "web.yaml:7:3: endpoints[0].addresses is missing, expected a list of addresses",
  ],
  [
    SLICE,
    "addresses: [10.1.0.5]",
    "addresses: [10.1.0.5]\n  conditions: {ready: yes}",
    'web.yaml:8:15: endpoints[0].conditions.ready is "yes", expected true or false',
  ],
  [
    SLICE,
    "endpoints:",
    "ports: [{port: 99999}]\nendpoints:",
    "web.yaml:6:8: ports[0].port is 99999, expected 0 to 65535",
  ],
  [
    NODE,
    "{name: one}",
    "{name: one}\nspec: {podCIDRs: [10.0.0.0/33]}",
    'web.yaml:4:7: spec.podCIDRs[0] is "10.0.0.0/33", expected an address with a prefix length',
  ],
  [
    SERVICE,
    "clusterIP: 10",
    "clusterIP: [10",
    "web.yaml:8:3: YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  [SERVICE, "spec:", "kind: Node\nspec:", "web.yaml:6:1: YAML: Map keys must be unique"],
  [
    SERVICE,
    "  clusterIP",
    "\tclusterIP",
    "web.yaml:7:1: YAML: Tabs are not allowed as indentation",
  ],
  [SERVICE, "name: web", "name: !secret web", "web.yaml:4:9: YAML: Unresolved tag: !secret"],
  [
    SERVICE,
    "name: web",
    "name: *web",
    "web.yaml:1:1: YAML: Unresolved alias (the anchor must be set before the alias): web",
  ],
];

describe("parseManifest()", () => {
  it("keeps the fields that are read and no others", async () => {
    const text = `apiVersion: v1
kind: Service
metadata:
  name: web
  creationTimestamp: "2026-01-31T12:00:00Z"
  resourceVersion: "12"
  uid: 1-2
  generation: 3
  managedFields: [{manager: kubectl}]
  labels: {app: web, service.kubernetes.io/service-proxy-name: ""}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"a":1}
    other: "1"
    services.patchbay.dev/pick: random
spec:
  type: LoadBalancer
  clusterIP: 010.96.0.010
  clusterIPs: [010.96.0.010, "fd00::1"]
  externalIPs: []
  selector: {app: web}
  loadBalancerSourceRanges: [" 10.0.0.0/08 "]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
  healthCheckNodePort: 0
  ports:
  - {name: "", port: 80, protocol: UDP, targetPort: x, nodePort: 30080, appProtocol: h2}
status:
  loadBalancer:
    ingress: [{ip: 192.0.2.1, ipMode: Proxy, ports: []}, {hostname: lb.example}]
`;
    assert.deepEqual(await objectsOf(text), [
      {
        kind: "Service",
        metadata: {
          name: "web",
          namespace: "default",
          uid: "1-2",
          creationTimestamp: "2026-01-31T12:00:00Z",
          labels: { "service.kubernetes.io/service-proxy-name": "" },
          annotations: { "services.patchbay.dev/pick": "random" },
        },
        spec: {
          type: "LoadBalancer",
          clusterIP: "010.96.0.010",
          clusterIPs: ["010.96.0.010", "fd00::1"],
          loadBalancerSourceRanges: [" 10.0.0.0/08 "],
          ports: [{ name: "", protocol: "UDP", port: 80, nodePort: 30_080 }],
          sessionAffinity: "ClientIP",
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
        },
        status: {
          loadBalancer: {
            ingress: [{ ip: "192.0.2.1", ipMode: "Proxy" }, { hostname: "lb.example" }],
          },
        },
      },
    ]);
  });

  it("reads slices, nodes and address ranges", async () => {
    const text = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-abc.x, namespace: prod, labels: {kubernetes.io/service-name: web}}
addressType: IPv6
endpoints:
- addresses: [fd00::1, fd00::2]
  conditions: {ready: true, serving: null, terminating: false}
  nodeName: one.example
  zone: a
  hostname: x
  targetRef: {kind: Pod, name: web-1, uid: "1"}
  hints: {forZones: [{name: a}], forNodes: [{name: one.example}]}
ports:
- {name: http, port: 8080}
- {port: null}
--- # a node
apiVersion: v1
kind: Node
metadata: {name: one.example, namespace: ignored, deletionTimestamp: "2026-01-31T12:00:00Z"}
spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24], taints: [{key: a, effect: NoSchedule, value: b}]}
status: {addresses: [{type: Hostname, address: one}], capacity: {cpu: 1}}
---
apiVersion: networking.k8s.io/v1beta1
kind: ServiceCIDR
metadata: {name: kubernetes}
spec: {cidrs: [10.96.0.0/16, fd00::/112]}
`;
    assert.deepEqual(await objectsOf(text), [
      {
        kind: "EndpointSlice",
        metadata: {
          name: "web-abc.x",
          namespace: "prod",
          labels: { "kubernetes.io/service-name": "web" },
        },
        addressType: "IPv6",
        endpoints: [
          {
            addresses: ["fd00::1", "fd00::2"],
            conditions: { ready: true, terminating: false },
            nodeName: "one.example",
            zone: "a",
            targetRef: { kind: "Pod", name: "web-1" },
            hints: { forZones: [{ name: "a" }], forNodes: [{ name: "one.example" }] },
          },
        ],
        ports: [{ name: "http", port: 8_080 }, { name: "" }],
      },
      {
        kind: "Node",
        metadata: {
          name: "one.example",
          namespace: "",
          deletionTimestamp: "2026-01-31T12:00:00Z",
        },
        spec: {
          podCIDR: "10.1.0.0/24",
          podCIDRs: ["10.1.0.0/24"],
          taints: [{ key: "a", effect: "NoSchedule" }],
        },
        status: { addresses: [{ type: "Hostname", address: "one" }] },
      },
      {
        kind: "ServiceCIDR",
        metadata: { name: "kubernetes", namespace: "" },
        spec: { cidrs: ["10.96.0.0/16", "fd00::/112"] },
      },
    ]);
  });

  it("counts kinds that it passes by, and skips empty documents", async () => {
    const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n";
    const knative = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}\n";
    const text = `---\n---\n# nothing\n---\n${deployment}---\n${NODE}---\n${knative}---\n`;
    const { objects, problems, notes, others } = await parse(text);
    assert.deepEqual([[...objects.keys()], problems, notes, others], [["Node//one"], [], [], 2]);
  });

  it("notes kinds that look like those that it reads", async () => {
    const kinds = ["Servcie", "service", "Services", "EndpointSlic", "Endpoints"];
    const others = ["ServiceAccount", "ServiceMonitor", "NodePool", "PodTemplate"];
    const texts = [...kinds, ...others].map((kind) => `apiVersion: v1\nkind: ${kind}\n`);
    const { problems, notes } = await parse(texts.join("---\n"));
    assert.deepEqual(problems, []);
    assert.deepEqual(
      notes.map(({ message }) => message),
      [
        'kind "Servcie" is not read, did you mean Service?',
        'kind "service" is not read, did you mean Service?',
        'kind "Services" is not read, did you mean Service?',
        'kind "EndpointSlic" is not read, did you mean EndpointSlice?',
        'kind "Endpoints" is not read: EndpointSlices tell where endpoints are',
      ],
    );
    assert.equal(notes[0]?.place, "web.yaml:2:7");
    const list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Servcie\n";
    assert.equal((await parse(list)).notes[0]?.place, "web.yaml:5:9");
  });

  it("reads lists, whose items may leave out what the list says", async () => {
    const items = (kinds: string) => `{"items": [{${kinds} "metadata": {"name": "one"}}]`;
    const typed = `${items("")}, "kind": "NodeList", "apiVersion": "v1"}`;
    const plain = `${items('"kind": "Node", "apiVersion": "v1",')}, "kind": "List", "apiVersion": "v1"}`;
    const node = { kind: "Node", metadata: { name: "one", namespace: "" } };
    assert.deepEqual(await objectsOf(typed, "x.json"), [node]);
    assert.deepEqual(await objectsOf(plain, "x.json"), [node]);
    assert.deepEqual(await objectsOf(plain, "x.yaml"), [node]);
    assert.deepEqual(await objectsOf('{"kind": "NodeList", "apiVersion": "v1"}', "x.json"), []);
    const nested =
      '{"kind": "List", "apiVersion": "v1", "items": [{"kind": "List", "apiVersion": "v1"}]}';
    assert.deepEqual(await problemsOf(nested, "x.json"), [
      "x.json:1:48: items[0] is a List, expected an object",
    ]);
  });

  for (const [text, from, to, problem] of BROKEN) {
    it(`says ${problem}`, async () => {
      assert.ok(text.includes(from));
      assert.deepEqual(await problemsOf(text.replace(from, to)), [problem]);
    });
  }

  it("tells line and column of later documents, however they are read", async () => {
    const plain = `${SERVICE}---\n${SERVICE.replace("web", "x").replace("80", "0")}`;
    const aliased = plain.replace("name: x", "name: &n x");
    const directive = `%YAML 1.2\n---\n${plain}`;
    const windows = plain.replaceAll("\n", "\r\n");
    const message = "spec.ports[0].port is 0, expected 1 to 65535";
    assert.deepEqual(await problemsOf(plain), [`web.yaml:21:11: ${message}`]);
    assert.deepEqual(await problemsOf(aliased), [`web.yaml:21:11: ${message}`]);
    assert.deepEqual(await problemsOf(directive), [`web.yaml:23:11: ${message}`]);
    assert.deepEqual(await problemsOf(windows), [`web.yaml:21:11: ${message}`]);
  });

  it("tells line and column of JSON", async () => {
    const json = '{\n "kind": "Node",\n "apiVersion": "v1",\n "metadata": {"name": 1}\n}';
    assert.deepEqual(await problemsOf(json, "x.json"), [
      "x.json:4:23: metadata.name is 1, expected a DNS name",
    ]);
    assert.deepEqual(await problemsOf('{\n "kind": Node}', "x.json"), [
      'x.json:2:10: JSON: found "N", expected a value',
    ]);
    assert.deepEqual(await problemsOf("[]", "x.json"), [
      "x.json:1:1: document is a list, expected a mapping",
    ]);
  });

  it("tells of several objects, but not of more than asked for", async () => {
    const bad = (name: string) => SERVICE.replace("web", name).replace("port: 80", "port: 0");
    const text = Array.from({ length: 20 }, (_, index) => bad(`s${index}`)).join("---\n");
    assert.equal((await problemsOf(text)).length, 10);
    const { state, objects, problems } = await parse(`${text}---\n${NODE}`);
    assert.deepEqual([state, [...objects.keys()]], ["partial", ["Node//one"]]);
    assert.equal(problems[0]?.kind, "Service");
    const unreadable = await parse(`${text}---\n: [`);
    assert.equal(unreadable.state, "unreadable");
    assert.equal(unreadable.problems.length, 10);
    assert.match(unreadable.problems[9]?.message ?? "", /^YAML: /);
    assert.deepEqual(await problemsOf([bad("a"), SERVICE, bad("b")].join("---\n")), [
      "web.yaml:10:11: spec.ports[0].port is 0, expected 1 to 65535",
      "web.yaml:32:11: spec.ports[0].port is 0, expected 1 to 65535",
    ]);
  });

  it("takes the first of two objects with one name", async () => {
    const second = SERVICE.replace("port: 80", "port: 81");
    const { state, objects, problems } = await parse(`${SERVICE}---\n${second}`);
    assert.deepEqual([...objects.values()], await objectsOf(SERVICE));
    assert.equal(state, "whole");
    assert.deepEqual(problems.map(formatProblem), [
      'web.yaml:15:9: metadata.name is "web", but Service prod/web is in this file already, which counts',
    ]);
  });

  it("follows anchors and merge keys", async () => {
    const text = "x: &meta {name: one}\napiVersion: v1\nkind: Node\nmetadata: {<<: *meta}\n";
    assert.deepEqual(await objectsOf(text), [
      { kind: "Node", metadata: { name: "one", namespace: "" } },
    ]);
  });

  it("is not hurt by aliases of aliases", async () => {
    const levels = Array.from({ length: 30 }, (_, level) => {
      const alias = level === 0 ? "x" : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array(10).fill(alias).join(", ")}]\n`;
    });
    assert.deepEqual(await problemsOf(levels.join("")), [
      "web.yaml:1:1: YAML: Excessive alias count indicates a resource exhaustion attack",
    ]);
  });

  it("is not hurt by nesting", async () => {
    const [problem = ""] = await problemsOf("[".repeat(100_000));
    assert.match(problem, /^web\.yaml:\d+:\d+: YAML: /);
    const deep = `{"a":`.repeat(50_000) + "1" + "}".repeat(50_000);
    assert.deepEqual(await problemsOf(deep, "x.json"), [
      "x.json:1:1: apiVersion is missing, expected text such as v1",
    ]);
  });

  it("does not give the library more than it can digest", async () => {
    const [problem = ""] = await problemsOf(`${NODE}---\na: &a\n${"- x\n".repeat(70_000)}`);
    assert.match(problem, /^web\.yaml:4:1: a document of more than 262144 characters with anchors/);
  });

  it("leaves prototypes alone", async () => {
    const json =
      '{"__proto__": {"kind": "Node"}, "apiVersion": "v1", "constructor": {"prototype": {"x": 1}}}';
    const missing = "1:1: kind is missing, expected text such as Service";
    assert.deepEqual(await problemsOf(json, "x.json"), [`x.json:${missing}`]);
    assert.deepEqual(await problemsOf(json, "x.yaml"), [`x.yaml:${missing}`]);
    assert.equal("x" in {}, false);
  });

  it("refuses more objects than it may have", async () => {
    const nodes = Array.from({ length: 4 }, (_, index) => NODE.replace("one", `n${index}`));
    const { problems } = await parseManifest(nodes.join("---\n"), {
      name: "x.yaml",
      objectsMax: 3,
      problemsMax: 10,
      breathe: () => undefined,
    });
    assert.deepEqual(problems.map(formatProblem), ["x.yaml:1:1: more than 3 objects"]);
  });
});

describe("locateObject()", () => {
  it("finds the name of an object in documents and lists", async () => {
    const key = "Node//one" as ObjectKey;
    const text = `${SERVICE}---\n${NODE}`;
    assert.equal(await locateObject(text, { name: "x.yaml", key }), "14:11");
    const list =
      '{"kind": "NodeList", "apiVersion": "v1", "items": [{"metadata": {"name": "one"}}]}';
    assert.equal(await locateObject(list, { name: "x.json", key }), "1:74");
    assert.equal(await locateObject(SERVICE, { name: "x.yaml", key }), undefined);
  });
});

describe("describeKey()", () => {
  it("names an object as people do", () => {
    assert.equal(describeKey("Service/prod/web" as ObjectKey), "Service prod/web");
    assert.equal(describeKey("Node//one" as ObjectKey), "Node one");
  });
});
