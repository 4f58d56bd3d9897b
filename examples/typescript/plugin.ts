// Pods on veth pairs into a bridge of the node, which the network's configuration names.
import { type NetnsPath, openKernel } from "patchbay/kernel";
import * as sdk from "patchbay/plugin-sdk";

const NAME = "example-bridge";
const kernel = await openKernel();

const plugin = sdk.definePlugin({
  name: NAME,
  version: "1.0.0",
  configSchema: {
    required: ["bridge"],
    properties: { bridge: { type: "string", pattern: "^[^/ ]{1,15}$" } },
  },

  async attach(order) {
    const { attachmentId, network, ifname, addresses } = order;
    const { bridge } = sdk.readConfig<{ bridge: string }>(order);
    const netns = order.netns as NetnsPath;
    // Names follow from the id: a repeat finds what is there, Detach remembers nothing.
    const { hostIfname, podMac } = sdk.linkNamesOf(attachmentId);
    if (!(await kernel.findLink(hostIfname)) && (await kernel.findLink(ifname, netns))) {
      throw new sdk.PluginError("interface-exists", `${ifname} is taken in ${netns}`);
    }
    const pod = { name: ifname, mac: order.mac || podMac, mtu: order.mtu || 1500 };
    const alias = sdk.formatAlias({ plugin: NAME, network, attachmentId });
    const link = { type: "veth", peer: { ...pod, netns } } as const;
    await kernel.apply([
      {
        operations: [
          { kind: "add-link", name: bridge, link: { type: "bridge" }, ifExists: "keep" },
          { kind: "set-link", name: bridge, up: true },
          { kind: "add-link", name: hostIfname, mtu: pod.mtu, link, ifExists: "keep" },
          { kind: "set-link", name: hostIfname, master: bridge, up: true, alias },
        ],
      },
      { netns, operations: sdk.podOperations(order) },
    ]);
    return {
      interfaces: [{ name: hostIfname }, { ...pod, sandbox: netns }],
      addresses: addresses.map((own) => ({ ...own, interfaceIndex: 1 })),
      routes: sdk.wantedRoutes(order),
    };
  },

  detach: ({ attachmentId }) => kernel.removeLinks([sdk.linkNamesOf(attachmentId).hostIfname]),

  async list({ network }) {
    const links = await kernel.links();
    return links.flatMap(({ name, alias }) => {
      const owner = sdk.findLinkOwner(alias);
      if (owner?.plugin !== NAME || (network && owner.network !== network)) return [];
      return [{ attachmentId: owner.attachmentId, object: name }];
    });
  },

  check: (order) => sdk.checkAttached(kernel, order),
});

await sdk.serve(plugin, { onStop: () => kernel.close() });
