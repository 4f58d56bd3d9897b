import { FakeKernel } from "../kernel/fake-kernel.ts";
import { FakeNftables } from "../kernel/fake-nftables.ts";
import type { HostClient } from "../rpc/client.ts";
import type { ServicesClient } from "../rpc/services-client.ts";
import type { NetworkStatus__Output } from "../rpc/generated/patchbay/host/v1/NetworkStatus.ts";
import type { PluginStatus__Output } from "../rpc/generated/patchbay/host/v1/PluginStatus.ts";
import type { Attachment__Output } from "../rpc/generated/patchbay/host/v1/Attachment.ts";
import type { CliContext } from "./context.ts";
import { run } from "./main.ts";
import { createOutput } from "./output.ts";

export const FAKE_NOW_MS: number = Date.UTC(2026, 10, 21, 12, 0, 0);

/** What a command line did. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FakeWorld {
  /** Methods of the host that the command may call; others reject. Absent: no host runs. */
  readonly host?: Partial<HostClient & ServicesClient>;
  readonly packageFolder?: string;
  /** The clock. Absent: it stands at FAKE_NOW_MS. */
  readonly now?: () => number;
}

/** Runs a command line with a fake host, without a terminal. */
export async function runCli(args: readonly string[], world: FakeWorld = {}): Promise<CliResult> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const context: CliContext = {
    output: createOutput({
      write: (text) => void stdout.push(text),
      writeError: (text) => void stderr.push(text),
      color: false,
    }),
    connect: async () => fakeHost(world.host),
    // Never the node that the tests run on.
    openNode: () => ({
      openKernel: async () => new FakeKernel(),
      nftables: new FakeNftables(),
      lockNode: async () => ({ close: async () => {} }),
    }),
    now: world.now ?? (() => FAKE_NOW_MS),
    packageFolder: world.packageFolder ?? "/nowhere",
  };
  const exitCode = await run(args, context);
  return { exitCode, stdout: stdout.join(""), stderr: stderr.join("") };
}

/** What connectHost() rejects with. */
export function hostCallError(
  message: string,
  options: { readonly unreachable: boolean; readonly code?: number },
): Error {
  const cause = { code: options.code };
  const error = new Error(message, { cause });
  return Object.assign(error, { name: "HostCallError", unreachable: options.unreachable });
}

export function fakeAttachment(fields: Partial<Attachment__Output> = {}): Attachment__Output {
  return {
    attachmentId: "0123456789abcdef",
    network: "patchbay",
    plugin: "routed",
    containerId: "c0ffee00c0ffee00c0ffee00",
    netns: "/run/netns/pod-1",
    ifname: "eth0",
    podNamespace: "default",
    podName: "web-1",
    podUid: "11111111-2222-3333-4444-555555555555",
    state: "attached",
    addresses: ["10.88.0.2/32", "fd00:88::2/128"],
    hostIfname: "pb0123456789",
    createdMs: FAKE_NOW_MS - 65_000,
    primaryId: "0123456789abcdef",
    isDefault: true,
    mac: "02:00:00:00:00:02",
    mtu: 1500,
    defaultRoute: ["10.88.0.1", "fd00:88::1"],
    sharedLinks: [],
    ...fields,
  };
}

export function fakeNetwork(fields: Partial<NetworkStatus__Output> = {}): NetworkStatus__Output {
  return {
    name: "patchbay",
    plugin: "routed",
    ready: true,
    reason: "",
    attachments: 3,
    subnets: ["10.88.0.0/16", "fd00:88::/64"],
    settings: {},
    ...fields,
  };
}

export function fakePlugin(fields: Partial<PluginStatus__Output> = {}): PluginStatus__Output {
  return {
    name: "routed",
    version: "0.1.0",
    builtIn: true,
    trouble: "",
    note: "",
    roles: ["network"],
    capabilities: ["attach-in-parallel"],
    socket: "",
    networks: ["patchbay"],
    attachments: 3,
    ...fields,
  };
}

function fakeHost(
  methods: Partial<HostClient & ServicesClient> | undefined,
): HostClient & ServicesClient {
  const reject = () =>
    Promise.reject(
      methods
        ? hostCallError("the fake has no such answer", { unreachable: false })
        : hostCallError("connect ENOENT", { unreachable: true, code: 14 }),
    );
  const rejectStream = <Item>(): AsyncIterable<Item> => ({
    [Symbol.asyncIterator]: () => ({ next: reject }),
  });
  return {
    getStatus: reject,
    listAttachments: reject,
    watchAttachments: rejectStream,
    watchEvents: rejectStream,
    showIpam: reject,
    releaseIpam: reject,
    importHostLocal: reject,
    checkAttachments: reject,
    doctor: reject,
    attachNetwork: reject,
    detachNetwork: reject,
    listNetworkDefinitions: reject,
    getNetworkStatus: reject,
    listServices: reject,
    watchServices: rejectStream,
    waitProgrammed: reject,
    explain: reject,
    applyServices: reject,
    close: () => {},
    ...methods,
  };
}
