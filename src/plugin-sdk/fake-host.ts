import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectNetworkPlugin, type NetworkPluginClient } from "../rpc/network-plugin-client.ts";
import { expectAttachAnswer, expectFindings } from "./expect-answer.ts";
import {
  type AttachRequest,
  type AttachResponse,
  can,
  detachRequestOf,
  detachRequestOfId,
  type DetachRequest,
  type Finding,
  type ListedAttachment,
  type NetworkPlugin,
  NO_WISHES,
  type PluginInfo,
  type StatusResponse,
} from "./network-plugin.ts";
import { serve } from "./serve.ts";

export interface FakeHostOptions {
  /** Longest time of each call, ms. Default 10,000. */
  readonly deadlineMs?: number;
  /** What every order has unless it says otherwise, for example the plugin's own `configJson`. */
  readonly order?: Partial<AttachRequest>;
}

/**
 * Speaks to a plugin over its socket as a host does, for tests of plugins. Failures reject with
 * PluginError; its `kind` is what the host makes of the status.
 */
export interface FakeHost extends AsyncDisposable {
  readonly info: PluginInfo;
  /** An order as attach() would give it. */
  orderOf(change?: Partial<AttachRequest>): AttachRequest;
  /**
   * Attaches, and remembers it by its attachmentId ("fake-1" unless named). Rejects with Error for an
   * answer that a host would refuse.
   */
  attach(change?: Partial<AttachRequest>): Promise<AttachResponse>;
  /** Detaches what attach() made; of an unknown attachmentId with what a host knows of an orphan: nothing more. */
  detach(change?: Partial<DetachRequest>): Promise<void>;
  /** Checks what attach() made. Throws Error for an attachment that it did not make. */
  check(which?: {
    readonly attachmentId?: string;
    readonly repair?: boolean;
  }): Promise<readonly Finding[]>;
  /** Of one network, or of all. */
  list(network?: string): Promise<readonly ListedAttachment[]>;
  status(): Promise<StatusResponse>;
  repairNetwork(): Promise<readonly Finding[]>;
  health(): Promise<"serving" | "not-serving">;
  /** The same calls without defaults and memory. */
  readonly client: NetworkPluginClient;
}

const ATTACHMENT_ID = "fake-1";

/**
 * Connects to a plugin: to the socket of one that runs, or to one of this process, which is served in a
 * temporary folder. Rejects with Error for what a host would not take for a network plugin.
 */
export async function fakeHost(
  plugin: NetworkPlugin | string,
  options: FakeHostOptions = {},
): Promise<FakeHost> {
  const { socketPath, release } = await reach(plugin);
  const limitMs = options.deadlineMs ?? 10_000;
  const client = connectNetworkPlugin(socketPath, {
    hostVersion: "0.0.0-fake",
    deadlines: {
      greetingMs: limitMs,
      attachMs: limitMs,
      detachMs: limitMs,
      checkMs: limitMs,
      listMs: limitMs,
      statusMs: limitMs,
      repairNetworkMs: limitMs,
    },
  });
  const close = async () => {
    client.close();
    await release();
  };
  try {
    const info = await client.getInfo();
    requireNetworkPlugin(info);
    return fakeHostOf({ client, info, close, order: options.order ?? {} });
  } catch (error) {
    await close();
    throw error;
  }
}

function fakeHostOf(parts: {
  readonly client: NetworkPluginClient;
  readonly info: PluginInfo;
  readonly close: () => Promise<void>;
  readonly order: Partial<AttachRequest>;
}): FakeHost {
  const { client, info } = parts;
  const attachments = new Map<string, { order: AttachRequest; attached: AttachResponse }>();
  const orderOf = (change: Partial<AttachRequest> = {}) => {
    const order = { ...defaultOrder(), ...parts.order, ...change };
    return withoutWhatHostDoes(order, info);
  };
  return {
    info,
    client,
    orderOf,
    async attach(change) {
      const order = orderOf(change);
      const attached = await client.attach(order);
      expectAttachAnswer(order, attached);
      attachments.set(order.attachmentId, { order, attached });
      return attached;
    },
    async detach(change = {}) {
      const attachmentId = change.attachmentId ?? ATTACHMENT_ID;
      const known = attachments.get(attachmentId);
      const request = known ? detachRequestOf(known.order) : detachRequestOfId(attachmentId);
      await client.detach({ ...request, ...change });
      attachments.delete(attachmentId);
    },
    async check({ attachmentId = ATTACHMENT_ID, repair = false } = {}) {
      const known = attachments.get(attachmentId);
      if (!known) throw new Error(`Nothing was attached as ${attachmentId}`);
      const request = { attachment: known.order, attached: known.attached, repair };
      return expected(await client.check(request));
    },
    list: (network = "") => client.list({ network }),
    status() {
      const { network, configJson } = orderOf();
      return client.status({ network, configJson });
    },
    async repairNetwork() {
      const { network, configJson } = orderOf();
      const orders = [...attachments.values()].map(({ order }) => order);
      const own = orders.filter((order) => order.network === network);
      const request = { network, configJson, attachments: own.reverse() };
      return expected(await client.repairNetwork(request));
    },
    health: () => client.health(),
    [Symbol.asyncDispose]: parts.close,
  };
}

function expected(findings: readonly Finding[]): readonly Finding[] {
  expectFindings(findings);
  return findings;
}

async function reach(
  plugin: NetworkPlugin | string,
): Promise<{ readonly socketPath: string; readonly release: () => Promise<void> }> {
  if (typeof plugin === "string") return { socketPath: plugin, release: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), "patchbay-fake-host-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  try {
    const served = await serve(plugin, {
      socket: join(folder, "plugin.sock"),
      handlesSignals: false,
      graceMs: 1000,
      log: () => {},
    });
    const release = () => served.stop().finally(removeFolder);
    return { socketPath: served.socketPath, release };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

function requireNetworkPlugin({ name, contractVersions, roles }: PluginInfo): void {
  if (!contractVersions.includes("patchbay.plugin.v1")) {
    throw new Error(`${name} does not speak patchbay.plugin.v1: ${contractVersions.join(", ")}`);
  }
  if (!roles.includes("ROLE_NETWORK")) {
    throw new Error(`${name} is no network plugin: ${roles.join(", ")}`);
  }
}

/** What a small dual-stack network gives its first pod. */
function defaultOrder(): AttachRequest {
  return {
    attachmentId: ATTACHMENT_ID,
    pod: { namespace: "default", name: "web-0", uid: "", labels: {} },
    sandboxId: "fake-sandbox",
    netns: "/run/netns/fake-pod",
    ifname: "eth0",
    network: "fake",
    configJson: JSON.stringify({ name: "fake" }),
    addresses: [
      { address: "10.88.0.2/24", gateway: "10.88.0.1" },
      { address: "fd00:88::2/64", gateway: "fd00:88::1" },
    ],
    routes: [],
    mac: "",
    mtu: 0,
    device: null,
    masquerade: null,
    ...NO_WISHES,
  };
}

/** The host sends some wishes only to plugins that see to them, and sees to them itself otherwise. */
function withoutWhatHostDoes(order: AttachRequest, info: PluginInfo): AttachRequest {
  return {
    ...order,
    bandwidth: can({ info }, "CAPABILITY_BANDWIDTH") ? order.bandwidth : null,
    portMappings: can({ info }, "CAPABILITY_PORT_MAPPINGS") ? order.portMappings : [],
    infinibandGuid: can({ info }, "CAPABILITY_INFINIBAND_GUID") ? order.infinibandGuid : "",
  };
}
