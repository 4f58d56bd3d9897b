import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { eventually } from "../../src/kernel/suite-operations.ts";
import { parsePrefix } from "../../src/ip/address.ts";
import {
  type AttachRequest,
  type AttachResponse,
  detachRequestOf,
  type Finding,
} from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest } from "../../src/plugin-sdk/sample-request.ts";

const run = promisify(execFile);

/** Two nodes on one wire, a pod on each. */
async function openTwoNodes(mtu: number) {
  const kernel = await openKernel();
  const prefix = `tn${process.pid % 10_000}`;
  const pathOf = (name: string) => `/run/netns/${prefix}${name}` as NetnsPath;
  const names = ["node1", "node2", "pod1", "pod2"];
  for (const name of names) await kernel.createNetns(pathOf(name));
  const [node1, node2] = [pathOf("node1"), pathOf("node2")];
  const peer = { name: "eth0", netns: node2, mtu };
  const link = { type: "veth", peer } as const;
  await kernel.apply([
    { netns: node1, operations: [{ kind: "add-link", name: "eth0", mtu, link }] },
    ...[node1, node2].map((netns, index) => ({
      netns,
      operations: [
        { kind: "set-link", name: "lo", up: true } as const,
        { kind: "set-link", name: "eth0", up: true } as const,
        ...[`192.0.2.${index + 1}/24`, `2001:db8::${index + 1}/64`].map(
          (text) => ({ kind: "add-address", link: "eth0", address: parsePrefix(text) }) as const,
        ),
      ],
    })),
  ]);
  const inNetns = async (name: string, args: readonly string[]): Promise<string> => {
    const [file = "", ...rest] = args;
    const enter = [`--net=${pathOf(name)}`, "--", file, ...rest];
    return (await run("nsenter", enter, { timeout: 60_000 })).stdout;
  };
  return {
    kernel,
    pathOf,
    inNetns,
    /** Calls of the plugin on a node; a process of its own each time. */
    async call<Answers>(
      node: string,
      calls: readonly (readonly [string, unknown])[],
    ): Promise<Answers> {
      const file = join(import.meta.dirname, "node-process.ts");
      const text = await inNetns(node, [process.execPath, file, JSON.stringify(calls)]);
      return JSON.parse(text) as Answers;
    },
    async ping(from: string, to: string, args: readonly string[] = []): Promise<boolean> {
      try {
        await inNetns(from, ["ping", "-n", "-c", "1", "-W", "2", ...args, to]);
        return true;
      } catch {
        return false;
      }
    },
    async [Symbol.asyncDispose]() {
      for (const name of names) await kernel.deleteNetns(pathOf(name));
      await kernel.close();
    },
  };
}

const FAMILIES = [
  ["IPv4", ["192.0.2.1", "192.0.2.2"], 1450],
  ["IPv6", ["2001:db8::1", "2001:db8::2"], 1430],
] as const;

for (const [family, peers, mtu] of FAMILIES) {
  test(`vxlan: pods on two nodes reach each other over ${family}, with full packets`, {
    skip: privateNodeSkip,
  }, async () => {
    await using lab = await openTwoNodes(1500);
    const requestOf = (index: number, change: object = {}): AttachRequest =>
      attachRequest({
        attachmentId: `pod${index}`,
        netns: lab.pathOf(`pod${index}`),
        configJson: JSON.stringify({ name: "net", vni: 42, parent: "eth0", peers, ...change }),
        addresses: [
          { address: `10.9.0.${index}/24`, gateway: "" },
          { address: `fd00:9::${index}/64`, gateway: "" },
        ],
      });
    for (const index of [1, 2]) {
      const [answer] = await lab.call<AttachResponse[]>(`node${index}`, [
        ["attach", requestOf(index)],
      ]);
      assert.equal(answer?.interfaces.at(-1)?.mtu, mtu);
    }
    // The first frame waits for nothing: a link that has just come up may still lose it.
    await eventually(() => lab.ping("pod1", "10.9.0.2"));
    await eventually(() => lab.ping("pod2", "fd00:9::1"));
    const whole = (ipBytes: number) => ["-M", "do", "-s", String(mtu - ipBytes - 8)];
    assert.ok(await lab.ping("pod1", "10.9.0.2", whole(20)), "IPv4, MTU");
    assert.ok(await lab.ping("pod2", "fd00:9::1", whole(40)), "IPv6, MTU");
    const tooLong = ["-M", "do", "-s", String(mtu - 28 + 1)];
    assert.ok(!(await lab.ping("pod1", "10.9.0.2", tooLong)), "one byte more");

    // A peer that leaves the list is not reached any more, and one that comes back is.
    const order = (index: number, change: object) => {
      const attachment = requestOf(index, change);
      const { network, configJson } = attachment;
      return ["repairNetwork", { network, configJson, attachments: [attachment] }] as const;
    };
    // On both: a frame that comes teaches the way back.
    for (const index of [1, 2]) {
      const alone = { peers: [peers[index - 1]] };
      const [gone] = await lab.call<Finding[][]>(`node${index}`, [order(index, alone)]);
      assert.deepEqual(
        gone?.map(({ kind, repaired }) => [kind, repaired]),
        [["peer-extra", true]],
      );
    }
    for (const index of [1, 2]) {
      await lab.inNetns(`pod${index}`, ["ip", "neigh", "flush", "all"]);
      // What the link has learnt by itself stands until it is old: forget it.
      await lab.inNetns(`node${index}`, ["ip", "link", "set", "vxlan42", "down"]);
    }
    for (const index of [1, 2]) {
      await lab.inNetns(`node${index}`, ["ip", "link", "set", "vxlan42", "up"]);
    }
    assert.ok(!(await lab.ping("pod1", "10.9.0.2")), "without its peer");
    for (const index of [1, 2]) await lab.call(`node${index}`, [order(index, {})]);
    await eventually(() => lab.ping("pod1", "10.9.0.2"));

    for (const index of [1, 2]) {
      await lab.call(`node${index}`, [["detach", detachRequestOf(requestOf(index))]]);
      assert.equal(await lab.kernel.findLink("eth0", lab.pathOf(`pod${index}`)), undefined);
    }
  });
}

test("vxlan: each node is its pods' gateway, and nobody asks the other for it", {
  skip: privateNodeSkip,
}, async () => {
  await using lab = await openTwoNodes(1500);
  const [peers, isGateway] = [["192.0.2.1", "192.0.2.2"], true];
  const gateways: (string | undefined)[] = [];
  for (const index of [1, 2]) {
    const request = attachRequest({
      attachmentId: `pod${index}`,
      netns: lab.pathOf(`pod${index}`),
      configJson: JSON.stringify({ name: "net", vni: 42, parent: "eth0", peers, isGateway }),
      addresses: [
        { address: `10.9.0.${index + 10}/24`, gateway: "10.9.0.1" },
        { address: `fd00:9::${index + 10}/64`, gateway: "fd00:9::1" },
      ],
    });
    const [answer] = await lab.call<AttachResponse[]>(`node${index}`, [["attach", request]]);
    gateways.push(answer?.interfaces[0]?.mac);
  }
  assert.notEqual(gateways[0], gateways[1]);
  for (const index of [1, 2]) {
    for (const gateway of ["10.9.0.1", "fd00:9::1"]) {
      await eventually(() => lab.ping(`pod${index}`, gateway));
      const known = await lab.inNetns(`pod${index}`, ["ip", "neigh", "show", gateway]);
      assert.match(known, new RegExp(String(gateways[index - 1])));
    }
    // By its gateway to the node's own address, which is no neighbour's.
    await eventually(() => lab.ping(`pod${index}`, `192.0.2.${index}`));
  }
  await eventually(() => lab.ping("pod1", "10.9.0.12"));
});
