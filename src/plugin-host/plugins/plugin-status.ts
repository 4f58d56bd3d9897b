import type { PluginStatus } from "../../rpc/generated/patchbay/host/v1/PluginStatus.ts";
import type { HostContext } from "../core/context.ts";
import type { RegisteredPlugin } from "../registry.ts";

/** host.v1 PluginStatus of every network plugin, and of those that are named and not there. */
export function listNetworkPlugins(
  context: HostContext,
  registered: readonly RegisteredPlugin[],
): PluginStatus[] {
  const uses = countUses(context);
  const names = new Set(registered.map(({ info }) => info.name));
  const missing = [...uses.keys()].filter((name) => !names.has(name)).sort();
  return [
    ...registered.map((entry) => toStatus(entry, uses.get(entry.info.name))),
    ...missing.map((name) => ({
      ...toUse(uses.get(name)),
      name,
      trouble: "it is not connected: start it, or correct the name",
    })),
  ];
}

interface Use {
  readonly networks: Set<string>;
  attachments: number;
}

/** By plugin. */
function countUses({ state, ports }: HostContext): Map<string, Use> {
  const uses = new Map<string, Use>();
  const useOf = (plugin: string): Use => {
    const use = uses.get(plugin) ?? { networks: new Set(), attachments: 0 };
    uses.set(plugin, use);
    return use;
  };
  for (const { name, plugin } of state.networks.values()) useOf(plugin).networks.add(name);
  for (const { definition } of ports.definitions.list()) {
    if (definition) useOf(definition.config.plugin).networks.add(definition.config.name);
  }
  for (const { network, plugin } of state.attachments.values()) {
    const use = useOf(plugin);
    use.networks.add(network);
    use.attachments++;
  }
  return uses;
}

function toUse(use: Use | undefined) {
  return { networks: [...(use?.networks ?? [])].sort(), attachments: use?.attachments ?? 0 };
}

function toStatus({ info, socketPath, trouble, note }: RegisteredPlugin, use: Use | undefined) {
  const { name, version, roles, capabilities } = info;
  return {
    ...toUse(use),
    name,
    version,
    builtIn: socketPath === "",
    trouble,
    note: trouble === "" ? note : "",
    roles: roles.map((role) => toWords(role, "ROLE_")),
    capabilities: capabilities.map((capability) => toWords(capability, "CAPABILITY_")),
    socket: socketPath,
  };
}

/** "CAPABILITY_ATTACH_IN_PARALLEL" -> "attach-in-parallel" */
function toWords(name: string, prefix: string): string {
  return name
    .slice(name.startsWith(prefix) ? prefix.length : 0)
    .toLowerCase()
    .replaceAll("_", "-");
}
