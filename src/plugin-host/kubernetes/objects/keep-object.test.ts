import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ResourceName, type WatchedResource, watchedResources } from "../resources.ts";
import { findResourceVersion } from "./keep-object.ts";
import type { Kept } from "./kept.ts";

/** As a real API server answered to the requests of resources.ts for the node "one". */
const FIXTURES: Readonly<Partial<Record<ResourceName, string>>> = {
  services: "services.json",
  "endpointslices.discovery.k8s.io": "endpointslices.json",
  "nodes (own)": "own-node.json",
  "nodes (others)": "nodes.json",
  pods: "pods.json",
  "servicecidrs.networking.k8s.io": "servicecidrs.json",
  "network-attachment-definitions.k8s.cni.cncf.io": "networks.json",
};

type Json = Record<string, unknown>;

describe("keep() of what a real API server sent", () => {
  it("keeps every object, and of each what is left after it was written as JSON", () => {
    for (const [name, file] of Object.entries(FIXTURES)) {
      const items = itemsOf(file);
      assert.ok(items.length > 0, file);
      for (const item of items) {
        const kept = keep(name as ResourceName, item);
        assert.deepEqual(JSON.parse(JSON.stringify(kept)), kept);
        assert.equal(kept.key, resource(name as ResourceName).keyOf(item));
        assert.ok(JSON.stringify(kept).length < JSON.stringify(item).length, kept.key);
      }
    }
  });

  it("keeps of a Service what is served of it", () => {
    assert.deepEqual(keepNamed("services", "web"), {
      kind: "object",
      key: "Service/default/web",
      object: {
        kind: "Service",
        metadata: {
          name: "web",
          namespace: "default",
          resourceVersion: "229",
          uid: "b748e8c5-e1fd-466b-9ef7-e9fa0ac898b7",
          creationTimestamp: "2026-11-21T20:41:29Z",
          annotations: { "services.patchbay.dev/pick": "consistent-hash" },
        },
        spec: {
          type: "NodePort",
          clusterIP: "10.96.32.27",
          clusterIPs: ["10.96.32.27", "fd00:10:96::4ca8"],
          ports: [{ protocol: "TCP", port: 80, nodePort: 32741 }],
          sessionAffinity: "ClientIP",
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
          internalTrafficPolicy: "Cluster",
          externalTrafficPolicy: "Local",
        },
      },
    });
  });

  it("keeps of an EndpointSlice labels and endpoints", () => {
    assert.deepEqual(keepNamed("endpointslices.discovery.k8s.io", "balanced-r2spv"), {
      kind: "object",
      key: "EndpointSlice/default/balanced-r2spv",
      object: {
        kind: "EndpointSlice",
        metadata: {
          name: "balanced-r2spv",
          namespace: "default",
          resourceVersion: "277",
          uid: "71e27c78-e665-41c1-91b2-c5297481251b",
          labels: { "kubernetes.io/service-name": "balanced" },
        },
        addressType: "IPv4",
        endpoints: ["1", "2"].map((number, index) => ({
          addresses: [`10.244.0.${index + 5}`],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: ["one", "two"][index],
          zone: ["zone-a", "zone-b"][index],
          targetRef: { kind: "Pod", name: `web-${number}` },
          hints: { forZones: [{ name: ["zone-a", "zone-b"][index] }] },
        })),
        ports: [
          { name: "dns", protocol: "UDP", port: 53 },
          { name: "http", protocol: "TCP", port: 80 },
        ],
      },
    });
  });

  it("keeps of the own Node its pods' ranges and its condition beside the Node", () => {
    const kept = keepNamed("nodes (own)", "one");
    assert.ok(kept.kind === "own-node");
    assert.deepEqual(kept.node, {
      name: "one",
      uid: "45f45df1-b817-4de7-927c-ede38cc2c888",
      podCidrs: ["10.244.0.0/24", "fd00:244::/64"],
      networkUnavailable: {
        status: "True",
        reason: "NoRouteCreated",
        message: "Node created without a route",
      },
    });
    assert.deepEqual(kept.object.status, {
      addresses: [
        { type: "InternalIP", address: "10.200.0.1" },
        { type: "Hostname", address: "one" },
      ],
    });
    assert.deepEqual(kept.object.metadata.labels, {
      "kubernetes.io/hostname": "one",
      "topology.kubernetes.io/zone": "zone-a",
    });
  });

  it("keeps of other Nodes their labels", () => {
    assert.deepEqual(keepNamed("nodes (others)", "two"), {
      kind: "object",
      key: "Node//two",
      object: {
        kind: "Node",
        metadata: {
          name: "two",
          namespace: "",
          resourceVersion: "263",
          uid: "6e2eae67-6ded-4205-af50-554dea1d4fb1",
          labels: { "topology.kubernetes.io/zone": "zone-b" },
        },
      },
    });
  });

  it("keeps of own pods who they are and their networks", () => {
    assert.deepEqual(keepNamed("pods", "web-1"), {
      kind: "own-pod",
      key: "Pod/default/web-1",
      pod: {
        namespace: "default",
        name: "web-1",
        uid: "327211b7-b807-4ad8-8e61-2551523daa98",
        staticUid: "",
        networkStatus: "[]",
        isLeaving: false,
      },
    });
  });

  it("keeps of a NetworkAttachmentDefinition its text, and says where it is", () => {
    const kept = keepNamed("network-attachment-definitions.k8s.cni.cncf.io", "storage");
    assert.ok(kept.kind === "object" && kept.object.kind === "NetworkAttachmentDefinition");
    assert.equal(kept.object.place, "networkattachmentdefinition default/storage");
    assert.equal(JSON.parse(kept.object.spec.config).name, "storage");
    assert.deepEqual(kept.object.metadata.annotations, {
      "k8s.v1.cni.cncf.io/resourceName": "example.com/storage",
    });
  });

  it("keeps the same of a list as of a watch", () => {
    const [event, bookmark] = readFixture("watch-pods.jsonl")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { object: Json }).object);
    assert.deepEqual(keep("pods", event), keepNamed("pods", "web-1"));
    assert.equal(findResourceVersion(bookmark), "290");
  });
});

describe("keep()", () => {
  it("says of a pod that it is static, and that it leaves", () => {
    const pod = withChange(named("pods", "web-1"), ["metadata"], (metadata) => ({
      ...(metadata as Json),
      annotations: { "kubernetes.io/config.hash": "abc" },
      deletionTimestamp: "2026-11-21T20:41:29Z",
    }));
    const kept = keep("pods", pod);
    assert.ok(kept.kind === "own-pod");
    assert.equal(kept.pod.staticUid, "abc");
    assert.equal(kept.pod.isLeaving, true);
    assert.equal(kept.pod.networkStatus, undefined);
  });

  const RANGES: readonly (readonly [Json, readonly string[]])[] = [
    [{}, []],
    [{ podCIDR: "10.1.2.3/24" }, ["10.1.2.0/24"]],
    [{ podCIDR: "10.1.0.0/24", podCIDRs: ["10.1.0.0/24", "10.2.0.0/24"] }, ["10.1.0.0/24"]],
    [{ podCIDRs: ["FD00:0::5/64", "10.1.0.0/24"] }, ["fd00::/64", "10.1.0.0/24"]],
    [{ podCIDRs: ["010.1.0.0/24"] }, ["10.1.0.0/24"]],
  ];
  for (const [spec, podCidrs] of RANGES) {
    it(`reads the ranges of ${JSON.stringify(spec)} as ${podCidrs.join(" and ") || "none"}`, () => {
      const kept = keep("nodes (own)", { ...named("nodes (own)", "one"), spec });
      assert.ok(kept.kind === "own-node");
      assert.deepEqual(kept.node.podCidrs, podCidrs);
    });
  }

  it("takes names that are longer than a label of DNS, as the API does", () => {
    const long = "a".repeat(253);
    for (const [name, file] of [
      ["endpointslices.discovery.k8s.io", "balanced-r2spv"],
      ["nodes (own)", "one"],
      ["pods", "web-1"],
      ["network-attachment-definitions.k8s.cni.cncf.io", "storage"],
    ] as const) {
      const json = withChange(named(name, file), ["metadata", "name"], () => long);
      assert.ok(keep(name, json).key.endsWith(`/${long}`));
      const longer = withChange(json, ["metadata", "name"], () => `${long}a`);
      assert.equal(resource(name).keep(longer).kind, "unreadable");
    }
  });

  it("finds no condition in a Node that has none", () => {
    for (const status of [undefined, {}, { conditions: [{ type: "Ready", status: "True" }] }]) {
      const kept = keep("nodes (own)", { ...named("nodes (own)", "one"), status });
      assert.ok(kept.kind === "own-node");
      assert.equal(kept.node.networkUnavailable, undefined);
    }
  });

  /** Where the change is made, what stands there then, and what is said. */
  const WRONG: readonly (readonly [ResourceName, string, readonly string[], unknown, string])[] = [
    ["services", "web", [], "x", 'services: document is "x", expected a mapping'],
    ["services", "web", ["kind"], "Pod", 'services default/web: kind is "Pod", expected Service'],
    ["services", "web", ["metadata"], [], "services: metadata is a list, expected a mapping"],
    [
      "services",
      "web",
      ["metadata", "name"],
      7,
      "services: metadata.name is 7, expected a DNS label",
    ],
    [
      "services",
      "web",
      ["metadata", "namespace"],
      "",
      'services: metadata.namespace is "", expected a DNS label',
    ],
    [
      "services",
      "web",
      ["metadata", "resourceVersion"],
      null,
      "services default/web: metadata.resourceVersion is missing, expected text",
    ],
    [
      "services",
      "web",
      ["metadata", "annotations", "services.patchbay.dev/pick"],
      true,
      'services default/web: metadata.annotations["services.patchbay.dev/pick"] is true, expected text of at most 262144 characters',
    ],
    [
      "services",
      "web",
      ["spec", "ports", "0", "port"],
      0,
      "services default/web: spec.ports[0].port is 0, expected 1 to 65535",
    ],
    [
      "services",
      "web",
      ["spec", "clusterIPs", "1"],
      "\ud800",
      'services default/web: spec.clusterIPs[1] is "\\ud800", expected an IP address or None',
    ],
    [
      "endpointslices.discovery.k8s.io",
      "balanced-r2spv",
      ["endpoints", "1", "nodeName"],
      {},
      "endpointslices.discovery.k8s.io default/balanced-r2spv: endpoints[1].nodeName is a mapping, expected a DNS name",
    ],
    [
      "endpointslices.discovery.k8s.io",
      "balanced-r2spv",
      ["endpoints"],
      Array.from({ length: 300_000 }, () => ({ addresses: ["10.0.0.1"] })),
      "endpointslices.discovery.k8s.io default/balanced-r2spv: endpoints has 300000 items, expected at most 1000",
    ],
    [
      "nodes (own)",
      "one",
      ["spec", "podCIDRs", "0"],
      "10.0.0.0/33",
      'nodes (own) one: spec.podCIDRs[0] is "10.0.0.0/33", expected an address with a prefix length',
    ],
    [
      "nodes (own)",
      "one",
      ["metadata", "uid"],
      "",
      "nodes (own) one: metadata.uid is missing, expected text",
    ],
    [
      "nodes (others)",
      "two",
      ["metadata", "labels", "no key"],
      "x",
      "nodes (others) two: metadata.labels[\"no key\"] is no key, expected a name of letters, digits, '-', '_' and '.', after an optional DNS name and '/'",
    ],
    [
      "pods",
      "web-1",
      ["metadata", "uid"],
      undefined,
      "pods default/web-1: metadata.uid is missing, expected text",
    ],
    [
      "network-attachment-definitions.k8s.cni.cncf.io",
      "storage",
      ["spec", "config"],
      {},
      "network-attachment-definitions.k8s.cni.cncf.io default/storage: spec.config is a mapping, expected a CNI configuration as text of at most 1048576 characters",
    ],
  ];
  for (const [name, object, path, value, expected] of WRONG) {
    it(`says ${expected}`, () => {
      const json = withChange(named(name, object), path, () => value);
      const result = resource(name).keep(json);
      assert.ok(result.kind === "unreadable");
      assert.equal(`${result.problem.place}: ${result.problem.message}`, expected);
      assert.equal(result.key, resource(name).keyOf(json));
    });
  }

  it("does not look at what it drops, however deep that is", () => {
    const deep = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`) as unknown;
    const json = {
      ...named("services", "web"),
      status: { conditions: deep },
      deep,
    };
    assert.deepEqual(keep("services", json), keepNamed("services", "web"));
    const labels = withChange(json, ["metadata", "labels", "app"], () => deep);
    assert.deepEqual(keep("services", labels), keepNamed("services", "web"));
  });

  it("takes nothing from a prototype", () => {
    const evil = JSON.parse(
      '{"__proto__":{"spec":{"clusterIP":"10.0.0.1"}},"metadata":{"name":"web","namespace":"default","resourceVersion":"1","__proto__":{"uid":"u"}}}',
    ) as unknown;
    const result = resource("services").keep(evil);
    assert.ok(result.kind === "unreadable");
    assert.equal(result.problem.message, "spec is missing, expected a mapping");
    const labels = JSON.parse('{"__proto__":"x","constructor":"y"}') as unknown;
    const node = withChange(named("nodes (others)", "two"), ["metadata", "labels"], () => labels);
    const refused = resource("nodes (others)").keep(node);
    assert.equal(refused.kind, "unreadable");
    assert.equal(({} as Json)["spec"], undefined);
  });

  it("neither throws nor keeps more than it knows, whatever stands wherever", () => {
    const all = Object.entries(FIXTURES).flatMap(([name, file]) =>
      itemsOf(file).map((item) => ({ name: name as ResourceName, item, paths: pathsOf(item) })),
    );
    const changed = fc.constantFrom(...all).chain(({ name, item, paths }) =>
      fc.record({
        name: fc.constant(name),
        item: fc.constant(item),
        changes: fc.array(fc.tuple(fc.constantFrom(...paths), ANYTHING), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
    );
    const known = knownFields();
    fc.assert(
      fc.property(changed, ({ name, item, changes }) => {
        const json = changes.reduce<unknown>(
          (object, [path, value]) => withChange(object, path, () => value),
          item,
        );
        const result = resource(name).keep(json);
        assert.equal(result.key, resource(name).keyOf(json));
        if (result.kind === "unreadable") {
          assert.ok(result.problem.message.length < 1_000);
          return;
        }
        for (const path of pathsOf(result)) assert.ok(known.has(fieldOf(path)), path.join("."));
        // Once kept, always kept: what is kept is what the next host reads.
        assert.deepEqual(
          JSON.parse(JSON.stringify(resource(name).restore(result))),
          JSON.parse(JSON.stringify(result)),
        );
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("keyOf()", () => {
  it("names what is wrong everywhere else", () => {
    const services = resource("services");
    assert.equal(
      services.keyOf({ metadata: { name: "web", namespace: "default" } }),
      "Service/default/web",
    );
    assert.equal(resource("nodes (own)").keyOf({ metadata: { name: "one" } }), "Node//one");
  });

  it("does not make a key of what is no name", () => {
    const services = resource("services");
    const wrong = [
      undefined,
      null,
      7,
      {},
      { metadata: null },
      { metadata: { name: "web" } },
      { metadata: { name: "a/b", namespace: "default" } },
      { metadata: { name: "web", namespace: "a/b" } },
      { metadata: { name: ["web"], namespace: "default" } },
    ];
    assert.deepEqual(
      wrong.map((json) => services.keyOf(json)),
      wrong.map(() => undefined),
    );
  });
});

const ANYTHING = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(undefined, -1, 1.5, 2 ** 53, "", "\ud800", "__proto__", [], {}),
  fc.constantFrom<unknown>(
    [null],
    [[]],
    { "": "" },
    "10.0.0.1",
    "fd00::/64",
    true,
    "x".repeat(2_000),
  ),
);

/** Fields of types that objects of the fixtures have when they are kept, and those that they might have. */
function knownFields(): ReadonlySet<string> {
  const fields = new Set(
    Object.entries(FIXTURES).flatMap(([name, file]) =>
      itemsOf(file).flatMap((item) => pathsOf(keep(name as ResourceName, item)).map(fieldOf)),
    ),
  );
  for (const field of ["hostname", "ip", "ipMode", "externalIPs", "podCIDR"]) fields.add(field);
  for (const field of ["deletionTimestamp", "taints", "key", "effect", "forNodes"])
    fields.add(field);
  return fields;
}

/** The last name of a path; of labels and annotations, whose names may be any, that they are some. */
function fieldOf(path: readonly string[]): string {
  const texts = path.findIndex((name) => name === "labels" || name === "annotations");
  const names = (texts < 0 ? path : path.slice(0, texts + 1)).filter((name) => !/^\d+$/.test(name));
  return names.at(-1) ?? "";
}

function pathsOf(value: unknown): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [[]];
  const below = Object.entries(value).flatMap(([key, field]) =>
    pathsOf(field).map((path) => [key, ...path]),
  );
  return [[], ...below];
}

/** A copy in which something else stands at a path; the object itself when there is no such path. */
function withChange(
  object: unknown,
  path: readonly string[],
  change: (before: unknown) => unknown,
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(object);
  if (typeof object !== "object" || object === null) return object;
  const field = withChange((object as Json)[key], rest, change);
  if (Array.isArray(object)) return Number(key) < object.length ? object.with(+key, field) : object;
  return { ...object, [key]: field };
}

const RESOURCES = new Map(watchedResources("one").map((each) => [each.name, each]));

function resource(name: ResourceName): WatchedResource {
  const found = RESOURCES.get(name);
  assert.ok(found, name);
  return found;
}

function keep(name: ResourceName, json: unknown): Kept {
  const kept = resource(name).keep(json);
  assert.ok(kept.kind !== "unreadable", JSON.stringify(kept));
  return kept;
}

function keepNamed(name: ResourceName, object: string): Kept {
  return keep(name, named(name, object));
}

function named(name: ResourceName, object: string): Json {
  const found = itemsOf(FIXTURES[name] ?? "").find(
    ({ metadata }) => (metadata as Json)["name"] === object,
  );
  assert.ok(found, object);
  return found;
}

function itemsOf(file: string): readonly Json[] {
  return (JSON.parse(readFixture(file)) as { readonly items: readonly Json[] }).items;
}

function readFixture(file: string): string {
  const folder = new URL("../../../../test/fixtures/kubernetes/", import.meta.url);
  return readFileSync(new URL(file, folder), "utf8");
}
