import type { Kernel } from "../../src/kernel/kernel.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import { attachBridgedPod, repairBridgedPod } from "../../src/plugin-sdk/attach-bridged-pod.ts";
import { bridgedPodResponse } from "../../src/plugin-sdk/bridged-pod.ts";
import { checkBridgedPod } from "../../src/plugin-sdk/check-bridged-pod.ts";
import { finding } from "../../src/plugin-sdk/findings.ts";
import { LastFailures } from "../../src/plugin-sdk/last-failures.ts";
import { holderName, linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type Finding,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { NodePreparation, type PreparationPlan } from "../../src/plugin-sdk/node-preparation.ts";
import { announce } from "../../src/plugin-sdk/pod-link.ts";
import { checkAndRepair } from "../../src/plugin-sdk/repair.ts";
import { listVethLinks } from "../../src/plugin-sdk/veth.ts";
import { CONFIG_SCHEMA, readVxlanConfig } from "./config.ts";
import { networkBatches, planPod, planSegment, type SegmentPlan } from "./plan.ts";
import { applySegment, checkSegment } from "./segment.ts";
import { findUnderlay } from "./underlay.ts";

export interface VxlanDeps {
  readonly kernel: Kernel;
  readonly nftables: Nftables;
  /** Tells this host's links from those of another host on the node. Absent: it is alone. */
  readonly hostId?: string;
}

/** What a network and its configuration are. */
type NetworkConfig = Pick<AttachRequest, "network" | "configJson">;

/** Pods of many nodes on one layer 2: a bridge on each node, joined by a vxlan link to all the others. */
export function createVxlanPlugin(deps: VxlanDeps): NetworkPlugin {
  const { kernel } = deps;
  const preparation = new NodePreparation(deps);
  const failures = new LastFailures();
  const holder = holderName("vxlan", deps.hostId);
  /** Segments made by this process, by network: as the configuration in force says. */
  const made = new Map<
    string,
    { readonly configJson: string; readonly segment: Promise<SegmentPlan> }
  >();

  const planOf = async ({ network, configJson }: NetworkConfig): Promise<SegmentPlan> => {
    const underlay = await findUnderlay(kernel, readVxlanConfig(configJson));
    return planSegment({ network, configJson }, { underlay, holder });
  };

  /** Once for each configuration of a network. */
  function ensureSegment(request: AttachRequest): Promise<SegmentPlan> {
    const { network, configJson } = request;
    const known = made.get(network);
    if (known?.configJson === configJson) return known.segment;
    const segment = failures.watch(request, async () => {
      const plan = await planOf(request);
      await preparation.ensure(request, preparationPlan(request, plan));
      await applySegment(kernel, plan);
      return plan;
    });
    made.set(network, { configJson, segment });
    segment.catch(() => forget(network, segment));
    return segment;
  }

  function forget(network: string, segment: Promise<SegmentPlan>): void {
    if (made.get(network)?.segment === segment) made.delete(network);
  }

  async function attach(request: AttachRequest): Promise<AttachResponse> {
    const segment = await ensureSegment(request);
    // Another pod's gateway may be another one.
    await preparation.ensure(request, preparationPlan(request, segment));
    const plan = planPod(request, segment, holder);
    await attachBridgedPod(kernel, plan);
    await announce(kernel, plan);
    return bridgedPodResponse(plan);
  }

  return {
    info: {
      name: "vxlan",
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
        const { bridge } = readVxlanConfig(request.configJson);
        if (!made.has(request.network) || (await kernel.findLink(bridge))) throw error;
        // Somebody deleted the bridge since it was made.
        made.delete(request.network);
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
      const segment = await planOf(attachment).catch(whenUnderlayIsGone);
      if (Array.isArray(segment)) return segment;
      const plan = planPod({ ...attachment, mtu }, { ...segment, mtu }, holder);
      // Of another configuration nobody knows here whether it is older or newer.
      const withEntries = made.get(attachment.network)?.configJson === attachment.configJson;
      const look = async () => [
        ...(await preparation.check(attachment, preparationPlan(attachment, segment))),
        ...(await checkSegment(kernel, segment, { withEntries })),
        ...(await checkBridgedPod(kernel, plan)),
      ];
      const mend = async () => {
        preparation.adopt(attachment, preparationPlan(attachment, segment));
        await preparation.repair(attachment.network);
        if ((await checkSegment(kernel, segment, { withEntries })).length > 0) {
          await applySegment(kernel, segment);
        }
        await repairBridgedPod(kernel, plan);
      };
      return checkAndRepair(look, repair ? mend : undefined);
    },

    list: ({ network }) => listVethLinks(kernel, { plugin: holder, network }),

    async status(request) {
      const status = preparation.status(request);
      return status.ready ? failures.status(request, () => planOf(request)) : status;
    },

    async repairNetwork({ network, configJson, attachments }) {
      const inForce = configJson || attachments[0]?.configJson;
      if (inForce === undefined || inForce === "") return [];
      const segment = await planOf({ network, configJson: inForce });
      const remaining = attachments.filter((request) => request.configJson === inForce);
      const adopted = remaining.length > 0 ? remaining : attachments.slice(0, 1);
      for (const request of adopted) preparation.adopt(request, preparationPlan(request, segment));
      const findings = await preparation.repair(network);
      const look = () => checkSegment(kernel, segment, { withEntries: true });
      const mended = await checkAndRepair(look, () => applySegment(kernel, segment));
      made.set(network, { configJson: inForce, segment: Promise.resolve(segment) });
      return [...findings, ...mended];
    },
  };
}

/** Nothing of a segment can be looked at, or mended, without what carries it. */
function whenUnderlayIsGone(error: unknown): Finding[] {
  if (!(error instanceof PluginError)) throw error;
  return [finding("underlay-missing", "segment", "present", error.message)];
}

function preparationPlan(request: AttachRequest, segment: SegmentPlan): PreparationPlan {
  return { bridge: segment.port.bridge, batches: () => networkBatches(request, segment) };
}
