import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { CNI_EXEC_INFO } from "./info.ts";
import { hasRecords } from "./records.ts";

export interface LazyCniExecOptions {
  readonly folder: string;
  readonly load: () => Promise<NetworkPlugin>;
}

/** cni-exec, loaded when the first network needs it: a node without one pays nothing. */
export function lazyCniExec({ folder, load }: LazyCniExecOptions): NetworkPlugin {
  let loading: Promise<NetworkPlugin> | undefined;
  const plugin = () => (loading ??= load());
  return {
    info: CNI_EXEC_INFO,
    attach: async (request) => (await plugin()).attach(request),
    detach: async (request) => (await plugin()).detach(request),
    check: async (request) => (await plugin()).check(request),
    // Asked every few seconds by reconciliation.
    list: async (request) => (loading || hasRecords(folder) ? (await plugin()).list(request) : []),
    status: async (request) => (await plugin()).status(request),
    repairNetwork: async (request) => (await (await plugin()).repairNetwork?.(request)) ?? [],
  };
}
