import type { Kernel, Link, NetnsPath } from "../../src/kernel/kernel.ts";
import type { KernelError } from "../../src/kernel/kernel-error.ts";
import { takenBySomebody } from "../../src/plugin-sdk/attach-errors.ts";
import { finding } from "../../src/plugin-sdk/findings.ts";
import type { HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import { LastFailures } from "../../src/plugin-sdk/last-failures.ts";
import { formatAlias, holderName, linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type DetachRequest,
  type Finding,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import {
  applyPodLink,
  findPlaces,
  isOwnedBy,
  requireNetns,
} from "../../src/plugin-sdk/pod-link.ts";
import type { AttachMode } from "../../src/plugin-sdk/pod-side.ts";
import { checkAndRepair } from "../../src/plugin-sdk/repair.ts";
import { checkMacvlan } from "./check.ts";
import { CONFIG_SCHEMA, readMacvlanConfig } from "./config.ts";
import { findMaster } from "./find-master.ts";
import { attachBatches, attachResponse, type MacvlanPlan, planMacvlan } from "./plan.ts";

export interface MacvlanDeps {
  readonly kernel: Kernel;
  /** What it holds; a folder of its own. */
  readonly held: HeldAttachments<MacvlanDetail>;
  /** Tells this host's links from those of another host on the node. Absent: it is alone. */
  readonly hostId?: string;
}

/** The master, to name who has it: a macvlan says nothing to the link that it sits on. */
export interface MacvlanDetail {
  readonly master: string;
}

/** Pods on the node's own layer 2: a macvlan each, made in the pod, with a MAC address of its own. */
export function createMacvlanPlugin(deps: MacvlanDeps): NetworkPlugin {
  const { kernel, held } = deps;
  const holder = holderName("macvlan", deps.hostId);
  const failures = new LastFailures();

  async function attach(request: AttachRequest): Promise<AttachResponse> {
    const netnsIdentity = await requireNetns(kernel, request);
    const master = await failures.watch(request, () => masterOf(kernel, request));
    const found = await findOwn(kernel, request, { holder, master });
    const plan = planMacvlan(request, { master, holder, found });
    hold(plan, request, netnsIdentity);
    await make(plan, found ? "repeat" : "create");
    return attachResponse(plan);
  }

  async function repair(plan: MacvlanPlan, request: AttachRequest): Promise<void> {
    const netnsIdentity = await requireNetns(kernel, request);
    const link = await kernel.findLink(plan.ifname, plan.netns);
    const isOwn = link !== undefined && isOwnedBy(link, holder, request.attachmentId);
    if (link && !isOwn) throw takenBySomebody(request);
    hold(plan, request, netnsIdentity);
    // Mode and master of a macvlan are for ever.
    const isRight =
      link?.macvlanMode === plan.config.mode &&
      (link.linkIfindex === plan.master.ifindex || plan.master.type === "macvlan");
    if (link && !isRight) await kernel.removeLinks([plan.ifname], plan.netns);
    await make(plan, isRight ? "repair" : "create");
  }

  function hold(plan: MacvlanPlan, request: AttachRequest, netnsIdentity: string): void {
    const { attachmentId, network } = request;
    const known = held.find(attachmentId);
    const { netns, ifname, podMac: mac } = plan;
    if (known?.netnsIdentity === netnsIdentity && known.netns === netns && known.mac === mac)
      return;
    const detail = { master: plan.config.linkInContainer ? "" : plan.master.name };
    held.write({ attachmentId, network, netns, netnsIdentity, ifname, mac, detail });
  }

  async function make(plan: MacvlanPlan, mode: AttachMode): Promise<void> {
    const batchesOf = (isRepeat: boolean) =>
      attachBatches(plan, isRepeat && mode === "create" ? "repeat" : mode);
    const explain = (error: KernelError) => explainRefusal(error, plan, held);
    await applyPodLink(kernel, plan, { isRepeat: mode !== "create", batchesOf, explain });
  }

  async function detach(request: DetachRequest): Promise<void> {
    const { attachmentId } = request;
    const known = held.find(attachmentId);
    const macs = [linkNamesOf(attachmentId).podMac, ...(known ? [known.mac] : [])];
    for (const netns of await findPlaces(kernel, known, request)) {
      const own = (await kernel.links(netns)).filter(
        (link) =>
          isOwnedBy(link, holder, attachmentId) ||
          // Made by an Attach that was killed before it could set the alias.
          (isBare(link, macs) && link.name === (known?.ifname ?? request.ifname)),
      );
      await kernel.removeLinks(
        own.map((link) => link.name),
        netns,
      );
    }
    held.remove(attachmentId);
  }

  return {
    info: {
      name: "macvlan",
      version: "1.0.0",
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: ["CAPABILITY_ATTACH_IN_PARALLEL", "CAPABILITY_REPAIR"],
      configSchemaJson: JSON.stringify(CONFIG_SCHEMA),
    },

    attach,
    detach,

    async check({ attachment, attached, repair: mends }) {
      if (!attachment || !attached) return [];
      const pod = attached.interfaces.at(-1);
      const asAttached = { ...attachment, mtu: pod?.mtu ?? 0, mac: pod?.mac ?? "" };
      const master = await findMasterOf(kernel, attachment);
      if (!master) return whenMasterIsGone(attachment);
      const plan = planMacvlan(asAttached, { master, holder });
      const look = () => checkMacvlan(kernel, plan);
      return checkAndRepair(look, mends ? () => repair(plan, attachment) : undefined);
    },

    list: async ({ network }) =>
      held
        .list()
        .filter((entry) => network === "" || entry.network === network)
        .map(({ attachmentId, ifname, netns }) => ({
          attachmentId,
          object: `${ifname} in ${netns}`,
        })),

    status: async (request) => {
      const config = readMacvlanConfig(request.configJson);
      // In a pod there is none until the pod is there.
      if (config.linkInContainer) return { ready: true, reason: "" };
      return failures.status(request, () => findMaster(kernel, config, "" as NetnsPath));
    },
  };
}

function masterOf(kernel: Kernel, { configJson, netns }: AttachRequest): Promise<Link> {
  return findMaster(kernel, readMacvlanConfig(configJson), netns as NetnsPath);
}

/** Undefined: it is not there, or carries no macvlans any more. */
async function findMasterOf(kernel: Kernel, request: AttachRequest): Promise<Link | undefined> {
  try {
    return await masterOf(kernel, request);
  } catch (error) {
    if (error instanceof PluginError) return undefined;
    throw error;
  }
}

/** A macvlan goes with its master, and nothing brings it back but that. */
function whenMasterIsGone({ configJson, ifname }: AttachRequest): Finding[] {
  const { master } = readMacvlanConfig(configJson);
  const name = master === "" ? "the link of the default route" : master;
  return [
    finding("master-missing", name, "present", ""),
    finding("link-missing", ifname, "present", ""),
  ];
}

/** The attachment's link, undefined when it is not made. Throws PluginError "interface-exists" for another's. */
async function findOwn(
  kernel: Kernel,
  request: AttachRequest,
  options: { readonly holder: string; readonly master: Link },
): Promise<Link | undefined> {
  const { holder, master } = options;
  const link = await kernel.findLink(request.ifname, request.netns as NetnsPath);
  if (!link) return undefined;
  const alias = formatAlias({ plugin: holder, ...request });
  const macs = [request.mac, linkNamesOf(request.attachmentId).podMac, master.mac];
  if (link.alias === alias || isBare(link, macs)) return link;
  throw takenBySomebody(request);
}

/** A macvlan with one of these addresses that nobody has named yet. */
function isBare(link: Link, macs: readonly string[]): boolean {
  return link.type === "macvlan" && link.alias === "" && macs.includes(link.mac);
}

/** EINVAL and EBUSY of macvlan_common_newlink() and macvlan_port_create() in words. */
function explainRefusal(
  error: KernelError,
  plan: MacvlanPlan,
  held: HeldAttachments<MacvlanDetail>,
): PluginError | undefined {
  if (error.operation !== "add-link") return undefined;
  const { master, config } = plan;
  if (error.code === "EBUSY") {
    const why = `${master.name} is in use by something else that takes its packets`;
    return new PluginError("transient", `Cannot make a macvlan: ${why}`, { cause: error });
  }
  if (error.code !== "EINVAL") return undefined;
  const others = held
    .list()
    .filter(({ detail, netns, ifname }) => {
      const isSame = netns === plan.netns && ifname === plan.ifname;
      return detail.master === master.name && !isSame;
    })
    .map(({ ifname, netns, network }) => `${ifname} in ${netns} (network ${network})`);
  const who = others.length > 0 ? `: ${others.slice(0, 3).join(", ")}` : "";
  const why =
    config.mode === "passthru"
      ? `${master.name} carries another macvlan, and mode passthru takes it alone${who}`
      : `${master.name} may be taken by a macvlan of mode passthru${who}`;
  return new PluginError("transient", `Cannot make a macvlan: ${why}`, { cause: error });
}
