import type { DoctorFinding } from "../../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import type { NetworkDefinitions, PluginDirectory } from "../core/ports.ts";
import type { NetworkConfig } from "../cni/network-config.ts";
import type { DefinitionState, DefinitionTrouble } from "./definition-state.ts";
import { isElsewhere } from "./definitions.ts";
import { isOfDefinition, networkNameOf } from "./network-definition.ts";
import { findUnknownKeys } from "./unknown-keys.ts";

/** What an ADD would meet of the network definitions, before one does. */
export function examineDefinitions(
  { isComplete }: Pick<NetworkDefinitions, "isComplete">,
  states: readonly DefinitionState[],
  plugins: Pick<PluginDirectory, "names">,
): DoctorFinding[] {
  const check = "network-definitions";
  if (!isComplete) {
    return [
      {
        check,
        severity: "warning",
        message: "Network definitions are still being read; pods that ask for networks wait",
        remedy: "See that their source can be read: the folder of manifests, or the API server",
      },
    ];
  }
  const findings = states.flatMap((state) => findingsOf(state, plugins));
  if (states.length === 0 || states.some(({ trouble }) => trouble !== undefined)) return findings;
  const message =
    states.length === 1
      ? "The network definition can be used"
      : `All ${states.length} network definitions can be used`;
  return [{ check, severity: "ok", message, remedy: "" }, ...findings];
}

/** Of networks that definitions do not describe: keys of their configurations that nobody reads. */
export function examineConfigs(
  networks: Iterable<Pick<NetworkConfig, "name" | "plugin" | "configJson">>,
  plugins: Pick<PluginDirectory, "find">,
): DoctorFinding[] {
  return [...networks]
    .filter(({ name }) => !isOfDefinition(name))
    .flatMap(({ name, plugin, configJson }) => {
      const info = plugins.find(plugin)?.info;
      return (info ? findUnknownKeys(configJson, info) : []).map((warning) => ({
        check: `network-${name}`,
        severity: "warning",
        message: `Network ${name}: ${warning}`,
        remedy: UNKNOWN_KEY_REMEDY,
      }));
    });
}

const UNKNOWN_KEY_REMEDY =
  "Correct the key or remove it: nobody reads it, and a default stands in for what it was to say";

function findingsOf(
  { entry, trouble, warnings }: DefinitionState,
  plugins: Pick<PluginDirectory, "names">,
): DoctorFinding[] {
  const network = networkNameOf(entry);
  const where = isElsewhere(entry) ? ` (${entry.place})` : "";
  const check = `network-definition-${network}`;
  const describe = (problem: string) =>
    `NetworkAttachmentDefinition ${network}${where}: ${problem}`;
  const findings = warnings.map((warning) => ({
    check,
    severity: "warning",
    message: describe(warning),
    remedy: UNKNOWN_KEY_REMEDY,
  }));
  if (trouble === undefined) return findings;
  const message = describe(trouble.message);
  return [{ check, message, ...consequenceOf(trouble, plugins) }, ...findings];
}

function consequenceOf(
  { kind }: DefinitionTrouble,
  plugins: Pick<PluginDirectory, "names">,
): { readonly severity: string; readonly remedy: string } {
  switch (kind) {
    case "unreadable":
    case "refused": {
      const remedy = "Correct the field named; pods that ask for this network are refused";
      return { severity: "error", remedy };
    }
    case "no-plugin": {
      const remedy = `Start it, or name one of ${plugins.names().join(", ")}`;
      return { severity: "warning", remedy };
    }
    case "not-ready": {
      const remedy =
        "See to what is named; until then pods that ask for this network may be refused";
      return { severity: "warning", remedy };
    }
  }
}
