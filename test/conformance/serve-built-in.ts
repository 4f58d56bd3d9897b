// Serves a built-in network plugin as a process of its own, like a third party's: NAME --socket PATH.
// What the plugin writes down lies beside the socket.
import { dirname, join } from "node:path";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { type Nftables, openNftables } from "../../src/kernel/nftables.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { openPciDevices } from "../../src/kernel/pci-devices.ts";
import { parseHostConfig } from "../../src/plugin-host/host-config.ts";
import { HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { serve } from "../../src/plugin-sdk/serve.ts";

interface Deps {
  readonly kernel: Kernel;
  readonly nftables: Nftables;
  /** Outlives the process. */
  readonly folder: string;
}

const BUILT_INS: Readonly<Record<string, (deps: Deps) => Promise<NetworkPlugin>>> = {
  routed: async (deps) => (await import("../../plugins/routed/plugin.ts")).createRoutedPlugin(deps),
  bridge: async (deps) => (await import("../../plugins/bridge/plugin.ts")).createBridgePlugin(deps),
  vxlan: async (deps) => (await import("../../plugins/vxlan/plugin.ts")).createVxlanPlugin(deps),
  async macvlan({ kernel, folder }) {
    const { createMacvlanPlugin } = await import("../../plugins/macvlan/plugin.ts");
    return createMacvlanPlugin({ kernel, held: new HeldAttachments(folder) });
  },
  async "host-device"({ kernel, folder }) {
    const { createHostDevicePlugin } = await import("../../plugins/host-device/plugin.ts");
    const held = new HeldAttachments<never>(folder);
    return createHostDevicePlugin({ kernel, held, pci: openPciDevices() });
  },
  async "cni-exec"({ kernel, folder }) {
    const { createHostCniExec } = await import("../../src/plugin-host/cni-exec.ts");
    const events = { emit: ({ message }: { message: string }) => console.error(message) };
    return createHostCniExec({
      kernel,
      folder,
      config: parseHostConfig({}, { hasCluster: false }).cni,
      events,
    });
  },
};

const [name = ""] = process.argv.slice(2);
const create = BUILT_INS[name];
if (!create) throw new Error(`There is no built-in network plugin ${name}`);
const kernel = await openKernel();
const folder = join(dirname(process.argv.at(-1) ?? ""), "held");
const plugin = await create({ kernel, nftables: openNftables(), folder });
await serve(plugin, { onStop: () => kernel.close() });
