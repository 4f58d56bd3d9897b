import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import { FakeNftables } from "../kernel/fake-nftables.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { errno } from "../kernel/errno.ts";
import { masqueradeTableName, removeMasquerade } from "./masquerade.ts";
import type { IpPrefix } from "../ip/address.ts";
import type { KernelOperation } from "../kernel/kernel.ts";
import type { AttachRequest, Finding } from "./network-plugin.ts";
import { NodePreparation, type PreparationPlan } from "./node-preparation.ts";
import { attachRequest } from "./sample-request.ts";

/** Counts how often the node is prepared. */
function makePlan(): PreparationPlan & { times: number } {
  const plan = {
    times: 0,
    bridge: "br0",
    batches: () => {
      plan.times++;
      return [];
    },
  };
  return plan;
}

function withGateways(...addresses: [address: string, gateway: string][]): AttachRequest {
  return attachRequest({
    addresses: addresses.map(([address, gateway]) => ({ address, gateway })),
  });
}

const A4: [string, string] = ["10.1.0.5/24", "10.1.0.1"];
const B4: [string, string] = ["10.2.0.5/24", "10.2.0.1"];
const A6: [string, string] = ["fd00:1::5/64", "fd00:1::1"];

const STEPS: readonly [request: AttachRequest, times: number][] = [
  [withGateways(A4), 1],
  [withGateways(A4), 1],
  [withGateways(["10.1.0.6/24", "10.1.0.1"]), 1],
  [withGateways(B4), 2],
  [withGateways(A4, A6), 3],
  [withGateways(B4, A6), 3],
  [withGateways(A4), 3],
  [withGateways(["10.3.0.0/31", ""]), 4],
  [withGateways(["10.3.0.1/31", ""]), 4],
  [withGateways(["fd00::/127", ""]), 5],
  [withGateways(["10.1.0.5/25", "10.1.0.1"]), 6],
  [{ ...withGateways(A4), network: "other" }, 7],
  [{ ...withGateways(A4), configJson: '{"name":"net","mtu":1}' }, 8],
  [{ ...withGateways(A4), configJson: '{"name":"net","mtu":1}' }, 8],
  [withGateways(A4), 9],
  [attachRequest({ addresses: [] }), 10],
  [attachRequest({ addresses: [] }), 10],
];

test("ensure() prepares once for each configuration and gateway", async () => {
  const preparation = new NodePreparation({
    kernel: new FakeKernel(),
    nftables: new FakeNftables(),
  });
  const plan = makePlan();
  for (const [index, [request, times]] of STEPS.entries()) {
    await preparation.ensure(request, plan);
    assert.equal(plan.times, times, `step ${index}`);
  }
});

test("ensure() called at once by many prepares once", async () => {
  const preparation = new NodePreparation({
    kernel: new FakeKernel(),
    nftables: new FakeNftables(),
  });
  const plan = makePlan();
  const request = withGateways(A4, A6);
  const mtus = await Promise.all(
    Array.from({ length: 50 }, () => preparation.ensure(request, plan)),
  );
  assert.equal(plan.times, 1);
  assert.deepEqual([...new Set(mtus)], [1500]);
});

test("a failure is told to all who wait, kept for status(), and tried again", async () => {
  let isBroken = true;
  const kernel = new FakeKernel({
    failOperation: () => (isBroken ? errno.ENOMEM : undefined),
  });
  const preparation = new NodePreparation({ kernel, nftables: new FakeNftables() });
  const plan: PreparationPlan = {
    bridge: "br0",
    batches: () => [
      { operations: [{ kind: "set-sysctl", path: ["net", "ipv4", "ip_forward"], value: "1" }] },
    ],
  };
  const request = withGateways(A4);
  const both = await Promise.allSettled([
    preparation.ensure(request, plan),
    preparation.ensure(request, plan),
  ]);
  assert.deepEqual(
    both.map((result) => result.status),
    ["rejected", "rejected"],
  );
  const { ready, reason } = preparation.status(request);
  assert.equal(ready, false);
  assert.match(reason, /ENOMEM/);
  isBroken = false;
  await preparation.ensure(request, plan).catch(() => {});
  await preparation.ensure(request, plan);
  assert.deepEqual(preparation.status(request), { ready: true, reason: "" });
});

test("forget() makes the next ensure() prepare anew", async () => {
  const preparation = new NodePreparation({
    kernel: new FakeKernel(),
    nftables: new FakeNftables(),
  });
  const plan = makePlan();
  await preparation.ensure(withGateways(A4), plan);
  preparation.forget("other");
  await preparation.ensure(withGateways(A4), plan);
  assert.equal(plan.times, 1);
  preparation.forget("net");
  await preparation.ensure(withGateways(A4), plan);
  assert.equal(plan.times, 2);
});

test("a node without nft serves networks that do not masquerade, and only those", async () => {
  const nftables = new FakeNftables();
  nftables.load = async () => {
    throw new KernelError({ errno: 2, code: "ENOENT", operation: "run-nft", object: "ruleset" });
  };
  const preparation = new NodePreparation({ kernel: new FakeKernel(), nftables });
  await preparation.ensure(withGateways(A4), makePlan());
  const wishing = {
    ...withGateways(A4),
    network: "other",
    masquerade: { subnets: ["10.1.0.0/24"] },
  };
  await assert.rejects(preparation.ensure(wishing, makePlan()), /Cannot prepare the node/);
  assert.match(preparation.status(wishing).reason, /run-nft/);
});

test("a failure says nothing about another configuration", async () => {
  const nftables = new FakeNftables();
  nftables.load = async () => {
    throw new KernelError({ errno: 2, code: "ENOENT", operation: "run-nft", object: "ruleset" });
  };
  const preparation = new NodePreparation({ kernel: new FakeKernel(), nftables });
  const broken = { ...withGateways(A4), masquerade: { subnets: ["10.1.0.0/24"] } };
  await assert.rejects(preparation.ensure(broken, makePlan()), /Cannot prepare the node/);
  assert.equal(preparation.status(broken).ready, false);
  const mended = { ...broken, configJson: '{"name":"net","ipMasq":false}', masquerade: null };
  assert.equal(preparation.status(mended).ready, true);
  assert.equal(preparation.status(broken).ready, false);
});

test("repair() makes again what is gone, and loads no table that is there", async () => {
  const nftables = new FakeNftables();
  const preparation = new NodePreparation({ kernel: new FakeKernel(), nftables });
  const plan = makePlan();
  const request = { ...withGateways(A4), masquerade: { subnets: ["10.1.0.0/24"] } };
  assert.deepEqual(await preparation.repair("net"), []);
  await preparation.ensure(request, plan);
  const table = `inet ${masqueradeTableName("net")}`;
  const loaded = await nftables.list(table);
  assert.ok(loaded);
  let loads = 0;
  const load = nftables.load.bind(nftables);
  nftables.load = (ruleset) => {
    loads++;
    return load(ruleset);
  };
  assert.deepEqual(kindsOf(await preparation.repair("net")), ["link-missing br0"]);
  assert.equal(loads, 0);
  await load(removeMasquerade("net"));
  const missing = ["link-missing br0", `masquerade-missing table ${table}`];
  assert.deepEqual(kindsOf(await preparation.check(request, plan)), missing);
  assert.deepEqual(kindsOf(await preparation.repair("net")), missing);
  assert.equal(await nftables.list(table), loaded);
  assert.equal(loads, 1);
});

test("repair() of a new process looks after what was adopted; ensure() prepares all the same", async () => {
  const kernel = new FakeKernel();
  const nftables = new FakeNftables();
  const preparation = new NodePreparation({ kernel, nftables });
  const plan = makeBridgePlan();
  const request = { ...withGateways(A4), masquerade: { subnets: ["10.1.0.0/24"] } };
  const older = { ...request, configJson: '{"name":"net","mtu":1}', masquerade: null };
  for (let round = 0; round < 2; round++) {
    preparation.adopt(request, plan);
    preparation.adopt(older, plan);
  }
  const table = `inet ${masqueradeTableName("net")}`;
  assert.deepEqual(kindsOf(await preparation.repair("net")), [
    "link-missing br0",
    `masquerade-missing table ${table}`,
  ]);
  assert.ok(await nftables.list(table));
  assert.deepEqual(await preparation.repair("net"), []);
  await kernel.apply([
    {
      operations: [{ kind: "delete-address", link: "br0", address: GATEWAY }],
    },
  ]);
  assert.deepEqual(kindsOf(await preparation.repair("net")), ["address-missing br0"]);
  const wider = withGateways(["10.1.0.5/23", "10.1.0.1"]);
  const widerPlan = makeBridgePlan({ ...GATEWAY, prefixLength: 23 });
  assert.deepEqual(await preparation.check(wider, widerPlan), []);
  assert.deepEqual(await preparation.check(request, plan), []);
  await nftables.load(removeMasquerade("net"));
  await preparation.ensure(request, plan);
  assert.ok(await nftables.list(table));
});

test("check() does not ask for the masquerade of an older configuration", async () => {
  const preparation = new NodePreparation({
    kernel: new FakeKernel(),
    nftables: new FakeNftables(),
  });
  const plan = makeBridgePlan();
  const older = { ...withGateways(A4), masquerade: { subnets: ["10.1.0.0/24"] } };
  await preparation.ensure(older, plan);
  assert.deepEqual(await preparation.check(older, plan), []);
  const newer = { ...older, configJson: '{"name":"net","ipMasq":false}', masquerade: null };
  await preparation.ensure(newer, plan);
  assert.deepEqual(await preparation.check(older, plan), []);
});

const GATEWAY = { family: 4, value: 0x0a010001n, prefixLength: 24 } as const;

/** A bridge with one gateway. */
function makeBridgePlan(address: IpPrefix = GATEWAY): PreparationPlan {
  const operations: readonly KernelOperation[] = [
    { kind: "add-link", name: "br0", link: { type: "bridge" }, ifExists: "keep" },
    { kind: "set-link", name: "br0", up: true },
    { kind: "add-address", link: "br0", address, ifExists: "keep" },
  ];
  return { bridge: "br0", batches: () => [{ operations }] };
}

function kindsOf(findings: readonly Finding[]): string[] {
  return findings.map(({ kind, object }) => `${kind} ${object}`);
}
