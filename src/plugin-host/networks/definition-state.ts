import { checkMtu, checkPluginConfig } from "../cni/network-config.ts";
import type { DefinitionEntry, PluginDirectory } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import { findUnknownKeys } from "./unknown-keys.ts";

/** Why pods that ask for a definition are refused now. */
export interface DefinitionTrouble {
  readonly kind: "unreadable" | "no-plugin" | "refused" | "not-ready";
  readonly message: string;
}

/** A definition as an ADD would meet it. */
export interface DefinitionState {
  readonly entry: DefinitionEntry;
  readonly trouble: DefinitionTrouble | undefined;
  /** What may be a mistake, and refuses nobody. */
  readonly warnings: readonly string[];
}

/** From memory: whether its plugin is ready, only the plugin knows. */
export function stateOf(entry: DefinitionEntry, plugins: PluginDirectory): DefinitionState {
  const { definition, problem } = entry;
  if (definition === undefined) {
    return { entry, trouble: { kind: "unreadable", message: problem }, warnings: [] };
  }
  const { config } = definition;
  const plugin = plugins.find(config.plugin);
  if (plugin === undefined) {
    const message = `plugin ${config.plugin} is not connected`;
    return { entry, trouble: { kind: "no-plugin", message }, warnings: [] };
  }
  const warnings = findUnknownKeys(config.configJson, plugin.info);
  try {
    checkMtu(config);
    checkPluginConfig(config.configJson, plugin.info.configSchemaJson);
  } catch (error) {
    if (!(error instanceof PatchbayError)) throw error;
    const message = `plugin ${config.plugin} refuses it: ${error.message}`;
    return { entry, trouble: { kind: "refused", message }, warnings };
  }
  const down = plugins.troubleOf?.(config.plugin) ?? "";
  if (down === "") return { entry, trouble: undefined, warnings };
  const message = `plugin ${config.plugin}: ${down}`;
  return { entry, trouble: { kind: "not-ready", message }, warnings };
}
