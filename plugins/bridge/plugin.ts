import type { Kernel } from "../../src/kernel/kernel.ts";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import { attachBridgedPod, repairBridgedPod } from "../../src/plugin-sdk/attach-bridged-pod.ts";
import { bridgedPodResponse } from "../../src/plugin-sdk/bridged-pod.ts";
import { checkBridgedPod } from "../../src/plugin-sdk/check-bridged-pod.ts";
import { holderName, linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { NodePreparation, type PreparationPlan } from "../../src/plugin-sdk/node-preparation.ts";
import { checkAndRepair } from "../../src/plugin-sdk/repair.ts";
import { listVethLinks } from "../../src/plugin-sdk/veth.ts";
import { CONFIG_SCHEMA, readBridgeConfig } from "./config.ts";
import { networkBatches, planBridge } from "./plan.ts";

export interface BridgeDeps {
  readonly kernel: Kernel;
  readonly nftables: Nftables;
  /** Tells this host's links from those of another host on the node. Absent: it is alone. */
  readonly hostId?: string;
}

/** Pods on a common layer 2: a veth each into a bridge that holds the gateway addresses. */
export function createBridgePlugin(deps: BridgeDeps): NetworkPlugin {
  const { kernel } = deps;
  const preparation = new NodePreparation(deps);
  const holder = holderName("bridge", deps.hostId);

  async function attach(request: AttachRequest): Promise<AttachResponse> {
    const plan = planBridge(request, await prepare(preparation, request), { holder });
    await attachBridgedPod(kernel, plan);
    return bridgedPodResponse(plan);
  }

  return {
    info: {
      name: "bridge",
      version: "1.0.0",
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: [
        "CAPABILITY_ATTACH_IN_PARALLEL",
        "CAPABILITY_REPAIR",
        "CAPABILITY_REPAIR_NETWORK",
      ],
      configSchemaJson: JSON.stringify(CONFIG_SCHEMA),
    },

    async attach(request) {
      try {
        return await attach(request);
      } catch (error) {
        const { bridge } = readBridgeConfig(request.configJson);
        if (await kernel.findLink(bridge)) throw error;
        // Somebody deleted the bridge since it was made.
        preparation.forget(request.network);
        return attach(request);
      }
    },

    async detach({ attachmentId }) {
      await kernel.removeLinks([linkNamesOf(attachmentId).hostIfname]);
    },

    async check({ attachment, attached, repair }) {
      if (!attachment || !attached) return [];
      const mtu = attached.interfaces.at(-1)?.mtu ?? 0;
      const plan = planBridge(attachment, mtu, { holder });
      const look = async () => [
        ...(await preparation.check(attachment, preparationPlan(attachment))),
        ...(await checkBridgedPod(kernel, plan)),
      ];
      const mend = async () => {
        preparation.adopt(attachment, preparationPlan(attachment));
        await preparation.repair(attachment.network);
        await repairBridgedPod(kernel, plan);
      };
      return checkAndRepair(look, repair ? mend : undefined);
    },

    list: ({ network }) => listVethLinks(kernel, { plugin: holder, network }),

    status: async (request) => preparation.status(request),

    async repairNetwork({ network, attachments }) {
      for (const request of attachments) preparation.adopt(request, preparationPlan(request));
      return preparation.repair(network);
    },
  };
}

function preparationPlan(request: AttachRequest): PreparationPlan {
  const { bridge } = readBridgeConfig(request.configJson);
  return { bridge, batches: () => networkBatches(request) };
}

/** A kernel without CONFIG_BRIDGE_VLAN_FILTERING will not get it by waiting. */
async function prepare(preparation: NodePreparation, request: AttachRequest): Promise<number> {
  const { bridge, vlan } = readBridgeConfig(request.configJson);
  try {
    return await preparation.ensure(request, preparationPlan(request));
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (vlan > 0 && cause instanceof KernelError && cause.code === "EOPNOTSUPP") {
      throw new PluginError(
        "invalid-config",
        `vlan is ${vlan}, but this kernel cannot filter VLANs on bridge ${bridge} (CONFIG_BRIDGE_VLAN_FILTERING)`,
        { cause },
      );
    }
    throw error;
  }
}
