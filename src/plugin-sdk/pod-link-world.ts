/** A node and its pods, for tests of plugins whose links lie in the pod alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kernel, Link, NetnsPath } from "../kernel/kernel.ts";
import { HeldAttachments } from "./held-attachments.ts";
import type { AttachRequest, NetworkPlugin } from "./network-plugin.ts";
import { attachRequest } from "./sample-request.ts";

export interface PodLinkDeps<Detail> {
  readonly kernel: Kernel;
  readonly held: HeldAttachments<Detail>;
}

export interface PodLinkUnderTest<Detail> {
  readonly name: string;
  create(deps: PodLinkDeps<Detail>): NetworkPlugin;
  /** Makes what a network needs of the node under a name of its own, and says its configuration. */
  equip(kernel: Kernel, name: string): Promise<object>;
}

export interface PodLinkWorld extends AsyncDisposable {
  readonly kernel: Kernel;
  readonly plugin: NetworkPlugin;
  readonly folder: string;
  /** The plugin in a process that knows nothing. */
  restart(): NetworkPlugin;
  /** An order for a pod whose namespace was made, on a network that was equipped. */
  pod(name: string, change?: Partial<AttachRequest>): Promise<AttachRequest>;
  /** Name of what equip() made for the last pod(). */
  readonly device: string;
}

let worlds = 0;

export async function openPodLinkWorld<Detail>(
  tested: PodLinkUnderTest<Detail>,
  kernel: Kernel,
): Promise<PodLinkWorld> {
  const prefix = `pl${process.pid % 10_000}x${++worlds}`;
  const folder = mkdtempSync(join(tmpdir(), "patchbay-held-"));
  const restart = () => tested.create({ kernel, held: new HeldAttachments<Detail>(folder) });
  const namespaces: NetnsPath[] = [];
  const devices: string[] = [];
  return {
    kernel,
    folder,
    plugin: restart(),
    restart,
    get device() {
      return devices.at(-1) ?? "";
    },
    async pod(name, change = {}) {
      const netns = `/run/netns/${prefix}-${name}` as NetnsPath;
      await kernel.createNetns(netns);
      namespaces.push(netns);
      const device = `${prefix}${name}`;
      const config = await tested.equip(kernel, device);
      devices.push(device);
      const network = change.network ?? prefix;
      return attachRequest({
        attachmentId: `${prefix}-${name}`,
        netns,
        network,
        configJson: JSON.stringify({ name: network, ...config }),
        ...change,
      });
    },
    async [Symbol.asyncDispose]() {
      for (const netns of namespaces) await kernel.deleteNetns(netns);
      await kernel.removeLinks(devices).catch(() => {});
      await kernel.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function podLink(world: PodLinkWorld, request: AttachRequest): Promise<Link | undefined> {
  return world.kernel.findLink(request.ifname, request.netns as NetnsPath);
}
