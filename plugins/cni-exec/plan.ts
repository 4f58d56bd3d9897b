import {
  type AttachRequest,
  type DetachRequest,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { type ChainMember, chainName, type DelegateConfig } from "./config.ts";
import type { CniVersion } from "./versions.ts";

/** What an ADD was called with beside its configuration; CHECK and DEL get the same. */
export interface AttachmentArgs {
  readonly sandboxId: string;
  readonly netns: string;
  readonly ifname: string;
  /** CNI_ARGS */
  readonly cniArgs: string;
  /** All of runtimeConfig; each plugin gets what it declares. */
  readonly runtimeConfig: Readonly<Record<string, unknown>>;
  /** Merged over args.cni. */
  readonly argsCni: Readonly<Record<string, unknown>>;
}

export type Verb = "ADD" | "CHECK" | "DEL" | "GC" | "STATUS" | "VERSION";

/** Reads an order. Throws PluginError invalid-config for what the chain cannot do. */
export function planArgs(config: DelegateConfig, request: AttachRequest): AttachmentArgs {
  const runtimeConfig = runtimeConfigOf(request);
  for (const key of Object.keys(runtimeConfig)) {
    // Multi-network standard 1.3, section 4.1.2: nobody would notice that it was not done.
    if (config.chain.some(({ capabilities }) => capabilities.has(key))) continue;
    throw new PluginError(
      "invalid-config",
      `The pod asks for ${key}, which no plugin of ${chainName(config)} declares in its capabilities`,
    );
  }
  return {
    ...placeOf(request),
    runtimeConfig,
    argsCni: parseCniArgs(request.cniArgsJson),
  };
}

/** The same for a DEL of which nothing is remembered. */
export function planArgsOfDel(request: DetachRequest): AttachmentArgs {
  return { ...placeOf(request), runtimeConfig: {}, argsCni: {} };
}

function placeOf(request: DetachRequest) {
  const { sandboxId, netns, ifname } = request;
  return { sandboxId, netns, ifname, cniArgs: formatCniArgs(request) };
}

/** CNI conventions, "Dynamic plugin specific fields". */
function runtimeConfigOf(request: AttachRequest): Record<string, unknown> {
  const { addresses, requestedAddresses, mac, infinibandGuid, portMappings, device } = request;
  const ips = [...addresses.map(({ address }) => address), ...requestedAddresses];
  const deviceID = device ? device.id || device.pciAddress : "";
  return {
    ...(ips.length > 0 && { ips }),
    ...(mac && { mac }),
    ...(infinibandGuid && { infinibandGUID: infinibandGuid }),
    ...(portMappings.length > 0 && {
      portMappings: portMappings.map(({ hostPort, containerPort, protocol, hostIp }) => ({
        hostPort,
        containerPort,
        protocol: protocol.toLowerCase(),
        ...(hostIp && { hostIP: hostIp }),
      })),
    }),
    ...bandwidthOf(request.bandwidth),
    ...(deviceID && { deviceID }),
  };
}

/** Bits that may come at once where nobody says: 100 ms, and never less than a few packets. */
const BURST_BITS_MIN = 1_000_000;

/** The bandwidth plugin refuses a rate without a burst. */
function bandwidthOf(wish: AttachRequest["bandwidth"]): { bandwidth?: object } {
  if (!wish) return {};
  const burstOf = (rate: number, burst: number) =>
    burst || Math.max(Math.ceil(rate / 10), BURST_BITS_MIN);
  const [ingressRate, egressRate] = [wish.ingressRate, wish.egressRate];
  if (ingressRate === 0 && egressRate === 0) return {};
  return {
    bandwidth: {
      ...(ingressRate > 0 && {
        ingressRate,
        ingressBurst: burstOf(ingressRate, wish.ingressBurst),
      }),
      ...(egressRate > 0 && {
        egressRate,
        egressBurst: burstOf(egressRate, wish.egressBurst),
      }),
    },
  };
}

/** What container runtimes send (cni.md 2.2). A value with ';' or '=' would be taken for a further key. */
function formatCniArgs({ pod, sandboxId }: Pick<DetachRequest, "pod" | "sandboxId">): string {
  const pairs = {
    K8S_POD_NAMESPACE: pod?.namespace ?? "",
    K8S_POD_NAME: pod?.name ?? "",
    K8S_POD_INFRA_CONTAINER_ID: sandboxId,
    K8S_POD_UID: pod?.uid ?? "",
  };
  const sayable = Object.entries(pairs).filter(([, value]) => /^[^;=\p{Cc}]+$/u.test(value));
  return ["IgnoreUnknown=1", ...sayable.map(([key, value]) => `${key}=${value}`)].join(";");
}

function parseCniArgs(text: string): Record<string, unknown> {
  if (text === "") return {};
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) {
      return json as Record<string, unknown>;
    }
  } catch {
    // Said below.
  }
  throw new PluginError("invalid-config", "cni-args is not a JSON object");
}

/** What one plugin of a chain is called with. */
export interface MemberCall {
  readonly name: string;
  readonly version: CniVersion;
  readonly args?: AttachmentArgs;
  /** In the words of `version`. */
  readonly prevResult?: object | undefined;
  readonly validAttachments?: readonly ValidAttachment[];
}

/** CNI 1.1, "GC". */
export interface ValidAttachment {
  readonly containerID: string;
  readonly ifname: string;
}

/** Standard input of a plugin: CNI 1.1, section 3, "Deriving request configuration from plugin configuration". */
export function planStdin(member: ChainMember, call: MemberCall): string {
  const { capabilities: _, ...written } = member.json;
  const { args, prevResult, validAttachments } = call;
  const asked = Object.entries(args?.runtimeConfig ?? {}).filter(([key]) =>
    member.capabilities.has(key),
  );
  return JSON.stringify({
    ...written,
    name: call.name,
    cniVersion: call.version,
    ...(asked.length > 0 && { runtimeConfig: Object.fromEntries(asked) }),
    ...(args && Object.keys(args.argsCni).length > 0 && { args: mergeArgs(written, args) }),
    ...(prevResult && { prevResult }),
    ...(validAttachments && {
      "cni.dev/valid-attachments": validAttachments,
      // The key before CNI 1.1 was final, which libcni sends as well (cni#1101).
      "cni.dev/attachments": validAttachments,
    }),
  });
}

function mergeArgs(
  written: Readonly<Record<string, unknown>>,
  { argsCni }: AttachmentArgs,
): object {
  const args = objectOrEmpty(written["args"]);
  return { ...args, cni: { ...objectOrEmpty(args["cni"]), ...argsCni } };
}

function objectOrEmpty(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

/** Environment of a plugin, beside that of the host: CNI 1.1, "Parameters". */
export function planEnvironment(
  verb: Verb,
  binDirs: readonly string[],
  args?: AttachmentArgs,
): Record<string, string> {
  return {
    CNI_COMMAND: verb,
    CNI_PATH: binDirs.join(":"),
    ...(args && {
      CNI_CONTAINERID: args.sandboxId,
      CNI_NETNS: args.netns,
      CNI_IFNAME: args.ifname,
      CNI_ARGS: args.cniArgs,
    }),
  };
}
