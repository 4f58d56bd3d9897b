import { createRoutedPlugin } from "../../plugins/routed/plugin.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type CheckRequest,
  type DetachRequest,
  type Finding,
  type ListedAttachment,
  type ListRequest,
  PluginError,
  type PluginInfo,
  type RepairNetworkRequest,
  type StatusRequest,
  type StatusResponse,
} from "../../src/plugin-sdk/network-plugin.ts";
import type { ProcessExit } from "../../src/conformance/plugin-process.ts";

/** A plugin as the wire sees it, with everything that a fault can be in. */
export interface TestPlugin {
  getInfo(request: { readonly contractVersions: readonly string[] }): Promise<PluginInfo>;
  attach(request: AttachRequest, wire: WireFacts): Promise<AttachResponse>;
  detach(request: DetachRequest): Promise<void>;
  check(request: CheckRequest): Promise<readonly Finding[]>;
  list(request: ListRequest): Promise<readonly ListedAttachment[]>;
  status(request: StatusRequest): Promise<StatusResponse>;
  repairNetwork(request: RepairNetworkRequest): Promise<readonly Finding[]>;
  health(): "SERVING" | "NOT_SERVING";
  onStart(): Promise<void>;
  /** SIGTERM. */
  onStop(): Promise<ProcessExit>;
}

export interface WireFacts {
  /** The request had fields that nobody knows. */
  readonly hasUnknownFields: boolean;
}

/** What outlives the process. */
export class Disk {
  /** Orders of what is attached, by id. */
  readonly attached = new Map<string, AttachRequest>();
  /** Ids of what was attached and is no more. */
  readonly detached = new Set<string>();
  /** Ids that Attach was ever called for. */
  readonly seen = new Set<string>();
  /** For faults. */
  readonly marks = new Set<string>();
}

/** One life of the plugin's process. */
export interface Life {
  /** The first one is 1. */
  readonly number: number;
  /** Hangs for ever once the process is dead. */
  readonly kernel: Kernel;
  readonly disk: Disk;
  /** Ids that this process has attached. */
  readonly memory: Set<string>;
  /** Ends the process as a bug would. */
  readonly crash: () => void;
  /** Resolves after a while; never once the process is dead. */
  readonly delay: (milliseconds: number) => Promise<void>;
}

/** The configurations of the kit's runs. */
export const GOOD_CONFIG = { colour: "green" };
export const WRONG_CONFIG = { colour: "ultraviolet" };

const SCHEMA = { type: "object", properties: { colour: { type: "string" } } };

/** A plugin that keeps every rule: `routed`, with a key that can be wrong. */
export function createTestPlugin(life: Life): TestPlugin {
  const { kernel, disk, memory } = life;
  const routed = createRoutedPlugin({ kernel, nftables: new FakeNftables() });
  const info: PluginInfo = {
    ...routed.info,
    name: "test-plugin",
    configSchemaJson: JSON.stringify(SCHEMA),
  };
  return {
    getInfo: async () => info,
    async attach(request) {
      const { attachmentId } = request;
      disk.seen.add(attachmentId);
      const { colour } = JSON.parse(request.configJson) as { colour: string };
      if (colour !== GOOD_CONFIG.colour) {
        throw new PluginError("invalid-config", `colour is ${colour}: nobody sees that`);
      }
      const answer = await routed.attach(request);
      disk.attached.set(attachmentId, request);
      memory.add(attachmentId);
      return answer;
    },
    async detach(request) {
      await routed.detach(request);
      const { attachmentId } = request;
      memory.delete(attachmentId);
      if (disk.attached.delete(attachmentId)) disk.detached.add(attachmentId);
    },
    check: (request) => routed.check(request),
    list: (request) => routed.list(request),
    status: (request) => routed.status(request),
    repairNetwork: async (request) => (await routed.repairNetwork?.(request)) ?? [],
    health: () => "SERVING",
    onStart: async () => {},
    onStop: async () => ({ code: 0, signal: null }),
  };
}
