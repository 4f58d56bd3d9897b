import type { NetnsIdentity } from "../kernel/kernel.ts";
import type {
  AttachRequest,
  AttachResponse,
  Finding,
  NetworkPlugin,
  RepairNetworkRequest,
} from "../plugin-sdk/network-plugin.ts";
import type { InvokeRequest__Output } from "../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { FakeAttachmentServices } from "./fake-attachment-services.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeDelJournal } from "./fake-del-journal.ts";
import { FakeStore } from "./fake-store.ts";
import { type CniAnswer, Host, type HostOptions } from "./core/host.ts";
import { type HostEvent, type HostPorts, NO_NODE_VIEW, NO_POD_WITNESSES } from "./core/ports.ts";
import type { StepName } from "./core/steps.ts";
import { OPEN_POLICY } from "./networks/visibility.ts";
import { FakeDefinitions } from "./networks/fake-definitions.ts";

/** A plugin that keeps a table; a test may hold its calls back or make them fail. */
export class FakePlugin implements NetworkPlugin {
  readonly info: NetworkPlugin["info"];
  readonly held = new Map<string, AttachRequest>();
  readonly calls: string[] = [];
  findings: readonly Finding[] = [];
  /** What repairNetwork() was asked, and what it answers. */
  readonly repairs: RepairNetworkRequest[] = [];
  missing: readonly Finding[] = [];
  /** Awaited before each call has its effect: held back while pending, failed when it rejects. */
  before: (call: "attach" | "detach" | "check" | "list" | "status") => Promise<void> =
    async () => {};

  constructor(name: string) {
    this.info = {
      name,
      version: "0.0.0",
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: [],
      configSchemaJson: "",
    };
  }

  async attach(request: AttachRequest): Promise<AttachResponse> {
    this.calls.push(`attach ${request.ifname}`);
    await this.before("attach");
    this.held.set(request.attachmentId, request);
    return {
      interfaces: [],
      addresses: request.addresses.map((ip) => ({ ...ip, interfaceIndex: 0 })),
      routes: [],
      dns: null,
      deviceInfoJson: "",
    };
  }

  async detach({ attachmentId, ifname }: { attachmentId: string; ifname: string }): Promise<void> {
    this.calls.push(`detach ${ifname}`);
    await this.before("detach");
    this.held.delete(attachmentId);
  }

  async check(): Promise<readonly Finding[]> {
    await this.before("check");
    return this.findings;
  }

  async list() {
    await this.before("list");
    return [...this.held.keys()].map((attachmentId) => ({ attachmentId, object: attachmentId }));
  }

  async repairNetwork(request: RepairNetworkRequest): Promise<readonly Finding[]> {
    this.repairs.push(request);
    return this.missing;
  }

  async status() {
    await this.before("status");
    return { ready: true, reason: "" };
  }
}

/** What outlives a host process in a test: clock, store, journal, plugins, namespaces. */
export class FakeHostWorld {
  readonly clock = new FakeClock();
  readonly store = new FakeStore();
  readonly journal = new FakeDelJournal();
  readonly routed = new FakePlugin("routed");
  readonly other = new FakePlugin("other");
  readonly services = new FakeAttachmentServices();
  readonly namespaces = new Map<string, NetnsIdentity>();
  readonly events: HostEvent[] = [];
  readonly steps: StepName[] = [];
  readonly definitions = new FakeDefinitions();
  bootId = "boot-1";

  /** A host that is not started. */
  makeHost(changes: Partial<HostPorts> = {}, options: Partial<HostOptions> = {}): Host {
    const plugins = new Map([this.routed, this.other].map((plugin) => [plugin.info.name, plugin]));
    const ports: HostPorts = {
      clock: this.clock,
      store: this.store,
      plugins: { find: (name) => plugins.get(name), names: () => [...plugins.keys()] },
      netns: { identify: async (path) => this.namespaces.get(path) },
      journal: this.journal,
      trace: { begin: () => ({ reached: (step) => this.steps.push(step), end: () => {} }) },
      events: { emit: (event) => this.events.push(event) },
      services: this.services,
      definitions: this.definitions,
      node: NO_NODE_VIEW,
      podWitnesses: NO_POD_WITNESSES,
      ...changes,
    };
    return new Host(ports, {
      bootId: this.bootId,
      ownNetns: "4:1",
      policy: OPEN_POLICY,
      ...options,
    });
  }

  async startHost(
    changes: Partial<HostPorts> = {},
    options: Partial<HostOptions> = {},
  ): Promise<Host> {
    const host = this.makeHost(changes, options);
    await host.start();
    return host;
  }

  makeNetns(name: string, inode: number): string {
    const path = `/run/netns/${name}`;
    this.namespaces.set(path, { device: 4n, inode: BigInt(inode) });
    return path;
  }

  /** Lets time pass in small pieces, with all that follows from each. */
  async pass(ms: number): Promise<void> {
    await settled();
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(left, 1_000));
      await settled();
    }
  }
}

/** All microtasks have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A call as the shim sends it. */
export function cniCall(
  verb: string,
  fields: {
    readonly containerId?: string;
    readonly netns?: string;
    readonly ifname?: string;
    readonly config?: Record<string, unknown>;
  } = {},
): InvokeRequest__Output {
  const config = { cniVersion: "1.1.0", name: "net", type: "patchbay", ...fields.config };
  return {
    command: `COMMAND_${verb}` as InvokeRequest__Output["command"],
    containerId: fields.containerId ?? "",
    netns: fields.netns ?? "",
    ifname: fields.ifname ?? "eth0",
    args: "",
    path: "",
    configJson: Buffer.from(JSON.stringify(config)),
    trace: null,
    shimVersion: "",
  };
}

/** The code of an error answer; undefined of a success. */
export function codeOf(answer: CniAnswer): number | undefined {
  if (answer.exitCode === 0) return undefined;
  return (JSON.parse(answer.resultJson) as { code: number }).code;
}

/** Addresses of an ADD's answer. */
export function addressesOf(answer: CniAnswer): string[] {
  const result = JSON.parse(answer.resultJson) as { ips?: { address: string }[] };
  return (result.ips ?? []).map((ip) => ip.address);
}
