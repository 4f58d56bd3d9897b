import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix, parsePrefix } from "../ip/address.ts";
import type { Frontend, FrontendKey } from "./model.ts";
import type { ObjectKey } from "./objects.ts";
import { maxProblems, maxProblemsOfObject } from "./problems.ts";
import {
  puts,
  sampleEndpoint,
  sampleFacts,
  sampleFrontend,
  sampleGroup,
  sampleModelEndpoint,
  samplePolicy,
  sampleService,
  sampleSlice,
  text,
  texts,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { ModelChange, ServiceTable, TableChanges } from "./table-types.ts";

const draining = { ready: false, serving: true, terminating: true } as const;

/** A table with one Service and these endpoints, taken. */
function tableWith(...addresses: readonly string[]): ServiceTable {
  const table = createServiceTable(sampleFacts());
  const endpoints = addresses.map((address) => sampleEndpoint(address, { nodeName: "node-a" }));
  table.applyObjects("test", puts(sampleService(), sampleSlice(endpoints)));
  table.takeChanges();
  return table;
}

/** "address:port*weight" of every list, by id. */
function listsOf(table: ServiceTable): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    [...table.plan().lists].map(([id, { endpoints }]) => [
      id,
      endpoints.map(({ address, port, weight }) => `${address}:${port}*${weight}`),
    ]),
  );
}

function staleOf(taken: TableChanges | undefined): readonly string[] | undefined {
  return taken?.staleFlows.map(({ key }) => key);
}

function modelChange(change: Partial<ModelChange>): ModelChange {
  return {
    replace: false,
    putGroups: [],
    removeGroups: [],
    putFrontends: [],
    removeFrontends: [],
    ...change,
  };
}

test("takeChanges() tells a new Service once", () => {
  const table = createServiceTable(sampleFacts({ podPrefixes: [], servicePrefixes: [] }));
  assert.equal(table.takeChanges(), undefined);
  assert.equal(table.revision, 0);
  const slice = sampleSlice([sampleEndpoint("10.1.0.1", { nodeName: "node-a" })]);
  table.applyObjects("test", puts(slice, sampleService()));
  const list = "test:default/web/4|http|TCP|cluster";
  assert.deepEqual(table.takeChanges(), {
    changes: {
      revision: 1,
      putFrontends: [
        {
          key: "10.96.0.10|TCP|80",
          family: 4,
          address: "10.96.0.10",
          protocol: "TCP",
          port: 80,
          kind: "clusterIP",
          service: "default/web",
          portName: "http",
          inside: { kind: "list", list },
          outside: { kind: "list", list },
          masquerade: "others",
          countConnections: false,
        },
      ],
      removeFrontends: [],
      putLists: [
        {
          id: list,
          family: 4,
          protocol: "TCP",
          portKey: "test:default/web/4|http|TCP",
          endpoints: [{ address: "10.1.0.1", port: 8080, weight: 1 }],
          pick: "random",
        },
      ],
      removeLists: [],
      addClusterIps: ["10.96.0.10"],
      removeClusterIps: [],
      addPodAddresses: [],
      removePodAddresses: [],
      addLocalEndpoints: ["10.1.0.1"],
      removeLocalEndpoints: [],
    },
    services: ["default/web"],
    staleFlows: [{ key: "10.96.0.10|TCP|80", address: "10.96.0.10", protocol: "TCP", port: 80 }],
  });
  assert.equal(table.revision, 1);
  assert.equal(table.takeChanges(), undefined);
  assert.equal(table.view("default/web")?.revision, 1);
});

test("takeChanges() tells the list and nothing else when an endpoint comes", () => {
  const table = tableWith("10.1.0.1");
  table.applyObjects("test", puts(sampleSlice([sampleEndpoint("10.1.0.2")], { name: "web-2" })));
  const { changes, staleFlows } = table.takeChanges() ?? {};
  assert.deepEqual(
    changes?.putLists.map(({ endpoints }) => endpoints.length),
    [2],
  );
  assert.deepEqual([changes?.putFrontends, changes?.addLocalEndpoints, staleFlows], [[], [], []]);
});

test("takeChanges() tells nothing when a change was undone", () => {
  const table = tableWith("10.1.0.1");
  const before = table.plan();
  table.applyObjects("test", [
    { kind: "delete", key: "Service/default/web" as ObjectKey },
    ...puts(sampleSlice([])),
    ...puts(sampleSlice([sampleEndpoint("10.1.0.1", { nodeName: "node-a" })]), sampleService()),
  ]);
  table.changePodAddresses({ add: [text("10.1.0.9")], remove: [] });
  table.changePodAddresses({ add: [], remove: [text("10.1.0.9")] });
  table.setFacts(sampleFacts({ nodeName: "node-b", podPrefixes: [] }));
  table.setFacts(sampleFacts());
  assert.equal(table.takeChanges(), undefined);
  assert.equal(table.revision, 1);
  assert.deepEqual(table.plan(), before);
});

test("takeChanges() plans nothing anew but what was touched", () => {
  const table = createServiceTable(sampleFacts());
  let planned = 0;
  const watched: Frontend = {
    ...sampleFrontend({ id: "watched", service: "x/watched" }),
    get kind() {
      planned++;
      return "clusterIP" as const;
    },
  };
  const other = sampleFrontend({ id: "other", service: "x/other", port: 81, group: "other" });
  table.applyModel("apply", modelChange({ putFrontends: [watched, other] }));
  table.takeChanges();
  assert.ok(planned > 0);
  planned = 0;
  const group = sampleGroup([sampleModelEndpoint("10.1.0.1")], { id: "other" });
  table.applyModel("apply", modelChange({ putGroups: [group] }));
  assert.equal(table.takeChanges()?.changes.putFrontends.length, 1);
  assert.equal(table.takeChanges(), undefined);
  assert.equal(planned, 0);
});

test("takeChanges() keeps an endpoint that moves between slices, in either order", () => {
  const moved = sampleSlice([sampleEndpoint("10.1.0.1", { nodeName: "node-a" })], {
    name: "web-2",
  });
  const left = sampleSlice([]);
  for (const events of [puts(moved, left), puts(left, moved)]) {
    const table = tableWith("10.1.0.1");
    table.applyObjects("test", events);
    assert.equal(table.takeChanges(), undefined);
    const stepwise = tableWith("10.1.0.1");
    for (const event of events) {
      stepwise.applyObjects("test", [event]);
      stepwise.takeChanges();
    }
    assert.deepEqual(stepwise.plan(), table.plan());
  }
});

test("a slice that moves to another Service leaves the first one", () => {
  const table = tableWith("10.1.0.1");
  table.applyObjects("test", [
    ...puts(sampleService({ clusterIPs: ["10.96.0.11"] }, { name: "other" })),
    ...puts(sampleSlice([sampleEndpoint("10.1.0.1")], { service: "other" })),
  ]);
  table.takeChanges();
  assert.deepEqual(listsOf(table), {
    "test:default/other/4|http|TCP|cluster": ["10.1.0.1:8080*1"],
  });
});

test("a Service leaves nothing behind", () => {
  const table = tableWith("10.1.0.1");
  table.applyObjects("test", [{ kind: "relist", objects: [] }]);
  const taken = table.takeChanges();
  assert.deepEqual(taken?.changes.removeFrontends, ["10.96.0.10|TCP|80"]);
  assert.deepEqual(taken?.changes.removeClusterIps, ["10.96.0.10"]);
  assert.deepEqual(taken?.changes.removeLocalEndpoints, ["10.1.0.1"]);
  assert.deepEqual(staleOf(taken), ["10.96.0.10|TCP|80"]);
  assert.equal(table.servingEndpoints("10.96.0.10|TCP|80" as FrontendKey), undefined);
  assert.deepEqual(table.serviceNames(), []);
  assert.equal(table.view("default/web"), undefined);
  assert.deepEqual([table.plan().frontends.size, table.plan().lists.size], [0, 0]);
});

test("a relist of known objects changes nothing, whether they carry versions or not", () => {
  const versioned = { uid: "u", resourceVersion: "7" };
  for (const extra of [{}, versioned]) {
    const table = createServiceTable(sampleFacts());
    const service = sampleService();
    const slice = sampleSlice([sampleEndpoint("10.1.0.1")]);
    const objects = [
      { ...service, metadata: { ...service.metadata, ...extra } },
      { ...slice, metadata: { ...slice.metadata, ...extra } },
    ];
    table.applyObjects("test", [{ kind: "relist", objects }]);
    assert.ok(table.takeChanges());
    table.applyObjects("test", [{ kind: "relist", objects }]);
    assert.equal(table.takeChanges(), undefined);
    table.applyObjects("test", [{ kind: "relist", objects: objects.slice(0, 1) }]);
    assert.deepEqual(table.takeChanges()?.changes.removeLists.length, 1);
  }
});

test("a relist takes an object of the same name but another uid for another one", () => {
  const table = createServiceTable(sampleFacts());
  const slice = sampleSlice([sampleEndpoint("10.1.0.1")]);
  const other = sampleSlice([sampleEndpoint("10.1.0.2")]);
  const metadata = { ...slice.metadata, resourceVersion: "7" };
  table.applyObjects(
    "test",
    puts(sampleService(), { ...slice, metadata: { ...metadata, uid: "u" } }),
  );
  table.takeChanges();
  const objects = [sampleService(), { ...other, metadata: { ...metadata, uid: "v" } }];
  table.applyObjects("test", [{ kind: "relist", objects }]);
  table.takeChanges();
  assert.deepEqual(Object.values(listsOf(table)), [["10.1.0.2:8080*1"]]);
});

test("staleFlows name frontends that lost a serving endpoint, used or not, or got their first", () => {
  const key = "10.96.0.10|TCP|80";
  const ready = sampleEndpoint("10.1.0.1");
  const last = sampleEndpoint("10.1.0.2", { conditions: draining });
  const idle = sampleEndpoint("10.1.0.3", { conditions: { ready: false, serving: false } });
  const steps = [
    ["the first endpoint comes", [ready], [key]],
    ["another comes", [ready, sampleEndpoint("10.1.0.2")], []],
    ["it drains and still serves", [ready, last], []],
    ["it is gone, which changes no list", [ready], [key]],
    ["one that never served comes", [ready, idle], []],
    ["and goes", [ready], undefined],
    ["the last goes", [], [key]],
  ] as const;
  const table = createServiceTable(sampleFacts());
  table.applyObjects("test", puts(sampleService(), sampleSlice([])));
  assert.deepEqual(staleOf(table.takeChanges()), [key], "a new frontend");
  for (const [why, endpoints, stale] of steps) {
    table.applyObjects("test", puts(sampleSlice(endpoints)));
    const taken = table.takeChanges();
    // Without a trace in the plan or in the flows there is nothing to tell.
    assert.deepEqual(staleOf(taken) ?? [], stale ?? [], why);
  }
});

test("staleFlows say where TCP flows are to go as well", () => {
  const table = createServiceTable(sampleFacts());
  const annotations = { "services.patchbay.dev/close-tcp-flows": "true" };
  table.applyObjects("test", puts(sampleService({}, { annotations }), sampleSlice([])));
  assert.deepEqual(table.takeChanges()?.staleFlows, [
    {
      key: "10.96.0.10|TCP|80",
      address: "10.96.0.10",
      protocol: "TCP",
      port: 80,
      closeTcpFlows: true,
    },
  ]);
  table.applyObjects("test", [{ kind: "relist", objects: [] }]);
  assert.equal(table.takeChanges()?.staleFlows[0]?.closeTcpFlows, true);
});

test("servingEndpoints() ignores readiness, policies and topology", () => {
  const table = createServiceTable(sampleFacts());
  const service = sampleService(
    { internalTrafficPolicy: "Local" },
    { annotations: { "services.patchbay.dev/topology-keys": "kubernetes.io/hostname" } },
  );
  const endpoints = [
    sampleEndpoint("10.1.0.1", { nodeName: "node-b" }),
    sampleEndpoint("10.1.0.2", { conditions: draining }),
    sampleEndpoint("10.1.0.3", { conditions: { ready: false } }),
    sampleEndpoint("10.1.0.4", { conditions: { ready: false, serving: false } }),
  ];
  table.applyObjects("test", puts(service, sampleSlice(endpoints)));
  table.takeChanges();
  assert.deepEqual(
    table.servingEndpoints("10.96.0.10|TCP|80" as FrontendKey),
    new Set(["10.1.0.1|8080", "10.1.0.2|8080", "10.1.0.3|8080"]),
  );
});

test("frontends of a Service port share its lists, and only lists that somebody uses are there", () => {
  const table = createServiceTable(sampleFacts());
  const service = sampleService(
    {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      externalIPs: ["198.51.100.1"],
      ports: [{ name: "http", port: 80, nodePort: 30_080 }],
    },
    { ingress: [{ ip: "198.51.100.2" }] },
  );
  const endpoints = [
    sampleEndpoint("10.1.0.1", { nodeName: "node-a" }),
    sampleEndpoint("10.1.0.2", { nodeName: "node-b" }),
  ];
  table.applyObjects("test", puts(service, sampleSlice(endpoints)));
  table.takeChanges();
  assert.equal(table.plan().frontends.size, 4);
  assert.deepEqual(listsOf(table), {
    "test:default/web/4|http|TCP|cluster": ["10.1.0.1:8080*1", "10.1.0.2:8080*1"],
    "test:default/web/4|http|TCP|local": ["10.1.0.1:8080*1"],
  });
});

test("frontends with other affinity, pick or keys have lists of their own", () => {
  const table = createServiceTable(sampleFacts());
  const policies = [
    samplePolicy,
    { ...samplePolicy, affinitySeconds: 60 },
    { ...samplePolicy, affinitySeconds: 90 },
    { ...samplePolicy, pick: "consistent-hash" as const },
    { ...samplePolicy, topologyKeys: ["rack", "*"] },
    { ...samplePolicy, topologyKeys: ["rack", "*"], externalTrafficPolicy: "Local" as const },
  ];
  table.applyModel(
    "apply",
    modelChange({
      putGroups: [sampleGroup([sampleModelEndpoint("10.1.0.1")])],
      putFrontends: policies.map((policy, index) =>
        sampleFrontend({ id: `f${index}`, port: 80 + index, policy }),
      ),
    }),
  );
  table.takeChanges();
  const lists = [...table.plan().lists.values()];
  assert.deepEqual(
    lists.map(({ id, pick, affinity }) => [id, pick, affinity?.seconds, affinity?.key]),
    [
      ["apply#group|http|TCP|cluster", "random", undefined, undefined],
      ["apply#group|http|TCP|cluster|affinity=60", "random", 60, "apply#group|http|TCP"],
      ["apply#group|http|TCP|cluster|affinity=90", "random", 90, "apply#group|http|TCP"],
      ["apply#group|http|TCP|cluster|consistent-hash", "consistent-hash", undefined, undefined],
      ["apply#group|http|TCP|cluster|keys=rack,*", "random", undefined, undefined],
    ],
  );
});

test("applyModel() lets a group come late, change for all of its frontends, and go", () => {
  const table = createServiceTable(sampleFacts());
  const frontends: readonly Frontend[] = [
    sampleFrontend({ id: "a", service: "x/a" }),
    sampleFrontend({ id: "b", service: "x/b", port: 81 }),
  ];
  table.applyModel("apply", modelChange({ putFrontends: frontends }));
  assert.deepEqual(
    table.takeChanges()?.changes.putFrontends.map(({ inside }) => inside.kind),
    ["reject", "reject"],
  );
  const group = sampleGroup([sampleModelEndpoint("10.1.0.1")]);
  table.applyModel("apply", modelChange({ putGroups: [group] }));
  const taken = table.takeChanges();
  assert.deepEqual(
    taken?.changes.putFrontends.map(({ inside }) => inside.kind),
    ["list", "list"],
  );
  assert.equal(taken?.changes.putLists.length, 1);
  table.applyModel("other", modelChange({ replace: true }));
  assert.equal(table.takeChanges(), undefined);
  table.applyModel("apply", modelChange({ removeGroups: ["group"] }));
  assert.equal(table.takeChanges()?.changes.removeLists.length, 1);
  table.applyModel("apply", modelChange({ replace: true, putFrontends: frontends.slice(0, 1) }));
  assert.deepEqual(table.takeChanges()?.changes.removeFrontends, ["10.96.0.10|TCP|81"]);
});

test("source ranges count on load-balancer frontends only", () => {
  const table = createServiceTable(sampleFacts());
  const policy = { ...samplePolicy, sourceRanges: [parsePrefix("203.0.113.0/24")] };
  const kinds = ["clusterIP", "nodePort", "externalIP", "loadBalancer", "hostPort"] as const;
  table.applyModel(
    "apply",
    modelChange({
      putFrontends: kinds.map((kind, index) =>
        sampleFrontend({ id: kind, kind, port: 80 + index, policy }),
      ),
    }),
  );
  table.takeChanges();
  const restricted = [...table.plan().frontends.values()].filter(
    ({ sourceRanges }) => sourceRanges !== undefined,
  );
  assert.deepEqual(
    restricted.map(({ kind }) => kind),
    ["loadBalancer"],
  );
});

test("applyModel() never mixes families, whatever a group says", () => {
  const table = createServiceTable(sampleFacts());
  table.applyModel(
    "apply",
    modelChange({
      putGroups: [sampleGroup([sampleModelEndpoint("10.1.0.1")])],
      putFrontends: [
        sampleFrontend({ id: "six", family: 6, address: text("fd96::a") }),
        sampleFrontend({ id: "four" }),
      ],
    }),
  );
  table.takeChanges();
  const kinds = [...table.plan().frontends.values()].map(
    ({ key, inside }) => `${key} ${inside.kind}`,
  );
  assert.deepEqual(new Set(kinds), new Set(["10.96.0.10|TCP|80 list", "fd96::a|TCP|80 reject"]));
});

test("a dual-stack Service without endpoints of a family rejects in that family only", () => {
  const table = createServiceTable(sampleFacts());
  const service = sampleService({ clusterIPs: ["10.96.0.10", "fd96::a"] });
  table.applyObjects("test", puts(service, sampleSlice([sampleEndpoint("10.1.0.1")])));
  table.takeChanges();
  const { frontends } = table.plan();
  assert.equal(frontends.get("10.96.0.10|TCP|80" as FrontendKey)?.inside.kind, "list");
  assert.equal(frontends.get("fd96::a|TCP|80" as FrontendKey)?.inside.kind, "reject");
});

test("weights make shares: 0 is none, all 0 is all alike", () => {
  const weigh = (weights: string): readonly string[] | undefined => {
    const table = createServiceTable(sampleFacts());
    const annotations = { "services.patchbay.dev/weights": weights };
    const endpoints = [sampleEndpoint("10.1.0.1"), sampleEndpoint("10.1.0.2")];
    table.applyObjects("test", puts(sampleService({}, { annotations }), sampleSlice(endpoints)));
    table.takeChanges();
    return Object.values(listsOf(table))[0];
  };
  assert.deepEqual(weigh("10.1.0.1=3"), ["10.1.0.1:8080*3", "10.1.0.2:8080*1"]);
  assert.deepEqual(weigh("10.1.0.1=0"), ["10.1.0.2:8080*1"]);
  assert.deepEqual(weigh("10.1.0.1=0,10.1.0.2=0"), ["10.1.0.1:8080*1", "10.1.0.2:8080*1"]);
});

test("setFacts() replans what depends on what changed", () => {
  const table = createServiceTable(sampleFacts());
  const service = sampleService(
    {
      ports: [{ name: "http", port: 80, nodePort: 30_080 }],
      loadBalancerSourceRanges: ["203.0.113.0/24"],
    },
    { ingress: [{ ip: "198.51.100.1" }] },
  );
  const endpoints = [sampleEndpoint("10.1.0.1", { nodeName: "node-b" })];
  table.applyObjects("test", puts(service, sampleSlice(endpoints)));
  table.takeChanges();
  const change = (changes: Parameters<typeof sampleFacts>[0]) => {
    table.setFacts(sampleFacts(changes));
    const taken = table.takeChanges()?.changes;
    table.setFacts(sampleFacts());
    table.takeChanges();
    return taken;
  };
  assert.equal(change({}), undefined);
  const ports = change({ nodePortAddresses: texts("192.0.2.2") });
  assert.deepEqual(
    ports?.putFrontends.map(({ key }) => key),
    ["192.0.2.2|TCP|30080"],
  );
  assert.deepEqual(ports?.removeFrontends, ["192.0.2.1|TCP|30080"]);
  const ranges = change({ nodeAddresses: texts("203.0.113.9") })?.putFrontends;
  assert.deepEqual(
    ranges?.map(({ sourceRanges }) => sourceRanges?.map((range) => formatPrefix(range))),
    [["203.0.113.0/24", "198.51.100.1/32"]],
  );
  assert.deepEqual(change({ nodeName: "node-b" })?.addLocalEndpoints, ["10.1.0.1"]);
  assert.deepEqual(change({ podPrefixes: [] })?.podPrefixes, []);
  const prefixes = change({ podPrefixes: [], servicePrefixes: [parsePrefix("10.97.0.0/16")] });
  assert.deepEqual(prefixes?.podPrefixes, []);
  assert.deepEqual(prefixes?.servicePrefixes, [parsePrefix("10.97.0.0/16")]);
  assert.deepEqual(prefixes?.putFrontends, []);
  const all = change({ masqueradeAll: true })?.putFrontends;
  assert.deepEqual(
    all?.map(({ masquerade }) => masquerade),
    ["everyone"],
  );
});

test("setFacts() follows the labels of nodes where hints or topology keys depend on them", () => {
  const onB = { nodeName: "node-b" };
  const onC = { nodeName: "node-c" };
  const hinted = (name: string) => ({ hints: { forZones: [{ name }] } });
  const plain = sampleFacts();
  const keys = { "services.patchbay.dev/topology-keys": "example.com/rack,*" };
  const table = createServiceTable(plain);
  table.applyObjects(
    "test",
    puts(
      sampleService(),
      sampleSlice([
        sampleEndpoint("10.1.0.2", { ...onB, ...hinted("zone-1") }),
        sampleEndpoint("10.1.0.3", { ...onC, ...hinted("zone-2") }),
      ]),
      sampleService({ clusterIPs: ["10.96.0.11"] }, { name: "keyed", annotations: keys }),
      sampleSlice([sampleEndpoint("10.1.0.4", onB), sampleEndpoint("10.1.0.5", onC)], {
        name: "keyed-1",
        service: "keyed",
      }),
    ),
  );
  table.takeChanges();
  const [web, keyed] = ["web", "keyed"].map((name) => `test:default/${name}/4|http|TCP|cluster`);
  assert.deepEqual(listsOf(table), {
    [`${web}`]: ["10.1.0.2:8080*1"],
    [`${keyed}|keys=example.com/rack,*`]: ["10.1.0.5:8080*1"],
  });
  const relabel = (node: string, changes: Readonly<Record<string, string>>): void => {
    const labels = new Map([...(plain.nodeLabels.get(node) ?? []), ...Object.entries(changes)]);
    table.setFacts(sampleFacts({ nodeLabels: new Map([...plain.nodeLabels, [node, labels]]) }));
  };
  relabel("node-b", { "example.com/rack": "r1" });
  assert.deepEqual(
    table.takeChanges()?.changes.putLists.map(({ endpoints }) => endpoints.length),
    [2],
  );
  relabel("node-a", { "topology.kubernetes.io/zone": "zone-2" });
  table.takeChanges();
  assert.deepEqual(listsOf(table)[`${web}`], ["10.1.0.3:8080*1"]);
});

test("changePodAddresses() counts an address once", () => {
  const table = createServiceTable(sampleFacts({ podPrefixes: [], servicePrefixes: [] }));
  const add = [text("172.16.0.1")];
  table.changePodAddresses({ add, remove: [] });
  table.changePodAddresses({ add, remove: [] });
  assert.deepEqual(table.takeChanges()?.changes.addPodAddresses, add);
  table.changePodAddresses({ add: [], remove: add });
  assert.deepEqual(table.takeChanges()?.changes.removePodAddresses, add);
  assert.deepEqual(table.plan().podAddresses, new Set());
});

test("healthChecks() count ready pods of this node, dual-stack ones once", () => {
  const table = createServiceTable(sampleFacts());
  const onA = { nodeName: "node-a" };
  table.applyObjects("test", [
    ...puts(
      sampleService({
        type: "LoadBalancer",
        clusterIPs: ["10.96.0.10", "fd96::a"],
        externalTrafficPolicy: "Local",
        healthCheckNodePort: 32_000,
        ports: [
          { name: "http", port: 80 },
          { name: "admin", port: 81 },
        ],
      }),
    ),
    ...puts(
      sampleSlice(
        [
          sampleEndpoint("10.1.0.1", onA),
          sampleEndpoint("10.1.0.2", onA),
          sampleEndpoint("10.1.0.3", { nodeName: "node-b" }),
          sampleEndpoint("10.1.0.4", { ...onA, conditions: draining }),
        ],
        {
          ports: [
            { name: "http", port: 8080 },
            { name: "admin", port: 8081 },
          ],
        },
      ),
      sampleSlice([sampleEndpoint("fd01::1", onA)], { name: "web-6", addressType: "IPv6" }),
    ),
  ]);
  table.takeChanges();
  assert.deepEqual(table.healthChecks(), [
    { namespace: "default", name: "web", port: 32_000, localReadyEndpoints: 2 },
  ]);
  table.applyObjects("test", puts(sampleService()));
  table.takeChanges();
  assert.deepEqual(table.healthChecks(), []);
});

test("problems() name source, object and field, and go with the object", () => {
  const table = createServiceTable(sampleFacts());
  const bad = sampleService({ ports: [{ port: 0 }, { name: "http", port: 80 }] }, { name: "bad" });
  table.applyObjects("test", puts(bad, sampleService({ clusterIPs: ["10.96.0.11"] })));
  table.takeChanges();
  assert.deepEqual(table.problems(), [
    {
      source: "test",
      object: "Service default/bad",
      message: "spec.ports[0].port is 0, expected 1 to 65535",
    },
  ]);
  // Neither the rest of it nor anybody else suffers.
  assert.equal(table.plan().frontends.size, 2);
  table.applyObjects("test", [{ kind: "delete", key: "Service/default/bad" as ObjectKey }]);
  assert.deepEqual(table.problems(), []);
});

test("problems() tell of weights, annotations and slices that concern nobody", () => {
  const table = createServiceTable(sampleFacts());
  const annotations = {
    "services.patchbay.dev/weights": "10.1.0.1=2,web-1=3,node-a=4,web-9=5",
    "services.patchbay.dev/wieghts": "1",
    "example.com/other": "1",
  };
  const endpoint = sampleEndpoint("10.1.0.1", {
    nodeName: "node-a",
    targetRef: { kind: "Pod", name: "web-1" },
  });
  const lonely = sampleSlice([], { name: "lonely" });
  const { labels: _, ...metadata } = lonely.metadata;
  table.applyObjects(
    "test",
    puts(
      sampleService({}, { annotations }),
      sampleSlice([endpoint]),
      sampleSlice([], { name: "b", service: "gone-b" }),
      sampleSlice([], { name: "a", service: "gone-a" }),
      { ...lonely, metadata },
    ),
  );
  table.takeChanges();
  assert.deepEqual(
    table.problems().map(({ object, message }) => `${object}: ${message}`),
    [
      "EndpointSlice: 2 of Services that are not there, for example of default/gone-a",
      "EndpointSlice default/lonely: metadata.labels[kubernetes.io/service-name] is missing: the slice belongs to no Service",
      "Service default/web: metadata.annotations[services.patchbay.dev/wieghts] is not known: see docs/services.md",
      'Service default/web: metadata.annotations[services.patchbay.dev/weights]: "web-9" is no address, pod or node of an endpoint',
    ],
  );
});

test("unserved() names Services that are not programmed, with the reason", () => {
  const table = createServiceTable(sampleFacts());
  const headless = sampleService({ clusterIPs: ["None"] }, { name: "db" });
  const external = sampleService({ type: "ExternalName", clusterIPs: [] }, { name: "ext" });
  table.applyObjects("one", puts(headless, external, sampleService()));
  table.applyObjects("two", puts(headless));
  table.takeChanges();
  assert.deepEqual(table.unserved("default/"), [
    "default/db: it is headless, which is DNS alone",
    "default/ext: it is of type ExternalName, which is DNS alone",
  ]);
  assert.deepEqual(table.unserved("default/e"), [
    "default/ext: it is of type ExternalName, which is DNS alone",
  ]);
  assert.deepEqual(table.problems(), []);
});

test("problems() are bounded, and say how many they leave out", () => {
  const table = createServiceTable(sampleFacts());
  const names = Array.from({ length: maxProblems + 5 }, (_, index) => `s${index}`);
  const services = names.map((name) => sampleService({ clusterIPs: ["bad"] }, { name }));
  table.applyObjects("test", puts(...services));
  const problems = table.problems();
  assert.equal(problems.length, maxProblems);
  assert.equal(problems.at(-1)?.message, "6 more problems");
});

test("problems() keep only so much of one object", () => {
  const table = createServiceTable(sampleFacts());
  const bad = Array.from({ length: maxProblemsOfObject + 5 }, () =>
    sampleEndpoint("x".repeat(999)),
  );
  table.applyObjects("test", puts(sampleService(), sampleSlice(bad)));
  const problems = table.problems();
  assert.equal(problems.length, maxProblemsOfObject + 1);
  assert.equal(problems.at(-1)?.message, "5 more problems");
  assert.ok(problems.every(({ message }) => message.length < 400));
});

test("triggeredMs is the newest trigger time since the last call", () => {
  const table = tableWith("10.1.0.1");
  const triggered = (time: string, address: string, name: string) =>
    sampleSlice([sampleEndpoint(address)], {
      name,
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": time },
    });
  table.applyObjects(
    "test",
    puts(
      triggered("2026-01-01T00:00:02Z", "10.1.0.2", "web-2"),
      triggered("2026-01-01T00:00:01Z", "10.1.0.3", "web-3"),
      triggered("nonsense", "10.1.0.4", "web-4"),
    ),
  );
  assert.equal(table.takeChanges()?.triggeredMs, Date.UTC(2026, 0, 1, 0, 0, 2));
  table.applyObjects("test", puts(sampleSlice([])));
  assert.equal(table.takeChanges()?.triggeredMs, undefined);
});

test("a Service whose address belongs to another one is told, without a change of the plan", () => {
  const table = tableWith("10.1.0.1");
  const before = table.plan();
  table.applyObjects("test", puts(sampleService({}, { name: "zzz" })));
  const taken = table.takeChanges();
  assert.deepEqual(taken?.services.toSorted(), ["default/web", "default/zzz"].slice(1));
  assert.deepEqual(table.plan(), before);
  assert.deepEqual(table.serviceNames(), ["default/web", "default/zzz"]);
});
