import type { DoctorFinding } from "../../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import { checkPluginConfig } from "../cni/network-config.ts";
import type { DefinitionEntry, NetworkDefinitions, PluginDirectory } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import { networkNameOf } from "./network-definition.ts";

/** What an ADD would meet of the network definitions, before one does. */
export function examineDefinitions(
  definitions: NetworkDefinitions,
  plugins: PluginDirectory,
): DoctorFinding[] {
  const check = "network-definitions";
  if (!definitions.isComplete) {
    return [
      {
        check,
        severity: "warning",
        message: "Network definitions are still being read; pods that ask for networks wait",
        remedy: "See that the folder of manifests is there and can be read",
      },
    ];
  }
  const entries = definitions.list();
  const broken = entries.flatMap((entry) => findTrouble(entry, plugins) ?? []);
  if (broken.length > 0) return broken;
  if (entries.length === 0) return [];
  const message =
    entries.length === 1
      ? "The network definition can be used"
      : `All ${entries.length} network definitions can be used`;
  return [{ check, severity: "ok", message, remedy: "" }];
}

function findTrouble(entry: DefinitionEntry, plugins: PluginDirectory): DoctorFinding | undefined {
  const { definition, place } = entry;
  const network = networkNameOf(entry);
  const where = place === "" ? "" : ` (${place})`;
  const check = `network-definition-${network}`;
  const describe = (problem: string) =>
    `NetworkAttachmentDefinition ${network}${where}: ${problem}`;
  if (definition === undefined) {
    return {
      check,
      severity: "error",
      message: describe(entry.problem),
      remedy: "Correct the field named; pods that ask for this network are refused",
    };
  }
  const { plugin: pluginName, configJson } = definition.config;
  const plugin = plugins.find(pluginName);
  if (plugin === undefined) {
    return {
      check,
      severity: "warning",
      message: describe(`plugin ${pluginName} is not there`),
      remedy: `Start it, or name one of ${plugins.names().join(", ")}`,
    };
  }
  try {
    checkPluginConfig(configJson, plugin.info.configSchemaJson);
    return undefined;
  } catch (error) {
    if (!(error instanceof PatchbayError)) throw error;
    return {
      check,
      severity: "error",
      message: describe(`plugin ${pluginName} refuses it: ${error.message}`),
      remedy: "Correct the field named; pods that ask for this network are refused",
    };
  }
}
