/** Several networks in one pod, by the veth plugins together: each carries its own, and none is in another's way. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { createBridgePlugin } from "../../plugins/bridge/plugin.ts";
import { createRoutedPlugin } from "../../plugins/routed/plugin.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel, type RtnetlinkKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import {
  type AttachRequest,
  type AttachResponse,
  detachRequestOf,
  type NetworkPlugin,
} from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest } from "../../src/plugin-sdk/sample-request.ts";

const execute = promisify(execFile);

interface Network {
  readonly ifname: string;
  readonly by: "routed" | "bridge";
  readonly subnet: number;
}

const NETWORKS: readonly Network[] = [
  { ifname: "eth0", by: "routed", subnet: 0 },
  { ifname: "net1", by: "bridge", subnet: 1 },
  { ifname: "net2", by: "routed", subnet: 2 },
  { ifname: "net3", by: "bridge", subnet: 3 },
];

describe("several networks in one pod", { skip: privateNodeSkip }, () => {
  let kernel: RtnetlinkKernel;
  let plugins: Readonly<Record<Network["by"], NetworkPlugin>>;
  const namespaces: NetnsPath[] = [];
  const attached: { readonly order: AttachRequest; readonly answer: AttachResponse }[] = [];

  before(async () => {
    kernel = await openKernel();
    const deps = { kernel, nftables: new FakeNftables() };
    plugins = { routed: createRoutedPlugin(deps), bridge: createBridgePlugin(deps) };
    for (const [host, pod] of [
      [5, "one"],
      [6, "two"],
    ] as const) {
      const netns = `/run/netns/several${process.pid}-${pod}` as NetnsPath;
      await kernel.createNetns(netns);
      namespaces.push(netns);
      // The strictest that a node may hand down: what comes in by a link must be answered by it.
      await kernel.apply([
        {
          netns,
          operations: ["all", "default"].map((scope) => ({
            kind: "set-sysctl",
            path: ["net", "ipv4", "conf", scope, "rp_filter"],
            value: "1",
          })),
        },
      ]);
      for (const network of NETWORKS) {
        const order = orderFor(network, { host, netns });
        attached.push({ order, answer: await plugins[network.by].attach(order) });
      }
    }
  });

  after(async () => {
    for (const { order } of attached) await pluginOf(order).detach(detachRequestOf(order));
    await kernel.removeLinks(["sevbr1", "sevbr3"]);
    for (const netns of namespaces) await kernel.deleteNetns(netns);
    await kernel.close();
  });

  for (const { ifname, by, subnet } of NETWORKS) {
    for (const family of ["IPv4", "IPv6"] as const) {
      const addressOf = (host: number) =>
        family === "IPv4" ? `10.96.${subnet}.${host}` : `fd96:${subnet}::${host}`;

      test(`${ifname} by ${by}: the other pod answers by ${family}, from its address there`, async () => {
        await ping(namespaces[0], addressOf(6));
        await ping(namespaces[1], addressOf(5));
      });

      test(`${ifname} by ${by}: the node reaches the pod by ${family}, and the pod the gateway`, async () => {
        await ping(undefined, addressOf(5));
        await ping(namespaces[0], addressOf(1));
      });
    }
  }

  test("check() of each finds nothing, with all of them there", async () => {
    for (const { order, answer } of attached) {
      const check = { attachment: order, attached: answer, repair: false };
      assert.deepEqual(await pluginOf(order).check(check), [], order.ifname);
    }
  });

  test("the default routes are those of eth0 alone", async () => {
    for (const netns of namespaces) {
      const eth0 = await kernel.findLink("eth0", netns);
      const defaults = (await kernel.routes(netns)).filter(
        ({ destination, gateway }) => destination.prefixLength === 0 && gateway !== undefined,
      );
      assert.deepEqual(
        defaults.map(({ ifindex }) => ifindex),
        [eth0?.ifindex, eth0?.ifindex],
      );
    }
  });

  function orderFor(
    { ifname, by, subnet }: Network,
    { host, netns }: { readonly host: number; readonly netns: NetnsPath },
  ): AttachRequest {
    const network = `several${subnet}`;
    return attachRequest({
      attachmentId: `several-${process.pid}-${host}-${subnet}`,
      netns,
      ifname,
      network,
      configJson: JSON.stringify({ name: network, bridge: `sevbr${subnet}`, plugin: by }),
      addresses: [
        { address: `10.96.${subnet}.${host}/24`, gateway: `10.96.${subnet}.1` },
        { address: `fd96:${subnet}::${host}/64`, gateway: `fd96:${subnet}::1` },
      ],
      defaultRoute: ifname === "eth0" ? "DEFAULT_ROUTE_UNSPECIFIED" : "DEFAULT_ROUTE_NONE",
    });
  }

  function pluginOf({ configJson }: AttachRequest): NetworkPlugin {
    return plugins[(JSON.parse(configJson) as { readonly plugin: Network["by"] }).plugin];
  }

  /** Once; a bridge's gateway needs a moment of IPv6 address detection, so that ping may try for some seconds. */
  async function ping(netns: NetnsPath | undefined, address: string): Promise<void> {
    const command = ["ping", "-n", "-c", "1", "-w", "8", "-i", "0.2", address];
    const [file = "", ...args] = netns ? ["nsenter", `--net=${netns}`, ...command] : command;
    await execute(file, args);
  }
});
