import type { Kernel, Link, NetnsPath } from "../../src/kernel/kernel.ts";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import type { PciDevices } from "../../src/kernel/pci-devices.ts";
import { cannotAttach, takenBySomebody } from "../../src/plugin-sdk/attach-errors.ts";
import { checkPodSide } from "../../src/plugin-sdk/check-pod-side.ts";
import type { HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import { LastFailures } from "../../src/plugin-sdk/last-failures.ts";
import {
  aliasNetworkOf,
  findLinkOwner,
  formatAlias,
  holderName,
} from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type DetachRequest,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import {
  applyPodLink,
  findPlaces,
  isNetns,
  isOwnedBy,
  requireNetns,
} from "../../src/plugin-sdk/pod-link.ts";
import { checkAndRepair } from "../../src/plugin-sdk/repair.ts";
import { CONFIG_SCHEMA, type DeviceKey, findDeviceKey } from "./config.ts";
import { type DeviceSearch, findDevice, type HostDeviceDetail } from "./find-device.ts";
import { type Original, originalOf, parseDeviceAlias, restoreBatches } from "./original.ts";
import { findInPod } from "./find-in-pod.ts";
import {
  attachResponse,
  type HostDevicePlan,
  moveBatches,
  planHostDevice,
  podBatch,
} from "./plan.ts";

export interface HostDeviceDeps {
  readonly kernel: Kernel;
  readonly pci: PciDevices;
  /** What it holds; a folder of its own. */
  readonly held: HeldAttachments<HostDeviceDetail>;
  /** Tells this host's links from those of another host on the node. Absent: it is alone. */
  readonly hostId?: string;
}

/** Milliseconds at least: the kernel needs tens of them for a namespace. */
const HOME_LIMIT_MS = 2000;
const HOME_LOOK_MS = 20;

/** A device of the node becomes the pod's, and the node's again. */
export function createHostDevicePlugin(deps: HostDeviceDeps): NetworkPlugin {
  const { kernel, pci, held } = deps;
  const holder = holderName("host-device", deps.hostId);
  const search: DeviceSearch = { kernel, pci, held, holder };
  const failures = new LastFailures();
  const takeTurn = createTurns();

  async function attach(request: AttachRequest): Promise<AttachResponse> {
    const netnsIdentity = await requireNetns(kernel, request);
    // One at a time: two pods that want one device must not both find it free.
    const plan = await takeTurn(() => take(request, netnsIdentity));
    const link = await kernel.findLink(plan.ifname, plan.netns);
    if (!link) throw cannotAttach(plan, new Error("It went away"));
    const batchesOf = () => [podBatch(plan, link)];
    await applyPodLink(kernel, plan, { isRepeat: true, batchesOf });
    return attachResponse(plan);
  }

  /** The device is in the pod after this, and written down. */
  async function take(request: AttachRequest, netnsIdentity: string): Promise<HostDevicePlan> {
    const { attachmentId, network, ifname, netns } = request;
    const known = held.find(attachmentId);
    const inPod = await kernel.findLink(ifname, netns as NetnsPath);
    if (inPod && !isOwnedBy(inPod, holder, attachmentId)) throw takenBySomebody(request);
    const link = inPod ?? (await onNode(request));
    // A file without an alias: somebody died before the device was touched, and it may be another one now.
    const earlier = isOwnedBy(link, holder, attachmentId) ? known : undefined;
    const original = originOf(link, earlier?.detail.original);
    const pciAddress = earlier?.detail.pciAddress ?? (await pciOf(request, inPod ? "" : link.name));
    const plan = planHostDevice(request, { original, pciAddress, holder });
    if (earlier?.netnsIdentity !== netnsIdentity || earlier.netns !== netns) {
      const pod = request.pod?.name ? `${request.pod.namespace}/${request.pod.name}` : "";
      const detail = { original, pciAddress, pod, isHardware: link.type === "" };
      const mac = plan.podMac;
      held.write({ attachmentId, network, netns, netnsIdentity, ifname, mac, detail });
    }
    if (inPod) return plan;
    try {
      const isRenamed = link.name !== original.name;
      await kernel.apply([
        ...(isRenamed ? restoreBatches(link, original) : []),
        ...moveBatches(plan),
      ]);
    } catch (cause) {
      throw cannot(`move ${link.name} to ${netns} as ${ifname}`, cause);
    }
    return plan;
  }

  /** sysfs does not show what pods have. */
  async function pciOf(request: AttachRequest, name: string): Promise<string> {
    const key = findDeviceKey(request);
    if (key?.kind === "pciBusID") return key.value;
    return name === "" ? "" : ((await pci.addressOf(name)) ?? "");
  }

  async function onNode(request: AttachRequest): Promise<Link> {
    const { attachmentId } = request;
    const known = held.find(attachmentId);
    // It came home from a namespace that went away, under the name that it had there.
    const returned = known && (await findOwned(attachmentId, known.detail.original.name));
    if (returned) return returned;
    return failures.watch(request, () => findDevice(search, requireKey(request), attachmentId));
  }

  async function detach(request: DetachRequest): Promise<void> {
    await untilHome(request);
    await takeTurn(() => give(request));
  }

  /**
   * The kernel takes a namespace apart after its last user is gone: a card comes home a moment later. Not
   * for ever: another process may keep the namespace alive, and then the alias tells whoever comes next.
   */
  async function untilHome({ attachmentId }: DetachRequest): Promise<void> {
    const known = held.find(attachmentId);
    if (!known?.detail.isHardware) return;
    if (await isNetns(kernel, known.netns, known.netnsIdentity)) return;
    const { name } = known.detail.original;
    const isHome = async () =>
      (await kernel.findLink(name)) !== undefined ||
      (await findOwned(attachmentId, name)) !== undefined;
    for (
      let waitedMs = 0;
      waitedMs < HOME_LIMIT_MS && !(await isHome());
      waitedMs += HOME_LOOK_MS
    ) {
      await new Promise((resolve) => setTimeout(resolve, HOME_LOOK_MS));
    }
  }

  async function give(request: DetachRequest): Promise<void> {
    const { attachmentId } = request;
    const known = held.find(attachmentId);
    for (const netns of await findPlaces(kernel, known, request)) {
      const isOwn = (each: Link) => isOwnedBy(each, holder, attachmentId);
      const isOthers = ({ alias }: Link) => isOfNeighbour(alias, attachmentId, netns);
      const link = findInPod(await kernel.links(netns), { known, isOwn, isOthers });
      if (!link) continue;
      const { name, alias } = originOf(link, known?.detail.original);
      const owned = isOwnedBy(link, holder, attachmentId) ? {} : { alias: aliasOf(known) ?? alias };
      const home = {
        kind: "set-link",
        name: link.name,
        netns: null,
        rename: name,
        ...owned,
      } as const;
      try {
        await kernel.apply([{ netns, operations: [home] }]);
      } catch (cause) {
        throw cannot(`bring ${link.name} of ${netns} back to the node as ${name}`, cause);
      }
    }
    const link = await findOwned(attachmentId, known?.detail.original.name ?? "");
    if (link) await restore(link, known?.detail.original);
    held.remove(attachmentId);
  }

  function isOfNeighbour(alias: string, attachmentId: string, netns: string): boolean {
    const owner = findLinkOwner(alias)?.attachmentId;
    return owner !== undefined && owner !== attachmentId && held.find(owner)?.netns === netns;
  }

  async function restore(link: Link, known: Original | undefined): Promise<void> {
    const original = originOf(link, known);
    try {
      await kernel.apply(restoreBatches(link, original));
    } catch (cause) {
      throw cannot(`make ${link.name} on the node ${original.name} again`, cause);
    }
  }

  /** The attachment's device on the node: under its old name, or under any. */
  async function findOwned(attachmentId: string, name: string): Promise<Link | undefined> {
    const isOwn = (link: Link) => isOwnedBy(link, holder, attachmentId);
    const link = await kernel.findLink(name);
    return link && isOwn(link) ? link : (await kernel.links()).find(isOwn);
  }

  function aliasOf(known: ReturnType<typeof held.find>): string | undefined {
    if (!known) return undefined;
    const { attachmentId, network } = known;
    return formatAlias({ plugin: holder, network, attachmentId });
  }

  return {
    info: {
      name: "host-device",
      version: "1.0.0",
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: ["CAPABILITY_ATTACH_IN_PARALLEL", "CAPABILITY_REPAIR"],
      configSchemaJson: JSON.stringify(CONFIG_SCHEMA),
    },

    attach,
    detach,

    async check({ attachment, attached, repair }) {
      if (!attachment || !attached) return [];
      const pod = attached.interfaces.at(-1);
      const asAttached = { ...attachment, mtu: pod?.mtu ?? 0, mac: pod?.mac ?? "" };
      const original = { name: "", mac: "", mtu: 0, up: false, alias: "" };
      const plan = planHostDevice(asAttached, { original, pciAddress: "", holder });
      const addresses = plan.addresses.map(({ address }) => address);
      const look = () => checkPodSide(kernel, plan, addresses);
      return checkAndRepair(look, repair ? () => attach(asAttached) : undefined);
    },

    async list({ network }) {
      const files = held.list().map(({ attachmentId, network: own, ifname, netns, detail }) => ({
        attachmentId,
        network: own,
        object: `${detail.original.name} as ${ifname} in ${netns}`,
      }));
      const known = new Set(files.map(({ attachmentId }) => attachmentId));
      // Without a file: what came home from a namespace that went away.
      const links = (await kernel.links()).flatMap((link) => {
        const owner = findLinkOwner(link.alias);
        if (owner?.plugin !== holder || known.has(owner.attachmentId)) return [];
        return [{ attachmentId: owner.attachmentId, network: owner.network, object: link.name }];
      });
      return [...files, ...links]
        .filter(
          (entry) => network === "" || [network, aliasNetworkOf(network)].includes(entry.network),
        )
        .map(({ attachmentId, object }) => ({ attachmentId, object }));
    },

    status: async (request) =>
      failures.status(request, () =>
        findDevice(search, requireKey({ ...request, device: null }), ""),
      ),
  };
}

function requireKey(request: Pick<AttachRequest, "configJson" | "device">): DeviceKey {
  const key = findDeviceKey(request);
  if (key) return key;
  const why =
    "exactly one of device, hwaddr and pciBusID must name the device, or the pod be given one";
  throw new PluginError("invalid-config", `Which device is not clear: ${why}`);
}

/** What the device was: by the file, by its alias, or as it is where nobody has touched it. */
function originOf(link: Link, known: Original | undefined): Original {
  return known ?? parseDeviceAlias(link.alias) ?? originalOf(link);
}

/** Calls run one after the other, each whatever became of the one before. */
function createTurns(): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run, run);
    last = mine.catch(() => {});
    return mine;
  };
}

function cannot(what: string, cause: unknown): PluginError {
  const isTaken = cause instanceof KernelError && cause.code === "EEXIST";
  const why = isTaken ? ": another link has that name" : "";
  return new PluginError("transient", `Cannot ${what}${why}`, { cause });
}
