import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrefix } from "../ip/address.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { KernelOperation, NetnsPath } from "../kernel/kernel.ts";
import { findUplink } from "./uplink.ts";

function route(link: string, destination: string, more: object = {}): KernelOperation {
  return { kind: "add-route", link, destination: parsePrefix(destination), ...more };
}

async function openNode(...operations: KernelOperation[]): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  const up = ["eth0", "eth1", "eth2"].flatMap((name): KernelOperation[] => {
    kernel.plugIn({ name, mac: "52:54:00:00:00:01", mtu: 1500 });
    return [{ kind: "set-link", name, up: true }];
  });
  await kernel.apply([{ operations: [...up, ...operations] }]);
  return kernel;
}

test("findUplink() has none where there is no default route in the main table", async () => {
  const kernel = await openNode(
    route("eth0", "10.0.0.0/8"),
    route("eth1", "0.0.0.0/0", { table: 100 }),
  );
  assert.equal(await findUplink(kernel), undefined);
});

test("findUplink() has the lowest metric, and IPv4 before IPv6", async () => {
  const kernel = await openNode(
    route("eth0", "0.0.0.0/0", { metric: 200 }),
    route("eth1", "0.0.0.0/0", { metric: 100 }),
    route("eth2", "::/0", { metric: 1 }),
  );
  assert.equal((await findUplink(kernel))?.name, "eth1");
  assert.equal((await findUplink(kernel, { family: 6 }))?.name, "eth2");
});

test("findUplink() of a pod", async () => {
  const kernel = await openNode(route("eth0", "0.0.0.0/0"));
  const netns = "/run/netns/c1" as NetnsPath;
  await kernel.createNetns(netns);
  assert.equal(await findUplink(kernel, { netns }), undefined);
  const operations: KernelOperation[] = [{ kind: "set-link", name: "eth1", netns, rename: "net1" }];
  await kernel.apply([{ operations }]);
  const up: KernelOperation = { kind: "set-link", name: "net1", up: true };
  await kernel.apply([{ netns, operations: [up, route("net1", "::/0")] }]);
  assert.equal((await findUplink(kernel, { netns }))?.name, "net1");
});
