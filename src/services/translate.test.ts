import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix } from "../ip/address.ts";
import type { Service } from "./objects.ts";
import { sampleService } from "./sample-objects.ts";
import { translateService } from "./translate.ts";

/** "kind family address protocol port name" of each frontend. */
function frontendsOf(service: Service): readonly string[] {
  return translateService(service).frontends.map(
    ({ kind, family, address, protocol, port, portName }) =>
      `${kind} ${family} ${address ?? "-"} ${protocol} ${port} ${portName}`,
  );
}

function problemsOf(service: Service): readonly string[] {
  return translateService(service).problems;
}

test("translateService() makes a frontend of every way in, families apart", () => {
  const service = sampleService(
    {
      type: "LoadBalancer",
      clusterIPs: ["10.96.0.10", "FD96::000a"],
      externalIPs: ["198.51.100.001", "2001:db8::2"],
      ports: [
        { name: "http", port: 80, nodePort: 30_080 },
        { name: "dns", protocol: "UDP", port: 53 },
      ],
    },
    {
      ingress: [
        { ip: "203.0.113.1" },
        { ip: "203.0.113.2", ipMode: "VIP" },
        { ip: "203.0.113.3", ipMode: "Proxy" },
        { hostname: "lb.example.com" },
        { ip: "2001:db8::3" },
      ],
    },
  );
  assert.deepEqual(frontendsOf(service), [
    "clusterIP 4 10.96.0.10 TCP 80 http",
    "nodePort 4 - TCP 30080 http",
    "externalIP 4 198.51.100.1 TCP 80 http",
    "loadBalancer 4 203.0.113.1 TCP 80 http",
    "loadBalancer 4 203.0.113.2 TCP 80 http",
    "clusterIP 4 10.96.0.10 UDP 53 dns",
    "externalIP 4 198.51.100.1 UDP 53 dns",
    "loadBalancer 4 203.0.113.1 UDP 53 dns",
    "loadBalancer 4 203.0.113.2 UDP 53 dns",
    "clusterIP 6 fd96::a TCP 80 http",
    "nodePort 6 - TCP 30080 http",
    "externalIP 6 2001:db8::2 TCP 80 http",
    "loadBalancer 6 2001:db8::3 TCP 80 http",
    "clusterIP 6 fd96::a UDP 53 dns",
    "externalIP 6 2001:db8::2 UDP 53 dns",
    "loadBalancer 6 2001:db8::3 UDP 53 dns",
  ]);
  const ids = translateService(service).frontends.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids[0], "default/web/http/clusterIP/10.96.0.10");
});

test("translateService() leaves out the family without a cluster IP", () => {
  const service = sampleService(
    { externalIPs: ["2001:db8::2"], ports: [{ port: 80, nodePort: 30_080 }] },
    { ingress: [{ ip: "2001:db8::3" }] },
  );
  assert.deepEqual(frontendsOf(service), [
    "clusterIP 4 10.96.0.10 TCP 80 ",
    "nodePort 4 - TCP 30080 ",
  ]);
});

const IGNORED: readonly [why: string, service: Service][] = [
  ["ExternalName", sampleService({ type: "ExternalName" })],
  ["headless", sampleService({ clusterIP: "None", clusterIPs: ["None"] })],
  ["headless by clusterIPs", sampleService({ clusterIPs: ["None"] })],
  ["headless label", sampleService({}, { labels: { "service.kubernetes.io/headless": "" } })],
  [
    "another proxy's",
    sampleService({}, { labels: { "service.kubernetes.io/service-proxy-name": "other" } }),
  ],
];

test("translateService() ignores Services that are not for us, without complaint", () => {
  for (const [why, service] of IGNORED) {
    const { frontends, problems, unserved } = translateService(service);
    assert.deepEqual([frontends, problems], [[], []], why);
    assert.match(unserved ?? "", /^it(?:s label| is) /, why);
  }
  const ours = { "service.kubernetes.io/service-proxy-name": "patchbay" };
  assert.equal(frontendsOf(sampleService({}, { labels: ours })).length, 1);
});

test("translateService() reads clusterIPs and never clusterIP", () => {
  const { clusterIPs: _, ...spec } = sampleService({ clusterIP: "10.96.0.10" }).spec;
  const service: Service = { ...sampleService(), spec };
  assert.deepEqual(translateService(service), {
    frontends: [],
    problems: ["spec.clusterIPs is empty: the Service is not served"],
  });
});

test("translateService() reads policies, affinity and the wishes of annotations", () => {
  const plain = translateService(sampleService()).frontends[0];
  assert.deepEqual(plain?.policy, {
    internalTrafficPolicy: "Cluster",
    externalTrafficPolicy: "Cluster",
    pick: "random",
    topologyKeys: [],
    countConnections: false,
    closeTcpFlows: false,
  });
  assert.equal(plain.createdMs, 0);
  const service = sampleService(
    { internalTrafficPolicy: "Local", sessionAffinity: "ClientIP" },
    {
      annotations: { "services.patchbay.dev/topology-keys": "rack" },
      created: "2026-01-01T00:00:00Z",
    },
  );
  const asked = translateService(service).frontends[0];
  assert.equal(asked?.policy.internalTrafficPolicy, "Local");
  assert.equal(asked.policy.affinitySeconds, 10_800);
  assert.deepEqual(asked.policy.topologyKeys, ["rack"]);
  assert.equal(asked.createdMs, Date.UTC(2026, 0, 1));
});

test("translateService() ignores topology keys where external traffic policy is Local", () => {
  const service = sampleService(
    { type: "NodePort", externalTrafficPolicy: "Local" },
    { annotations: { "services.patchbay.dev/topology-keys": "rack" } },
  );
  assert.deepEqual(translateService(service).frontends[0]?.policy.topologyKeys, []);
  assert.deepEqual(problemsOf(service), [
    "metadata.annotations[services.patchbay.dev/topology-keys] is ignored: spec.externalTrafficPolicy is Local",
  ]);
});

test("translateService() gives source ranges to load-balancer frontends, each family its own", () => {
  const service = sampleService(
    {
      clusterIPs: ["10.96.0.10", "fd96::a"],
      loadBalancerSourceRanges: [" 192.0.2.0/24", "010.0.0.1/8 ", "nonsense"],
    },
    { ingress: [{ ip: "203.0.113.1" }, { ip: "2001:db8::3" }] },
  );
  const { frontends, problems } = translateService(service);
  const ranges = frontends.map(({ kind, policy }) => [
    kind,
    policy.sourceRanges?.map((range) => formatPrefix(range)),
  ]);
  assert.deepEqual(ranges, [
    ["clusterIP", undefined],
    ["loadBalancer", ["192.0.2.0/24", "10.0.0.0/8"]],
    ["clusterIP", undefined],
    // Somebody restricted who may come: that is no leave for the other family.
    ["loadBalancer", []],
  ]);
  assert.deepEqual(problems, ['spec.loadBalancerSourceRanges: "nonsense" is no CIDR']);
});

const WRONG: readonly [service: Service, problem: string, frontends: number][] = [
  [
    sampleService({ clusterIPs: ["10.96.0.300"] }),
    'spec.clusterIPs: "10.96.0.300" is no IP address',
    0,
  ],
  [sampleService({ externalIPs: ["x"] }), 'spec.externalIPs: "x" is no IP address', 1],
  [
    sampleService({}, { ingress: [{ ip: "lb" }] }),
    'status.loadBalancer.ingress: "lb" is no IP address',
    1,
  ],
  [sampleService({ ports: [{ port: 0 }] }), "spec.ports[0].port is 0, expected 1 to 65535", 0],
  [
    sampleService({ ports: [{ port: 80, nodePort: 70_000 }] }),
    "spec.ports[0].nodePort is 70000, expected 1 to 65535",
    1,
  ],
  [
    sampleService({
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } },
    }),
    "spec.sessionAffinityConfig.clientIP.timeoutSeconds is 86401, expected 1 to 86400: 10800 it is",
    1,
  ],
  [
    sampleService({ externalTrafficPolicy: "Local", healthCheckNodePort: 65_536 }),
    "spec.healthCheckNodePort is 65536, expected 1 to 65535",
    1,
  ],
];

test("translateService() says what it cannot use, and uses the rest", () => {
  for (const [service, problem, frontends] of WRONG) {
    assert.deepEqual(problemsOf(service), [problem]);
    assert.equal(frontendsOf(service).length, frontends, problem);
  }
});

test("translateService() wants health checks only with external traffic policy Local", () => {
  const local = sampleService({ externalTrafficPolicy: "Local", healthCheckNodePort: 32_000 });
  assert.equal(translateService(local).healthCheckPort, 32_000);
  const cluster = sampleService({ externalTrafficPolicy: "Cluster", healthCheckNodePort: 32_000 });
  assert.equal(translateService(cluster).healthCheckPort, undefined);
});
