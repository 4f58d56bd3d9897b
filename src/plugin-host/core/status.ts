import { checkMtu, checkPluginConfig, type NetworkConfig } from "../cni/network-config.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import type { NodeView } from "./ports.ts";

/** CNI STATUS: throws NOT_READY with the reason why an ADD to this network would fail now. */
export async function status(context: HostContext, config: NetworkConfig): Promise<void> {
  const reason = await findReasonAgainst(context, config);
  if (reason !== undefined) {
    throw new PatchbayError("NOT_READY", `Network ${config.name} cannot take pods: ${reason}`);
  }
}

async function findReasonAgainst(
  context: HostContext,
  config: NetworkConfig,
): Promise<string | undefined> {
  const { node } = context.ports;
  if (node.unready !== "") return node.unready;
  if (config.awaitsNodeRanges) return whyNoRanges(node);
  try {
    context.state.requireWritable();
    const plugin = requirePlugin(context, config.plugin);
    checkMtu(config);
    checkPluginConfig(config.configJson, plugin.info.configSchemaJson);
    const { ready, reason } = await withDeadline(
      plugin.status({ network: config.name, configJson: config.configJson }),
      { clock: context.ports.clock, limitMs: LIMITS.checkMs, what: `Status of ${config.plugin}` },
    );
    if (!ready) return reason || `plugin ${config.plugin} is not ready`;
  } catch (error) {
    if (error instanceof PatchbayError && error.code === "INVALID_NETWORK_CONFIG") throw error;
    return formatErrorChain(error);
  }
  return findExhaustion(context, config);
}

function whyNoRanges({ name }: NodeView): string {
  if (name === undefined) return 'ipam.ranges is "node", and the host runs without --kubernetes';
  return `Node ${name} has no spec.podCIDRs: does kube-controller-manager run with --allocate-node-cidrs and --cluster-cidr?`;
}

/** A family that every pod must get and of which nothing is left, not even a cooling address. */
function findExhaustion(context: HostContext, config: NetworkConfig): string | undefined {
  const pool = context.state.networks.get(config.name)?.pool;
  if (!pool || config.ipam.policy !== "RequireDual") return undefined;
  const nowMs = context.ports.clock.monotonicMs();
  for (const family of config.ipam.families) {
    const counts = pool.counts(family, nowMs);
    if (counts.free + counts.cooling === 0n) return `no IPv${family} address is left`;
  }
  return undefined;
}
