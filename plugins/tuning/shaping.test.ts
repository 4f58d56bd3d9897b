/** Packets through limited links: what passes is what the token bucket lets pass. Counted, not timed. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { KernelOperation, NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel, type RtnetlinkKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { parsePrefix } from "../../src/ip/address.ts";
import {
  type AttachRequest,
  detachRequestOf,
  type NetworkPlugin,
} from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest, hostOf } from "../../src/plugin-sdk/sample-request.ts";
import { createRoutedPlugin } from "../routed/plugin.ts";
import { planBucket } from "./bucket.ts";
import { ifbNameOf } from "./plan.ts";
import { withTuning } from "./plugin.ts";

const execute = promisify(execFile);
const PACKETS = 400;
const PACKET_BYTES = 1000;
/** 10 kB each second: what is offered would take forty. */
const RATE_BITS = 80_000;
const HEADER_BYTES = 14 + 20 + 8;
const BUCKET = planBucket({ rateBits: RATE_BITS, burstBits: 0, mtu: 1500 });
const SEND = `
  const socket = require("node:dgram").createSocket("udp4");
  let left = ${PACKETS};
  const send = () => {
    if (left-- === 0) return socket.close();
    socket.send(Buffer.alloc(${PACKET_BYTES}), 9, process.argv[1], send);
  };
  send();
`;

describe("rates", { skip: privateNodeSkip }, () => {
  let kernel: RtnetlinkKernel;
  const namespaces: NetnsPath[] = [];

  before(async () => {
    kernel = await openKernel();
  });
  after(async () => {
    for (const netns of namespaces) await kernel.deleteNetns(netns);
    await kernel.close();
  });

  async function makePod(name: string): Promise<NetnsPath> {
    const netns = `/run/netns/pbshape${process.pid}-${name}` as NetnsPath;
    await kernel.createNetns(netns);
    namespaces.push(netns);
    return netns;
  }

  function orderFor(netns: NetnsPath, address: string, config: object): AttachRequest {
    return attachRequest({
      attachmentId: `shape-${process.pid}-${address}`,
      network: "shape",
      netns,
      configJson: JSON.stringify({ name: "shape", ...config }),
      addresses: [{ address: `${address}/24`, gateway: "10.97.0.1" }],
    });
  }

  test("to a pod by veth: the unlimited one hears all, the limited one what the bucket holds", async () => {
    const plugin = withTuning(createRoutedPlugin({ kernel, nftables: new FakeNftables() }), {
      kernel,
    });
    const free = orderFor(await makePod("free"), "10.97.0.5", {});
    const limited = orderFor(await makePod("limited"), "10.97.0.6", {
      bandwidth: { ingressRate: RATE_BITS },
    });
    for (const order of [free, limited]) await plugin.attach(order);
    await flood("10.97.0.5");
    const start = performance.now();
    await flood("10.97.0.6");
    const passed = await receivedBytes("eth0", limited.netns);
    assertPassed(passed, performance.now() - start);
    assert.ok((await receivedBytes("eth0", free.netns)) > 0.8 * PACKETS * PACKET_BYTES);
    assert.ok(passed < (await receivedBytes("eth0", free.netns)) / 2, `${passed} bytes`);
    await assertBusy(hostOf(limited));
    for (const order of [free, limited]) await plugin.detach(detachRequestOf(order));
  });

  test("from a pod by veth: the ifb on the node holds it, and it arrives where it was going", async () => {
    const plugin = withTuning(createRoutedPlugin({ kernel, nftables: new FakeNftables() }), {
      kernel,
    });
    const sender = orderFor(await makePod("sender"), "10.97.0.7", {
      bandwidth: { egressRate: RATE_BITS },
    });
    const receiver = orderFor(await makePod("receiver"), "10.97.0.8", {});
    for (const order of [sender, receiver]) await plugin.attach(order);
    const start = performance.now();
    await flood("10.97.0.8", sender.netns);
    const passed = await receivedBytes("eth0", receiver.netns);
    assertPassed(passed, performance.now() - start);
    assert.ok(passed > PACKET_BYTES, "nothing arrived behind the ifb");
    const offered = await receivedBytes(hostOf(sender));
    assert.ok(offered > 0.8 * PACKETS * PACKET_BYTES, `${offered} bytes left the pod`);
    await assertBusy(ifbNameOf(sender.attachmentId));
    for (const order of [sender, receiver]) await plugin.detach(detachRequestOf(order));
  });

  test("a pod without an end on the node is limited at its own interface, both ways", async () => {
    const pod = await makePod("macvlan");
    const peer = await makePod("peer");
    const parent = `ps${process.pid}`;
    await kernel.apply([
      {
        operations: [
          {
            kind: "add-link",
            name: parent,
            link: { type: "veth", peer: { name: "eth0", netns: peer } },
          },
          { kind: "set-link", name: parent, up: true, addrGenMode: 1 },
        ],
      },
      { netns: peer, operations: upWith("10.98.0.2/24") },
    ]);
    const plugin = withTuning(macvlanPlugin(parent), { kernel });
    const order = orderFor(pod, "10.98.0.1", {
      bandwidth: { ingressRate: RATE_BITS, egressRate: RATE_BITS },
    });
    const attached = await plugin.attach(order);
    assert.deepEqual(await plugin.check({ attachment: order, attached, repair: false }), []);
    const outStart = performance.now();
    await flood("10.98.0.2", pod);
    assertPassed(await receivedBytes("eth0", peer), performance.now() - outStart);
    await assertBusy("eth0", pod);
    await flood("10.98.0.1", peer);
    // What comes in goes on from the ifb: its counter is what the pod hears.
    await assertBusy(ifbNameOf(order.attachmentId), pod);
    await plugin.detach(detachRequestOf(order));
    assert.equal(await kernel.findLink(ifbNameOf(order.attachmentId), pod), undefined);
    await kernel.removeLinks([parent]);
  });

  /** Sends UDP to a closed port, from a namespace or the node. */
  async function flood(address: string, netns?: string): Promise<void> {
    const command = [process.execPath, "-e", SEND, address];
    if (netns === undefined) await execute(process.execPath, command.slice(1));
    else await execute("nsenter", [`--net=${netns}`, ...command]);
  }

  /** Second column of /proc/net/dev. */
  async function receivedBytes(link: string, netns?: string): Promise<number> {
    const { stdout } = netns
      ? await execute("nsenter", [`--net=${netns}`, "cat", "/proc/self/net/dev"])
      : await execute("cat", ["/proc/self/net/dev"]);
    return Number(new RegExp(`${link}: *(\\d+)`).exec(stdout)?.[1]);
  }

  /** However long it took: a burst, what the rate makes in that time, and a packet of another kind or two. */
  function assertPassed(bytes: number, elapsedMs: number): void {
    const most = BUCKET.burstBytes + (BUCKET.rateBytesPerSecond * elapsedMs) / 1000;
    assert.ok(bytes > 0 && bytes <= most + 2000, `${bytes} bytes, expected at most ${most}`);
  }

  async function assertBusy(link: string, netns?: string): Promise<void> {
    const path = netns as NetnsPath | undefined;
    const ifindex = (await kernel.findLink(link, path))?.ifindex ?? 0;
    const qdisc = await kernel.findQdisc({ ifindex, place: "root" }, path);
    assert.equal(qdisc?.type, "tbf");
    const { overlimits, droppedPackets, sentPackets } = qdisc.statistics;
    assert.ok(overlimits > 0 && droppedPackets > 0, JSON.stringify(qdisc));
    assert.ok(sentPackets >= Math.floor(BUCKET.burstBytes / (PACKET_BYTES + HEADER_BYTES)) - 1);
  }

  function upWith(address: string): KernelOperation[] {
    return [
      { kind: "set-link", name: "eth0", up: true, addrGenMode: 1 },
      { kind: "add-address", link: "eth0", address: parsePrefix(address) },
    ];
  }

  /** The least that is a network plugin: a macvlan in the pod. */
  function macvlanPlugin(parent: string): NetworkPlugin {
    return {
      info: {
        name: "least",
        version: "1.0.0",
        contractVersions: ["patchbay.plugin.v1"],
        roles: ["ROLE_NETWORK"],
        capabilities: [],
        configSchemaJson: "",
      },
      async attach({ netns, ifname, addresses }) {
        const link = {
          type: "macvlan",
          parent,
          mode: "bridge",
          netns: netns as NetnsPath,
        } as const;
        await kernel.apply([
          { operations: [{ kind: "add-link", name: ifname, link }] },
          { netns: netns as NetnsPath, operations: upWith(addresses[0]?.address ?? "") },
        ]);
        const pod = { name: ifname, mac: "", mtu: 1500, sandbox: netns, pciId: "", socketPath: "" };
        return { interfaces: [pod], addresses: [], routes: [], dns: null, deviceInfoJson: "" };
      },
      async detach({ ifname, netns }) {
        await kernel.removeLinks([ifname], netns as NetnsPath);
      },
      check: async () => [],
      list: async () => [],
      status: async () => ({ ready: true, reason: "" }),
    };
  }
});
