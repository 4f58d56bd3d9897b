import type { Kernel, NetnsPath } from "../../src/kernel/kernel.ts";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import type { HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import {
  findLinkOwner,
  formatAlias,
  holderName,
  linkNamesOf,
} from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  can,
  type Capability,
  type DetachRequest,
  type Finding,
  type NetworkPlugin,
  PluginError,
  type PluginInfo,
} from "../../src/plugin-sdk/network-plugin.ts";
import { isNetns, requireNetns } from "../../src/plugin-sdk/pod-link.ts";
import { checkAndRepair, findingKey } from "../../src/plugin-sdk/repair.ts";
import { checkTuning } from "./check.ts";
import { readTuning, type Tuning } from "./config.ts";
import { findEnds } from "./ends.ts";
import { type Ends, ifbNameOf, planShape, type ShapedLink, tuningBatches } from "./plan.ts";
import { SYSCTL_ALLOW_LIST } from "./sysctls.ts";

export interface TuningDeps {
  readonly kernel: Kernel;
  /** Tells this host's links from those of another host on the node. Absent: it is alone. */
  readonly hostId?: string;
  /** Sysctls that networks may set; absent: SYSCTL_ALLOW_LIST. */
  readonly sysctlAllowList?: readonly string[] | undefined;
  /** Where the ifbs are that lie in pods, of this plugin's attachments alone. Absent: they go with their pods. */
  readonly held?: HeldAttachments | undefined;
}

/**
 * A network plugin that also does what any network may ask of an interface - MTU, queue length, promiscuous
 * mode, sysctls, rates - after the plugin has made it. The plugin hears nothing of it but the MTU; one that
 * limits rates itself (CAPABILITY_BANDWIDTH) keeps them. What asks for nothing goes straight through.
 */
export function withTuning(inner: NetworkPlugin, deps: TuningDeps): NetworkPlugin {
  const { kernel, held, sysctlAllowList = SYSCTL_ALLOW_LIST } = deps;
  const holder = holderName(`${inner.info.name}+ifb`, deps.hostId);
  const shapes = !can(inner, "CAPABILITY_BANDWIDTH");
  const read = (request: Parameters<typeof readTuning>[0]) =>
    readTuning(request, { sysctlAllowList, shapes });
  // What was allowed once stays wanted: a shorter list is for new attachments.
  const readAttached = (request: AttachRequest) =>
    readTuning(request, { sysctlAllowList: ["net.*"], shapes });

  function shapeOf(
    request: AttachRequest,
    { tuning, ends, mtu }: { readonly tuning: Tuning; readonly ends: Ends; readonly mtu: number },
  ): ShapedLink | undefined {
    const { attachmentId } = request;
    const ifbAlias = formatAlias({ ...request, plugin: holder });
    return planShape(tuning, { ends, mtu: tuning.mtu ?? mtu, attachmentId, ifbAlias });
  }

  async function tune(
    request: AttachRequest,
    { tuning, attached }: { readonly tuning: Tuning; readonly attached: AttachResponse },
  ): Promise<Ends> {
    const ends = await findEnds(kernel, { request, attached });
    const { ifname, netns } = request;
    if (!ends) {
      throw new PluginError("transient", `${ifname} in ${netns} was gone before it was tuned`);
    }
    const shape = shapeOf(request, { tuning, ends, mtu: mtuOf(request, { attached, ends }) });
    try {
      // Written down first: an ifb in a pod is found by nothing else.
      if (shape?.netns !== undefined && shape.received) await hold(request, ends.pod.mac);
      await kernel.apply(tuningBatches(tuning, { ends, shape }));
    } catch (cause) {
      throw tuningError(request, cause);
    }
    return ends;
  }

  async function hold(request: AttachRequest, mac: string): Promise<void> {
    const { attachmentId, network, netns, ifname } = request;
    const netnsIdentity = await requireNetns(kernel, request);
    held?.write({ attachmentId, network, netns, netnsIdentity, ifname, mac, detail: null });
  }

  /**
   * Removes the attachment's ifb, unless it is known to lie in a pod. On the node it is removed unseen and in
   * the same turn as what the plugin removes: the kernel takes as long for several links as for one, and
   * one that is not there is none.
   */
  async function removeIfb(request: DetachRequest): Promise<void> {
    const { attachmentId } = request;
    const name = ifbNameOf(attachmentId);
    const [nodeEnd] = await Promise.all([
      // Asked before the plugin removes it.
      kernel.findLink(linkNamesOf(attachmentId).hostIfname),
      kernel.removeLinks([name]),
    ]);
    // Who has a node's end has no ifb in the pod, so that most need not look there.
    if (!nodeEnd) await kernel.removeLinks(...(await findInPod(request)));
  }

  /** The ifb in the pod's namespace. */
  async function findInPod(request: DetachRequest): Promise<Removal> {
    const { attachmentId } = request;
    const name = ifbNameOf(attachmentId);
    const known = held?.find(attachmentId);
    const isKnown = known && (await isNetns(kernel, known.netns, known.netnsIdentity));
    const netns = (isKnown ? known.netns : request.netns) as NetnsPath;
    const isInPod = netns !== "" && (await isThere(kernel, { name, netns }));
    return isInPod ? [[name], netns] : [[]];
  }

  async function removeHeldIfb(attachmentId: string, removal: Removal): Promise<void> {
    await kernel.removeLinks(...removal);
    held?.remove(attachmentId);
  }

  async function checkOwn(
    request: AttachRequest,
    options: { readonly tuning: Tuning; readonly attached: AttachResponse },
  ): Promise<Finding[]> {
    const { tuning, attached } = options;
    const ends = await findEnds(kernel, { request, attached });
    // Of a link that is gone the plugin itself tells.
    if (!ends) return [];
    const mtu = mtuOf(request, { attached, ends });
    return checkTuning(kernel, tuning, {
      ends,
      shape: shapeOf(request, { tuning, ends, mtu }),
    });
  }

  return {
    get info() {
      return tunedInfo(inner.info);
    },

    async attach(request) {
      const tuning = read(request);
      if (tuning === undefined) return inner.attach(request);
      const attached = await inner.attach(innerRequest(request, { tuning, shapes }));
      const ends = await tune(request, { tuning, attached });
      return tunedAnswer(attached, { request, tuning, ends });
    },

    async detach(request) {
      const { attachmentId } = request;
      // What lies in the pod is found first, so that it is removed in one turn with the plugin's own.
      const inPod = held?.find(attachmentId) && (await findInPod(request));
      const results = await Promise.allSettled([
        inPod ? removeHeldIfb(attachmentId, inPod) : removeIfb(request),
        inner.detach(request),
      ]);
      const failures = results.flatMap((result) =>
        result.status === "rejected" ? [result.reason as unknown] : [],
      );
      if (failures.length > 1) {
        const cause = new AggregateError(failures);
        throw new PluginError("transient", `Cannot detach ${request.attachmentId}`, { cause });
      }
      if (failures.length > 0) throw failures[0];
    },

    async check(request) {
      const { attachment, attached } = request;
      const repair = request.repair && can(inner, "CAPABILITY_REPAIR");
      const tuning = attachment ? readAttached(attachment) : undefined;
      if (!attachment || !attached || tuning === undefined) {
        return inner.check({ ...request, repair });
      }
      const order = innerRequest(attachment, { tuning, shapes });
      const theirs = await inner.check({ attachment: order, attached, repair });
      const known = new Set(theirs.map(findingKey));
      const look = async () => {
        const own = await checkOwn(attachment, { tuning, attached });
        return own.filter((each) => !known.has(findingKey(each)));
      };
      const mend = request.repair ? () => tune(attachment, { tuning, attached }) : undefined;
      return [...theirs, ...(await checkAndRepair(look, mend))];
    },

    async list(request) {
      const [theirs, links] = await Promise.all([inner.list(request), kernel.links()]);
      const known = new Set(theirs.map((entry) => entry.attachmentId));
      const onNode = links.flatMap(({ name, alias }) => {
        const owner = findLinkOwner(alias);
        return owner?.plugin === holder ? [{ ...owner, object: name }] : [];
      });
      const inPods = (held?.list() ?? []).map((entry) => ({
        ...entry,
        object: `${ifbNameOf(entry.attachmentId)} in ${entry.netns}`,
      }));
      const left = [...onNode, ...inPods]
        .filter(({ attachmentId }) => !known.has(attachmentId))
        .filter(({ network }) => request.network === "" || network === request.network)
        .map(({ attachmentId, object }) => ({ attachmentId, object }));
      return [...theirs, ...left];
    },

    async status(request) {
      try {
        read({
          ...request,
          ifname: "eth0",
          addresses: [],
          requestedAddresses: [],
          bandwidth: null,
        });
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        return { ready: false, reason: error.message };
      }
      return inner.status(request);
    },

    ...(inner.repairNetwork
      ? {
          repairNetwork: async (request) =>
            (await inner.repairNetwork?.({
              ...request,
              attachments: request.attachments.map((each) => ({
                ...each,
                bandwidth: shapes ? null : each.bandwidth,
              })),
            })) ?? [],
        }
      : {}),
  };
}

/** Of every plugin that is tuned: rates are limited, and what differs is mended. */
const OWN_CAPABILITIES: readonly Capability[] = ["CAPABILITY_BANDWIDTH", "CAPABILITY_REPAIR"];

function tunedInfo(info: PluginInfo): PluginInfo {
  return { ...info, capabilities: [...new Set([...info.capabilities, ...OWN_CAPABILITIES])] };
}

/** The order as the plugin gets it: the MTU is its affair where it knows how, rates are ours. */
function innerRequest(
  request: AttachRequest,
  { tuning, shapes }: { readonly tuning: Tuning; readonly shapes: boolean },
): AttachRequest {
  return {
    ...request,
    mtu: tuning.mtu ?? request.mtu,
    bandwidth: shapes ? null : request.bandwidth,
  };
}

function tunedAnswer(
  answer: AttachResponse,
  options: { readonly request: AttachRequest; readonly tuning: Tuning; readonly ends: Ends },
): AttachResponse {
  const { request, tuning, ends } = options;
  const { mtu } = tuning;
  if (mtu === undefined) return answer;
  const pod = podInterface(request, answer);
  return {
    ...answer,
    interfaces: answer.interfaces.map((each) => {
      const isNode = each.sandbox === "" && each.name === ends.node?.name;
      return each === pod || isNode ? { ...each, mtu } : each;
    }),
  };
}

/** What packets are planned for: as the plugin said, not as somebody made it since. */
function mtuOf(
  request: AttachRequest,
  { attached, ends }: { readonly attached: AttachResponse; readonly ends: Ends },
): number {
  return podInterface(request, attached)?.mtu || ends.pod.mtu;
}

function podInterface({ netns, ifname }: AttachRequest, { interfaces }: AttachResponse) {
  return interfaces.find((each) => each.name === ifname && each.sandbox === netns);
}

/** Arguments of removeLinks(). */
type Removal = readonly [names: readonly string[], netns?: NetnsPath];

/** In a namespace that is gone there is nothing. */
async function isThere(
  kernel: Kernel,
  { name, netns }: { readonly name: string; readonly netns: NetnsPath },
): Promise<boolean> {
  try {
    return (await kernel.findLink(name, netns)) !== undefined;
  } catch (error) {
    if (error instanceof KernelError && (await kernel.netnsIdentity(netns)) === undefined)
      return false;
    throw error;
  }
}

/** A sysctl that this kernel does not have, or a value that it does not take, will not come by waiting. */
function tuningError({ ifname, netns }: AttachRequest, cause: unknown): PluginError {
  if (cause instanceof KernelError && cause.operation === "set-sysctl") {
    const isWrong = ["ENOENT", "EINVAL", "EACCES", "EPERM", "ERANGE"].includes(cause.code);
    if (isWrong)
      return new PluginError("invalid-config", `tuning.sysctls: ${cause.message}`, { cause });
  }
  return new PluginError("transient", `Cannot tune ${ifname} in ${netns}`, { cause });
}
