import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { eventually } from "../../src/kernel/suite-operations.ts";
import { type AttachRequest, detachRequestOf } from "../../src/plugin-sdk/network-plugin.ts";
import { openPodLinkWorld, type PodLinkWorld } from "../../src/plugin-sdk/pod-link-world.ts";
import { createMacvlanPlugin, type MacvlanDetail } from "./plugin.ts";

const run = promisify(execFile);
const MACS = ["02:00:00:00:bb:01", "02:00:00:00:bb:02", "02:00:00:00:bb:03"];

/** Pods on one master. */
async function attachPods(w: PodLinkWorld, config: object): Promise<AttachRequest[]> {
  const requests: AttachRequest[] = [];
  for (const [index, mac] of MACS.entries()) {
    const plain = await w.pod(`p${index}`);
    const master = JSON.parse((requests[0] ?? plain).configJson).master;
    const request: AttachRequest = {
      ...plain,
      mac,
      configJson: JSON.stringify({ name: plain.network, master, ...config }),
      addresses: [
        { address: `10.1.0.${index + 1}/24`, gateway: "" },
        { address: `fd00:1::${index + 1}/64`, gateway: "" },
      ],
    };
    await w.plugin.attach(request);
    requests.push(request);
  }
  return requests;
}

async function ping(from: AttachRequest | undefined, address: string): Promise<boolean> {
  const args = ["ping", "-n", "-c", "1", "-W", "1", address];
  try {
    await run("nsenter", [`--net=${from?.netns}`, "--", ...args], { timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}

for (const [what, config, expected] of [
  ["bridge: pods reach each other", { mode: "bridge" }, { second: true, third: true }],
  ["private: they do not", { mode: "private" }, { second: false, third: false }],
  // Nobody outside sends back what vepa sends out.
  ["vepa: not without a switch that sends back", { mode: "vepa" }, { second: false, third: false }],
] as const) {
  test(`macvlan of mode ${what}`, { skip: privateNodeSkip }, async () => {
    await using w = await openPodLinkWorld<MacvlanDetail>(
      { name: "macvlan", create: createMacvlanPlugin, equip: equipMaster },
      await openKernel(),
    );
    const requests = await attachPods(w, config);
    for (const address of ["10.1.0.2", "fd00:1::2"]) {
      if (expected.second) await eventually(() => ping(requests[0], address));
      else assert.ok(!(await ping(requests[0], address)), address);
    }
    for (const request of requests) await w.plugin.detach(detachRequestOf(request));
  });
}

test("macvlan of mode source: a pod hears whom its network names", {
  skip: privateNodeSkip,
}, async () => {
  await using w = await openPodLinkWorld<MacvlanDetail>(
    { name: "macvlan", create: createMacvlanPlugin, equip: equipMaster },
    await openKernel(),
  );
  // The sender is outside, at the other end of the master's wire.
  const pod = await w.pod("p");
  const outside = "/run/netns/macvlan-outside" as NetnsPath;
  await w.kernel.createNetns(outside);
  try {
    const wire = `${w.device}p`;
    await w.kernel.apply([
      { operations: [{ kind: "set-link", name: wire, netns: outside, rename: "wire" }] },
      {
        netns: outside,
        operations: [
          { kind: "set-link", name: "wire", mac: MACS[0] ?? "", up: true },
          {
            kind: "add-address",
            link: "wire",
            address: { family: 4, value: 0x0a010009n, prefixLength: 24 },
          },
        ],
      },
    ]);
    const sender = { ...pod, netns: outside };
    for (const [sourceMacs, isHeard] of [
      [[MACS[0], MACS[2]], true],
      [[MACS[1]], false],
    ] as const) {
      const request: AttachRequest = {
        ...pod,
        configJson: JSON.stringify({ ...JSON.parse(pod.configJson), mode: "source", sourceMacs }),
      };
      await w.plugin.attach(request);
      if (isHeard) await eventually(() => ping(sender, "10.1.0.5"));
      else assert.ok(!(await ping(sender, "10.1.0.5")));
      await w.plugin.detach(detachRequestOf(request));
    }
  } finally {
    await w.kernel.deleteNetns(outside);
  }
});

async function equipMaster(kernel: PodLinkWorld["kernel"], name: string): Promise<object> {
  const peer = `${name}p`;
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name, link: { type: "veth", peer: { name: peer } } },
        { kind: "set-link", name, up: true, addrGenMode: 1 },
        { kind: "set-link", name: peer, up: true, addrGenMode: 1 },
      ],
    },
  ]);
  return { master: name };
}
