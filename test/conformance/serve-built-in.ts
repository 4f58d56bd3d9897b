// Serves a built-in network plugin as a process of its own, like a third party's: NAME --socket PATH.
import type { Kernel } from "../../src/kernel/kernel.ts";
import { type Nftables, openNftables } from "../../src/kernel/nftables.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { serve } from "../../src/plugin-sdk/serve.ts";

type Create = (deps: { kernel: Kernel; nftables: Nftables }) => Promise<NetworkPlugin>;

const BUILT_INS: Readonly<Record<string, Create>> = {
  routed: async (deps) => (await import("../../plugins/routed/plugin.ts")).createRoutedPlugin(deps),
  bridge: async (deps) => (await import("../../plugins/bridge/plugin.ts")).createBridgePlugin(deps),
};

const [name = ""] = process.argv.slice(2);
const create = BUILT_INS[name];
if (!create) throw new Error(`There is no built-in network plugin ${name}`);
const kernel = await openKernel();
await serve(await create({ kernel, nftables: openNftables() }), { onStop: () => kernel.close() });
