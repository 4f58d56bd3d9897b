import type { Kernel } from "../../src/kernel/kernel.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import { GATEWAY_LINK, holderName, linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import type { AttachRequest, NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { NodePreparation, type PreparationPlan } from "../../src/plugin-sdk/node-preparation.ts";
import { checkAndRepair } from "../../src/plugin-sdk/repair.ts";
import { applyVethAttach, listVethLinks, repairVethAttach } from "../../src/plugin-sdk/veth.ts";
import { checkRouted } from "./check.ts";
import {
  attachBatches,
  attachResponse,
  networkBatches,
  planRouted,
  type RoutedPlan,
} from "./plan.ts";

export interface RoutedDeps {
  readonly kernel: Kernel;
  readonly nftables: Nftables;
  /** Tells this host's links from those of another host on the node. Absent: it is alone. */
  readonly hostId?: string;
}

/**
 * Pods on point-to-point links: a veth each, a host route to each address, no bridge. Neighbour
 * entries are permanent on both ends, so that no packet ever waits for ARP or NDP.
 */
export function createRoutedPlugin(deps: RoutedDeps): NetworkPlugin {
  const { kernel } = deps;
  const preparation = new NodePreparation(deps);
  const holder = holderName("routed", deps.hostId);

  return {
    info: {
      name: "routed",
      version: "1.0.0",
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: [
        "CAPABILITY_ATTACH_IN_PARALLEL",
        "CAPABILITY_REPAIR",
        "CAPABILITY_REPAIR_NETWORK",
      ],
      configSchemaJson: "",
    },

    async attach(request) {
      const mtu = await preparation.ensure(request, preparationPlan(request));
      const plan = planRouted(request, mtu, { holder });
      await applyVethAttach(kernel, vethOf(plan), (mode) => attachBatches(plan, mode));
      return attachResponse(plan);
    },

    async detach({ attachmentId }) {
      await kernel.removeLinks([linkNamesOf(attachmentId).hostIfname]);
    },

    async check({ attachment, attached, repair }) {
      if (!attachment || !attached) return [];
      const mtu = attached.interfaces.at(-1)?.mtu ?? 0;
      const plan = planRouted(attachment, mtu, { holder });
      const look = async () => [
        ...(await preparation.check(attachment, preparationPlan(attachment))),
        ...(await checkRouted(kernel, plan)),
      ];
      const mend = async () => {
        preparation.adopt(attachment, preparationPlan(attachment));
        await preparation.repair(attachment.network);
        await repairVethAttach(kernel, vethOf(plan), (mode) => attachBatches(plan, mode));
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

function vethOf(plan: RoutedPlan) {
  return { ...plan, podAddresses: plan.hops.map((hop) => hop.address) };
}

function preparationPlan(request: AttachRequest): PreparationPlan {
  return { bridge: GATEWAY_LINK, batches: () => networkBatches(request) };
}
