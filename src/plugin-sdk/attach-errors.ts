import { PluginError } from "./network-plugin.ts";

/** "transient": the next try may pass. */
export function cannotAttach(
  { ifname, netns }: { readonly ifname: string; readonly netns: string },
  cause: unknown,
): PluginError {
  return new PluginError("transient", `Cannot attach ${ifname} in ${netns}`, { cause });
}

/** "interface-exists": something else of the pod has the interface's name. */
export function takenBySomebody(
  { ifname, netns }: { readonly ifname: string; readonly netns: string },
  options?: ErrorOptions,
): PluginError {
  const message = `${ifname} exists in ${netns} and is not ours`;
  return new PluginError("interface-exists", message, options);
}
