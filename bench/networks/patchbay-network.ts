import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeDefinitions } from "../../test/e2e/pod-networks.ts";
import { until } from "../../test/e2e/harness.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { connectHost } from "../../src/rpc/client.ts";
import type { Contender } from "../contender.ts";
import { type HostProcess, type StartHostOptions, startHost } from "../host-process.ts";

const build: string = join(import.meta.dirname, "../../build");
const READY_MS = 20_000;

/** What a pod's further networks are: two bridges and a routed one, dual-stack. */
export const FURTHER_NETWORKS = {
  blue: { plugin: "bridge", bridge: "bench-blue", ipam: dualStack(101) },
  red: { plugin: "bridge", bridge: "bench-red", ipam: dualStack(102) },
  green: { plugin: "routed", ipam: dualStack(103) },
};

/** Ranges "10.N.0.0/16" and "fdN::/64". */
export function dualStack(number: number) {
  return { ranges: [[{ subnet: `10.${number}.0.0/16` }], [{ subnet: `fd00:${number}::/64` }]] };
}

/** A host that knows FURTHER_NETWORKS. */
export async function startHostWithNetworks(
  root: string,
  options: StartHostOptions = {},
): Promise<HostProcess> {
  const manifests = join(root, "manifests");
  mkdirSync(manifests, { recursive: true });
  writeDefinitions(manifests, FURTHER_NETWORKS);
  const host = await startHost(root, { ...options, args: ["--manifests", manifests] });
  const wanted = Object.keys(FURTHER_NETWORKS).length;
  await untilHost(host, "network definitions", async (client) => {
    const { definitions } = await client.listNetworkDefinitions({});
    return definitions.length === wanted;
  });
  return host;
}

/** Asks a host until it is as wanted. */
export async function untilHost(
  { root }: HostProcess,
  what: string,
  ask: (client: ReturnType<typeof connectHost>) => Promise<boolean>,
): Promise<void> {
  const client = connectHost(pathsBelow(root).hostSocket, { timeoutMs: READY_MS });
  try {
    await until(what, READY_MS, () => ask(client));
  } finally {
    client.close();
  }
}

/** A network of ours as a contender; `keys` are those of its configuration. */
export function ourContender(
  key: string,
  { root, keys }: { readonly root: string; readonly keys: Readonly<Record<string, unknown>> },
): Contender {
  const config = { cniVersion: "1.0.0", name: key, type: "patchbay", root, ...keys };
  return {
    key,
    name: "Patchbay",
    every: 1,
    binary: join(build, "cni/patchbay"),
    cniPath: join(build, "cni"),
    networks: [{ ifname: "eth0", config }],
    argsOf: (index) => `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${key}-${index}`,
  };
}

/** What a runtime adds to the configuration of a pod that asks for networks. */
export function askingFor(names: readonly string[]): Readonly<Record<string, unknown>> {
  const annotations = { "k8s.v1.cni.cncf.io/networks": names.join(",") };
  return { runtimeConfig: { "io.kubernetes.cri.pod-annotations": annotations } };
}
