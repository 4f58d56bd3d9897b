import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parsePrefix } from "../ip/address.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { NetnsPath } from "../kernel/kernel.ts";
import { lookAtNode, lookAtPod, lookForTraces } from "./kernel-look.ts";

const netns = "/run/netns/p" as NetnsPath;
const pod = { netns, ifname: "eth0" };

async function kernelWithPod(): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  await kernel.createNetns(netns);
  const peer = { name: "eth0", netns, mac: "02:00:00:00:00:05" };
  await kernel.apply([
    { operations: [{ kind: "add-link", name: "host0", link: { type: "veth", peer } }] },
    { operations: [{ kind: "set-link", name: "host0", up: true }] },
    {
      netns,
      operations: [
        { kind: "set-link", name: "eth0", up: true },
        { kind: "add-address", link: "eth0", address: parsePrefix("10.0.0.5/24") },
        { kind: "add-address", link: "eth0", address: parsePrefix("fd00::5/64") },
        {
          kind: "add-route",
          destination: parsePrefix("0.0.0.0/0"),
          gateway: parseAddress("10.0.0.1"),
          link: "eth0",
        },
      ],
    },
  ]);
  return kernel;
}

test("lookAtPod() shows an interface without what the kernel adds by itself", async () => {
  const found = await lookAtPod(await kernelWithPod(), pod);
  assert.deepEqual(found?.addresses, ["10.0.0.5/24", "fd00::5/64"]);
  assert.deepEqual(found?.routes, ["0.0.0.0/0 via 10.0.0.1", "10.0.0.0/24", "fd00::/64"]);
  const { name, mac, up } = found.link;
  assert.deepEqual({ name, mac, up }, { name: "eth0", mac: "02:00:00:00:00:05", up: true });
});

test("lookAtPod() finds nothing where there is no interface or no namespace", async () => {
  const kernel = await kernelWithPod();
  assert.equal(await lookAtPod(kernel, { netns, ifname: "eth1" }), undefined);
  assert.equal(await lookAtPod(kernel, { netns: "/run/netns/q", ifname: "eth0" }), undefined);
});

test("lookForTraces() names new links, and routes to pods that are gone, but no others", async () => {
  const kernel = await kernelWithPod();
  const before = await lookAtNode(kernel);
  const gone = [{ addresses: [{ address: "10.0.0.5/24", gateway: "" }] }];
  assert.deepEqual(await lookForTraces(kernel, before, gone), []);
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name: "br0", link: { type: "bridge" } },
        { kind: "add-route", destination: parsePrefix("10.0.0.5/32"), link: "host0" },
        { kind: "add-route", destination: parsePrefix("10.0.0.6/32"), link: "host0" },
      ],
    },
  ]);
  const traces = await lookForTraces(kernel, before, gone);
  assert.match(traces[0] ?? "", /^link br0 \(link \d+\)$/);
  assert.deepEqual(traces.slice(1), ["route 10.0.0.5/32"]);
});
