import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveEndpoints } from "./choose-endpoints.ts";
import type { EndpointSlice } from "./objects.ts";
import { sampleEndpoint, sampleSlice } from "./sample-objects.ts";
import { SharedTexts } from "./shared-texts.ts";
import { mergeSlices, readSlice } from "./slices.ts";

function read(slice: EndpointSlice) {
  const problems: string[] = [];
  return { slice: readSlice(slice, { texts: new SharedTexts(), problems }), problems };
}

/** "address:port" of what a Service has at a port, and what of local, ready and serving it is. */
function merged(
  slices: readonly EndpointSlice[],
  {
    family = 4,
    portName = "http",
    protocol = "TCP",
  }: {
    readonly family?: 4 | 6;
    readonly portName?: string;
    readonly protocol?: "TCP" | "UDP";
  } = {},
): readonly string[] {
  const texts = new SharedTexts();
  const readSlices = slices.flatMap((slice) => readSlice(slice, { texts, problems: [] }) ?? []);
  const group = mergeSlices(readSlices, { id: "default/web/4", family });
  return resolveEndpoints(group, { portName, protocol, nodeName: "node-a" }).map(
    ({ target, isLocal, endpoint }) =>
      `${target.address}:${target.port}${isLocal ? " local" : ""}${endpoint.ready ? " ready" : ""}${endpoint.serving ? "" : " gone"}`,
  );
}

test("readSlice() keeps what counts, nil conditions as they are meant", () => {
  const { slice, problems } = read(
    sampleSlice(
      [
        { addresses: ["010.1.0.5", "10.1.0.99"] },
        {
          addresses: ["10.1.0.6"],
          conditions: { ready: null, serving: null, terminating: null },
          nodeName: null,
          zone: null,
          hints: null,
        },
        {
          addresses: ["10.1.0.7"],
          conditions: { ready: false, serving: true, terminating: true },
          nodeName: "node-a",
          zone: "zone-1",
          targetRef: { kind: "Pod", name: "web-7" },
          hints: { forZones: [{ name: "zone-1" }], forNodes: [{ name: "node-a" }] },
        },
        {
          addresses: ["10.1.0.8"],
          targetRef: { kind: "VM", name: "x" },
          conditions: { ready: false },
        },
      ],
      {
        annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:01Z" },
      },
    ),
  );
  assert.deepEqual(problems, []);
  const ports = [{ name: "http", protocol: "TCP", port: 8080 }];
  const plain = { ports, ready: true, serving: true, terminating: false, weight: 1 };
  assert.deepEqual(slice, {
    name: "web-1",
    service: "default/web",
    family: 4,
    triggeredMs: Date.UTC(2026, 0, 1, 0, 0, 1),
    endpoints: [
      { address: "10.1.0.5", ...plain },
      { address: "10.1.0.6", ...plain },
      {
        address: "10.1.0.7",
        ports,
        ready: false,
        serving: true,
        terminating: true,
        weight: 1,
        nodeName: "node-a",
        podName: "web-7",
        zone: "zone-1",
        nodeHints: ["node-a"],
        zoneHints: ["zone-1"],
      },
      { address: "10.1.0.8", ...plain, ready: false },
    ],
  });
});

test("readSlice() ignores slices of no Service, headless ones and those with names", () => {
  const unlabelled = sampleSlice([]);
  const missing =
    "metadata.labels[kubernetes.io/service-name] is missing: the slice belongs to no Service";
  const ignored: readonly EndpointSlice[] = [
    { ...unlabelled, metadata: { name: "web-1", namespace: "default" } },
    sampleSlice([], { service: "" }),
    sampleSlice([], { labels: { "service.kubernetes.io/headless": "" } }),
    sampleSlice([sampleEndpoint("example.com")], { addressType: "FQDN" }),
  ];
  for (const [index, slice] of ignored.entries()) {
    // Headless ones and names are as they should be.
    const problems = index < 2 ? [missing] : [];
    assert.deepEqual(read(slice), { slice: undefined, problems });
  }
});

test("readSlice() skips endpoints and ports that it cannot use, and says so", () => {
  const { slice, problems } = read(
    sampleSlice(
      [
        sampleEndpoint("fd01::1"),
        sampleEndpoint("nonsense"),
        { addresses: [] },
        sampleEndpoint("::ffff:10.1.0.9"),
        sampleEndpoint("10.1.0.5"),
      ],
      {
        ports: [
          { port: 1 },
          { name: null, port: 2 },
          { name: "a" },
          { name: "b", port: 0 },
          { name: "c", port: 65_536 },
          { name: "d", protocol: null, port: 4 },
        ],
      },
    ),
  );
  assert.deepEqual(problems, [
    "ports[0].name is missing: the port is ignored",
    "ports[1].name is missing: the port is ignored",
    "ports[2].port is missing: the port is ignored",
    "ports[4].port is 65536: the port is ignored",
    'endpoints[0].addresses[0] is "fd01::1", expected an IPv4 address',
    'endpoints[1].addresses[0] is "nonsense", expected an IPv4 address',
    "endpoints[2].addresses[0] is undefined, expected an IPv4 address",
  ]);
  assert.deepEqual(
    slice?.endpoints.map(({ address, ports }) => [address, ports]),
    [
      ["10.1.0.9", [{ name: "d", protocol: "TCP", port: 4 }]],
      ["10.1.0.5", [{ name: "d", protocol: "TCP", port: 4 }]],
    ],
  );
  assert.deepEqual(read(sampleSlice([], { ports: null })).slice?.endpoints, []);
});

test("mergeSlices() and resolveEndpoints() match ports by name and protocol, never by number", () => {
  const slices = [
    sampleSlice([sampleEndpoint("10.1.0.1")], {
      name: "one",
      ports: [
        { name: "http", port: 8080 },
        { name: "dns", protocol: "UDP", port: 53 },
      ],
    }),
    sampleSlice([sampleEndpoint("10.1.0.2")], {
      name: "two",
      ports: [
        { name: "http", port: 9090 },
        { name: "http", protocol: "UDP", port: 9091 },
        { name: "other", port: 8080 },
      ],
    }),
  ];
  assert.deepEqual(merged(slices), ["10.1.0.1:8080 ready", "10.1.0.2:9090 ready"]);
  assert.deepEqual(merged(slices, { protocol: "UDP" }), ["10.1.0.2:9091 ready"]);
  assert.deepEqual(merged(slices, { portName: "dns", protocol: "UDP" }), ["10.1.0.1:53 ready"]);
  assert.deepEqual(merged(slices, { portName: "" }), []);
});

test("mergeSlices() keeps families apart", () => {
  const slices = [
    sampleSlice([sampleEndpoint("10.1.0.1")], { name: "four" }),
    sampleSlice([sampleEndpoint("fd01::1")], { name: "six", addressType: "IPv6" }),
  ];
  assert.deepEqual(merged(slices), ["10.1.0.1:8080 ready"]);
  assert.deepEqual(merged(slices, { family: 6 }), ["fd01::1:8080 ready"]);
});

const ready = { ready: true };
const notReady = { ready: false };
const gone = { ready: false, serving: false };
const draining = { ready: false, serving: true, terminating: true };

test("resolveEndpoints() takes one of two alike: a local one, then a usable one, in any order", () => {
  const rows = [
    [{ nodeName: "node-a" }, { nodeName: "node-b" }, "10.1.0.1:8080 local ready"],
    [{ nodeName: "node-a", conditions: notReady }, { conditions: ready }, "10.1.0.1:8080 local"],
    [{ conditions: notReady }, { conditions: ready }, "10.1.0.1:8080 ready"],
    [{ conditions: draining }, { conditions: ready }, "10.1.0.1:8080 ready"],
    [{ conditions: draining }, { conditions: gone }, "10.1.0.1:8080"],
    [{ conditions: notReady }, { conditions: gone }, "10.1.0.1:8080"],
  ] as const;
  for (const [left, right, expected] of rows) {
    const one = sampleSlice([sampleEndpoint("10.1.0.1", left)], { name: "one" });
    const two = sampleSlice([sampleEndpoint("10.1.0.1", right)], { name: "two" });
    assert.deepEqual(merged([one, two]), [expected]);
    assert.deepEqual(merged([two, one]), [expected]);
    assert.deepEqual(
      merged([
        { ...one, metadata: two.metadata },
        { ...two, metadata: one.metadata },
      ]),
      [expected],
    );
  }
});

test("resolveEndpoints() sorts by address text, then by port as a number", () => {
  const slices = [
    sampleSlice([sampleEndpoint("10.1.0.9"), sampleEndpoint("10.1.0.10")], {
      name: "one",
      ports: [{ name: "http", port: 8080 }],
    }),
    sampleSlice([sampleEndpoint("10.1.0.9")], {
      name: "two",
      ports: [{ name: "http", port: 900 }],
    }),
  ];
  assert.deepEqual(merged(slices), [
    "10.1.0.10:8080 ready",
    "10.1.0.9:900 ready",
    "10.1.0.9:8080 ready",
  ]);
});

test("mergeSlices() weighs endpoints and copies only those that weigh something else", () => {
  const { slice } = read(sampleSlice([sampleEndpoint("10.1.0.1"), sampleEndpoint("10.1.0.2")]));
  assert.ok(slice);
  const weights = new Map([["10.1.0.2", 5]]);
  const group = mergeSlices([slice], { id: "g", family: 4, weights });
  assert.deepEqual(
    group.endpoints.map(({ weight }) => weight),
    [1, 5],
  );
  assert.equal(group.endpoints[0], slice.endpoints[0]);
});
