import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVICE_FRONTENDS_MAX, SERVICE_RANGE_PAIRS_MAX, SERVICE_RANGES_MAX } from "./bounds.ts";
import type { FrontendKind } from "./model.ts";
import type { Service } from "./objects.ts";
import { sampleService } from "./sample-objects.ts";
import { translateService } from "./translate.ts";

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function ports(count: number, nodePort?: number): NonNullable<Service["spec"]["ports"]> {
  return numbers(count).map((index) => ({
    name: `p${index}`,
    port: index + 1,
    ...(nodePort !== undefined && { nodePort: nodePort + index }),
  }));
}

function addresses(count: number, prefix = "198.18"): readonly string[] {
  return numbers(count).map((index) => `${prefix}.${index >> 8}.${index & 255}`);
}

/** How many frontends of each kind, and the addresses of those that have any. */
function countKinds(service: Service): {
  readonly kinds: Readonly<Partial<Record<FrontendKind, number>>>;
  readonly addresses: number;
  readonly problems: readonly string[];
} {
  const { frontends, problems } = translateService(service);
  const kinds: Partial<Record<FrontendKind, number>> = {};
  for (const { kind } of frontends) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return { kinds, addresses: new Set(frontends.map(({ address }) => address)).size, problems };
}

test("translateService() makes as many frontends as one Service may have, without complaint", () => {
  const service = sampleService({ ports: ports(64), externalIPs: addresses(63) });
  const { kinds, problems } = countKinds(service);
  assert.deepEqual(kinds, { clusterIP: 64, externalIP: SERVICE_FRONTENDS_MAX - 64 });
  assert.deepEqual(problems, []);
});

test("translateService() of 2,000 ports at 2,000 addresses serves the cluster IP and whole addresses", () => {
  const {
    kinds,
    addresses: served,
    problems,
  } = countKinds(sampleService({ ports: ports(2000), externalIPs: addresses(2000) }));
  assert.deepEqual(kinds, { clusterIP: 2000, externalIP: 2000 });
  assert.equal(served, 2);
  assert.deepEqual(problems, [
    "spec.ports: 2000 ports at all addresses make 4002000 frontends, at most 4096 may be: 4000 are served, cluster IPs first, then NodePorts, spec.externalIPs and status.loadBalancer.ingress",
  ]);
});

test("translateService() bounds both families together, NodePorts before external addresses", () => {
  const { kinds, problems } = countKinds(
    sampleService(
      {
        clusterIPs: ["10.96.0.10", "fd96::a"],
        ports: ports(1500, 30_000),
        externalIPs: ["198.18.0.1"],
      },
      { ingress: [{ ip: "203.0.113.1" }] },
    ),
  );
  // 4,096 less 3,000 leaves 548 ports a NodePort in each family, and nobody else anything.
  assert.deepEqual(kinds, { clusterIP: 3000, nodePort: 1096 });
  assert.match(
    problems[0] ?? "",
    /^spec\.ports: 1500 ports .* make 9000 frontends, .* 4096 are served/,
  );
});

test("translateService() bounds ports alone", () => {
  const { kinds } = countKinds(
    sampleService({ clusterIPs: ["10.96.0.10", "fd96::a"], ports: ports(10_000, 1) }),
  );
  assert.deepEqual(kinds, { clusterIP: SERVICE_FRONTENDS_MAX });
});

test("translateService() says first what is too much, behind whatever else is wrong", () => {
  const wrong = numbers(30).map((index) => `x${index}`);
  const { problems } = countKinds(
    sampleService({ ports: ports(100), externalIPs: [...wrong, ...addresses(100)] }),
  );
  assert.match(problems[0] ?? "", /^spec\.ports: 100 ports/);
});

test("translateService() counts the first source ranges, and lets nobody in by the others", () => {
  const ranges = addresses(SERVICE_RANGES_MAX + 1, "10.0").map((address) => `${address}/32`);
  const rangesOf = (service: Service) =>
    translateService(service).frontends.map(({ policy }) => policy.sourceRanges?.length);
  const one = sampleService(
    { loadBalancerSourceRanges: ranges },
    { ingress: [{ ip: "203.0.113.1" }] },
  );
  assert.deepEqual(rangesOf(one), [undefined, SERVICE_RANGES_MAX]);
  assert.deepEqual(translateService(one).problems, [
    "spec.loadBalancerSourceRanges has 1025 ranges for 1 frontends, at most 1024 of them count (1024, and 65536 in all): the others let nobody in",
  ]);
  const many = sampleService(
    { loadBalancerSourceRanges: ranges, ports: ports(128) },
    { ingress: [{ ip: "203.0.113.1" }] },
  );
  assert.equal(rangesOf(many)[1], SERVICE_RANGE_PAIRS_MAX / 128);
  const none = sampleService({ loadBalancerSourceRanges: ranges.slice(1) });
  assert.deepEqual(translateService(none).problems, []);
});

test("translateService() ignores addresses that nobody may take, and says which", () => {
  const { frontends, problems } = translateService(
    sampleService(
      {
        clusterIPs: ["127.0.0.1", "10.96.0.10"],
        externalIPs: ["0.0.0.0", "224.0.0.1", "::1", "198.51.100.1"],
      },
      { ingress: [{ ip: "169.254.1.1" }, { ip: "fe80::1" }, { ip: "255.255.255.255" }] },
    ),
  );
  assert.deepEqual(
    frontends.map(({ address }) => address),
    ["10.96.0.10", "198.51.100.1"],
  );
  assert.deepEqual(problems, [
    "spec.clusterIPs: 127.0.0.1 is a loopback address: it is ignored",
    "spec.externalIPs: 0.0.0.0 is unspecified: it is ignored",
    "spec.externalIPs: 224.0.0.1 is a multicast address: it is ignored",
    "spec.externalIPs: ::1 is a loopback address: it is ignored",
    "status.loadBalancer.ingress: 169.254.1.1 is a link-local address: it is ignored",
    "status.loadBalancer.ingress: fe80::1 is a link-local address: it is ignored",
    "status.loadBalancer.ingress: 255.255.255.255 is the broadcast address: it is ignored",
  ]);
});

test("translateService() serves nothing of a Service whose cluster IPs nobody may take", () => {
  const { frontends, problems } = translateService(
    sampleService({ clusterIPs: ["127.0.0.1"], externalIPs: ["198.51.100.1"] }),
  );
  assert.deepEqual(frontends, []);
  assert.deepEqual(problems, ["spec.clusterIPs: 127.0.0.1 is a loopback address: it is ignored"]);
});
