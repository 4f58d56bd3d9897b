import type { Kernel, KernelOperation } from "../../src/kernel/kernel.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";

/** A network plugin that comes with the host, and how the kit is to be used with it. */
export interface BuiltIn {
  readonly name: string;
  readonly create: (deps: { kernel: Kernel; nftables: Nftables }) => Promise<NetworkPlugin>;
  readonly config: object;
  readonly invalidConfig?: object;
  /** What must be on the node before, for example a parent link. Run before each rule. */
  readonly prepare?: readonly KernelOperation[];
  /** More options of `patchbay conformance`. */
  readonly args?: readonly string[];
  /** Rules that are skipped, and why: a rule that is skipped and not named here fails the test. */
  readonly skips: Readonly<Record<string, RegExp>>;
}

/** Every rule that asks for what these do not say they can. */
const NO_REPAIR = /no CAPABILITY_REPAIR$/;

export const BUILT_INS: readonly BuiltIn[] = [
  {
    name: "routed",
    create: async (deps) =>
      (await import("../../plugins/routed/plugin.ts")).createRoutedPlugin(deps),
    config: {},
    skips: {},
  },
  {
    name: "bridge",
    create: async (deps) =>
      (await import("../../plugins/bridge/plugin.ts")).createBridgePlugin(deps),
    config: { bridge: "cni7", hairpinMode: true },
    invalidConfig: { bridge: "a/b", hairpinMode: true },
    skips: {},
  },
];

export function findBuiltIn(name: string): BuiltIn {
  const found = BUILT_INS.find((builtIn) => builtIn.name === name);
  if (!found) throw new Error(`There is no built-in network plugin ${name}`);
  return found;
}
