/** Pods with several networks: definitions in a folder, and what the runtime hands over of the annotation. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type HostProcess,
  type Pod,
  type StartHostOptions,
  type TestNode,
  until,
} from "./harness.ts";
import type { NetworkJson } from "./runtime.ts";

/** Configurations of namespace "default" by name: without `type` for Patchbay's plugins, with it for any. */
export type Definitions = Readonly<Record<string, object>>;

/** Two bridges and a routed network, dual-stack, that do not touch each other. */
export const THREE_NETWORKS: Definitions = {
  blue: {
    plugin: "bridge",
    bridge: "br-blue",
    ipam: { ranges: [[{ subnet: "10.201.0.0/24" }], [{ subnet: "fd00:201::/64" }]] },
  },
  red: {
    plugin: "bridge",
    bridge: "br-red",
    ipam: { ranges: [[{ subnet: "10.202.0.0/24" }], [{ subnet: "fd00:202::/64" }]] },
  },
  green: {
    plugin: "routed",
    ipam: { ranges: [[{ subnet: "10.203.0.0/24" }], [{ subnet: "fd00:203::/64" }]] },
  },
};

/** Folder of a node's manifests. */
export function manifestsOf(node: TestNode): string {
  return join(node.root, "manifests");
}

/** One manifest for all, put there in one go. */
export function writeDefinitions(folder: string, definitions: Definitions): void {
  mkdirSync(folder, { recursive: true });
  const items = Object.entries(definitions).map(([name, config]) => ({
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { namespace: "default", name },
    spec: { config: JSON.stringify({ cniVersion: "1.0.0", type: "patchbay", ...config }) },
  }));
  const file = join(folder, "networks.json");
  writeFileSync(`${file}.tmp`, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  renameSync(`${file}.tmp`, file);
}

/** A host that knows the definitions. */
export async function startHostWith(
  node: TestNode,
  definitions: Definitions,
  options: Pick<StartHostOptions, "env" | "args" | "wrapper" | "nodeFlags"> = {},
): Promise<HostProcess> {
  const manifests = manifestsOf(node);
  writeDefinitions(manifests, definitions);
  const args = ["--manifests", manifests, ...(options.args ?? [])];
  const host = await node.startHost({ ...options, args });
  await until("definitions", 10_000, async () => {
    const answer = await host.client.listNetworkDefinitions({});
    return answer.definitions.length === Object.keys(definitions).length;
  });
  return host;
}

/** What the runtime adds to configuration and arguments of a pod's calls: the annotation as text or JSON. */
export function askFor(pod: Pod, network: NetworkJson, networks: unknown) {
  const text = typeof networks === "string" ? networks : JSON.stringify(networks);
  const annotations = { "k8s.v1.cni.cncf.io/networks": text };
  return {
    args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod.name}`,
    config: { ...network, runtimeConfig: { "io.kubernetes.cri.pod-annotations": annotations } },
  };
}

/** An element of network-status, as far as tests look at it. */
export interface StatusEntry {
  readonly name: string;
  readonly interface: string;
  readonly ips: readonly string[];
  readonly mac: string;
  readonly default?: boolean;
}

/** The network-status annotation of a pod. */
export async function statusOf(host: HostProcess, pod: Pod): Promise<StatusEntry[]> {
  const { pods } = await host.client.getNetworkStatus({ pod: `default/${pod.name}` });
  return JSON.parse(pods[0]?.networkStatusJson ?? "[]");
}
