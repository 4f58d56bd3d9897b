import type { NetworkDefinitionView } from "../../rpc/generated/patchbay/host/v1/NetworkDefinitionView.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type DefinitionState, stateOf } from "../networks/definition-state.ts";
import { describeConfig } from "../networks/describe-config.ts";
import { type NetworkDefinition, networkNameOf } from "../networks/network-definition.ts";
import { forEachAtOnce } from "./at-once.ts";
import type { HostContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import type { DefinitionEntry } from "./ports.ts";

/** What pods may ask for, and what is wrong with it. Empty namespace: of all. */
export async function listDefinitions(
  context: HostContext,
  namespace: string,
): Promise<NetworkDefinitionView[]> {
  const entries = context.ports.definitions
    .list()
    .filter((entry) => namespace === "" || entry.namespace === namespace);
  const states = await findStates(context, entries);
  const counts = Map.groupBy(context.state.attachments.values(), ({ network }) => network);
  return states
    .map(({ entry, trouble, warnings }): NetworkDefinitionView => {
      const network = networkNameOf(entry);
      return {
        network,
        plugin: entry.definition?.config.plugin ?? "",
        cniTypes: [...(entry.definition?.cniTypes ?? [])],
        problem: trouble?.message ?? "",
        attachments: counts.get(network)?.length ?? 0,
        place: entry.place,
        ...(entry.definition && describeConfig(entry.definition.config)),
        warnings: [...warnings],
      };
    })
    .sort((left, right) => ((left.network ?? "") < (right.network ?? "") ? -1 : 1));
}

/**
 * What is known of definitions, and what their plugins say: those that can be called, all within one
 * LIMITS.pluginStatusMs. In the order given.
 */
export async function findStates(
  context: HostContext,
  entries: readonly DefinitionEntry[],
): Promise<DefinitionState[]> {
  const { clock, plugins } = context.ports;
  const states = entries.map((entry) => stateOf(entry, plugins));
  const askable = states.flatMap(({ entry, trouble }) =>
    trouble === undefined && entry.definition ? [entry.definition] : [],
  );
  const reasons = new Map<NetworkDefinition, string>();
  const endMs = clock.monotonicMs() + LIMITS.pluginStatusMs;
  await forEachAtOnce(askable, async (definition) => {
    const limitMs = endMs - clock.monotonicMs();
    const reason =
      limitMs > 0 ? await askStatus(context, definition, limitMs) : "nobody had time to ask";
    if (reason !== "") reasons.set(definition, reason);
  });
  return states.map((state) => {
    const reason = state.entry.definition && reasons.get(state.entry.definition);
    if (reason === undefined) return state;
    return { ...state, trouble: { kind: "not-ready", message: `not ready: ${reason}` } };
  });
}

/** Why it is not ready; "": it is. */
async function askStatus(
  { ports: { clock, plugins } }: HostContext,
  { config }: NetworkDefinition,
  limitMs: number,
): Promise<string> {
  try {
    const asked = plugins.find(config.plugin)?.status({
      network: config.name,
      configJson: config.configJson,
    });
    if (asked === undefined) return "";
    const what = `Status of ${config.plugin}`;
    const { ready, reason } = await withDeadline(asked, { clock, limitMs, what });
    return ready ? "" : reason || `plugin ${config.plugin} does not say why`;
  } catch (error) {
    return formatErrorChain(error);
  }
}
