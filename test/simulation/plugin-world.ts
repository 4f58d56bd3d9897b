import type { NetnsIdentity } from "../../src/kernel/kernel.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type Finding,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { drawKernelError } from "./kernel-errors.ts";
import { PLUGIN_NAMES } from "./networks.ts";
import type { Profile } from "./profile.ts";
import type { CallOwner, PortCalls } from "./port-calls.ts";
import type { Rng } from "./rng.ts";
import type { Held, World, WorldListener } from "./world.ts";

interface Link extends Held {
  readonly plugin: string;
  /** Undefined: an orphan that lies in no pod. */
  readonly inode: bigint | undefined;
  /** False: killed half-way, made but neither named nor addressed. */
  readonly isComplete: boolean;
}

/** How plugins are in this episode. */
export interface PluginManners {
  readonly profile: Pick<Profile, "parallel" | "fickle">;
  readonly rng: () => Rng;
}

/** Mistakes that a test puts in, to see that they are found. */
export interface PluginBugs {
  /** Detach takes away somebody else's attachment, for some ids. */
  readonly detachesWrong?: boolean;
}

/** A world of plugins that keep tables: no kernel below, fast. */
export class PluginWorld implements World {
  readonly #netns = new Map<string, bigint>();
  readonly #links = new Map<string, Link>();
  readonly #listener: WorldListener;
  readonly #bugs: PluginBugs;
  readonly #profile: PluginManners["profile"];
  readonly #rng: () => Rng;
  #inodes = 4_026_532_000n;

  constructor(listener: WorldListener, options: PluginBugs & PluginManners) {
    this.#listener = listener;
    this.#bugs = options;
    this.#profile = options.profile;
    this.#rng = options.rng;
  }

  async makeNetns(path: string): Promise<void> {
    this.#netns.set(path, this.#inodes++);
  }

  async removeNetns(path: string): Promise<void> {
    const inode = this.#netns.get(path);
    if (inode === undefined) return;
    this.#netns.delete(path);
    for (const link of [...this.#links.values()]) if (link.inode === inode) this.#remove(link);
  }

  async reboot(): Promise<void> {
    this.#netns.clear();
    for (const link of [...this.#links.values()]) this.#remove(link);
  }

  async identify(path: string): Promise<NetnsIdentity | undefined> {
    const inode = this.#netns.get(path);
    return inode === undefined ? undefined : { device: 4n, inode };
  }

  plugins(owner: CallOwner, calls: PortCalls): ReadonlyMap<string, NetworkPlugin> {
    return new Map(PLUGIN_NAMES.map((name) => [name, this.#plugin(name, owner, calls)]));
  }

  async injectOrphan(id: string, plugin: string): Promise<void> {
    const orphan = { id, plugin, network: "?", netns: "", ifname: "?", addresses: [] };
    this.#put({ ...orphan, inode: undefined, isComplete: true });
  }

  held(): ReadonlyMap<string, Held> {
    return this.#links;
  }

  toString(): string {
    return [...this.#links.values()]
      .map(({ id, netns, ifname, addresses }) => `${id} ${netns} ${ifname} ${addresses.join(" ")}`)
      .sort()
      .join("\n");
  }

  #plugin(name: string, owner: CallOwner, calls: PortCalls): NetworkPlugin {
    const submit = <T>(label: string, work: (partly: boolean) => T): Promise<T> =>
      calls.submit({ label: `${name}.${label}`, owner, work, error: drawPluginError });
    return {
      info: {
        name,
        version: "0.0.0",
        contractVersions: ["patchbay.plugin.v1"],
        roles: ["ROLE_NETWORK"],
        capabilities: this.#profile.parallel ? ["CAPABILITY_ATTACH_IN_PARALLEL"] : [],
        configSchemaJson: "",
      },
      attach: (request) =>
        submit(`attach ${short(request.attachmentId)}`, (partly) =>
          this.#attach(name, request, partly),
        ),
      detach: ({ attachmentId }) =>
        submit(`detach ${short(attachmentId)}`, () => this.#detach(attachmentId)),
      check: ({ attachment }) =>
        submit(`check ${short(attachment?.attachmentId ?? "")}`, () => this.#check(attachment)),
      list: ({ network }) => submit("list", () => this.#list(name, network)),
      status: () => submit("status", () => ({ ready: true, reason: "" })),
    };
  }

  #attach(plugin: string, request: AttachRequest, partly: boolean): AttachResponse {
    const { attachmentId: id, network, netns, ifname } = request;
    const inode = this.#netns.get(netns);
    if (inode === undefined) throw new PluginError("transient", `No namespace ${netns}`);
    const addresses = request.addresses.map((ip) => ip.address);
    for (const link of this.#links.values()) {
      if (link.id !== id && link.inode === inode && link.ifname === ifname) {
        throw new PluginError("interface-exists", `${ifname} exists in ${netns}`);
      }
    }
    const known = this.#links.get(id);
    if (known && (known.plugin !== plugin || known.inode !== inode)) {
      throw new PluginError("interface-exists", `Link of ${id} exists and is not ours`);
    }
    if (!known?.isComplete) {
      const held = { id, network, netns, ifname, addresses: partly ? [] : addresses };
      this.#put({ ...held, plugin, inode, isComplete: !partly });
    }
    return {
      interfaces: [
        {
          name: ifname,
          // Not what it answered before: a plugin that breaks its own idempotence.
          mac: this.#rng().chance(this.#profile.fickle) ? "02:00:00:00:00:02" : "02:00:00:00:00:01",
          mtu: 1500,
          sandbox: netns,
          pciId: "",
          socketPath: "",
        },
      ],
      addresses: request.addresses.map((ip) => ({ ...ip, interfaceIndex: 0 })),
      routes: [],
      dns: null,
      deviceInfoJson: "",
    };
  }

  #detach(id: string): void {
    const link =
      this.#bugs.detachesWrong && id.startsWith("7")
        ? [...this.#links.values()].find((other) => other.id !== id)
        : this.#links.get(id);
    if (link) this.#remove(link);
  }

  #check(request: AttachRequest | null): Finding[] {
    const link = this.#links.get(request?.attachmentId ?? "");
    if (link?.isComplete && this.#netns.get(link.netns) === link.inode) return [];
    const object = request?.ifname ?? "";
    return [{ kind: "link-missing", object, expected: "present", found: "", repaired: false }];
  }

  #list(plugin: string, network: string) {
    return [...this.#links.values()]
      .filter((link) => link.isComplete && link.plugin === plugin)
      .filter((link) => network === "" || link.network === network)
      .map((link) => ({ attachmentId: link.id, object: `link of ${link.id}` }));
  }

  #put(link: Link): void {
    this.#links.set(link.id, link);
    this.#listener.appeared(link);
  }

  #remove(link: Link): void {
    this.#links.delete(link.id);
    this.#listener.disappeared(link);
  }
}

function drawPluginError(rng: Rng): Error {
  const cause = drawKernelError(rng, "apply");
  if (rng.chance(0.3)) return cause;
  return new PluginError("transient", "The plugin cannot", { cause });
}

function short(id: string): string {
  return id.slice(0, 8);
}
