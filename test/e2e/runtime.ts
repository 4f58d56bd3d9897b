/** The container runtime's side of a test: networks, and the calls that a runtime makes. */
import assert from "node:assert/strict";
import type {
  HostProcess,
  KernelSnapshot,
  Pod,
  ShimAnswer,
  ShimCall,
  TestNode,
} from "./harness.ts";

/** A network configuration as the shim gets it on standard input. */
export interface NetworkJson {
  readonly cniVersion: string;
  readonly name: string;
  readonly [key: string]: unknown;
}

/** An answer of ADD, as far as tests look at it. */
export interface CniResult {
  readonly cniVersion: string;
  readonly interfaces: readonly { name: string; mac: string; mtu?: number; sandbox?: string }[];
  readonly ips: readonly {
    address: string;
    gateway?: string;
    interface: number;
    version?: string;
  }[];
  readonly routes: readonly { dst: string; gw?: string; mtu?: number }[];
  readonly dns: object;
}

/** CNI 1.1, "Error". */
export interface CniError {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

export const PLUGINS = ["routed", "bridge"] as const;
export type PluginName = (typeof PLUGINS)[number];

let networkCount = 0;

/**
 * A network with a name, a bridge and subnets of its own: subnets of routed networks on one node
 * must differ, as on any router.
 */
export function makeNetwork(plugin: PluginName, keys: Record<string, unknown> = {}): NetworkJson {
  const number = ++networkCount;
  return {
    cniVersion: "1.1.0",
    name: `net${number}`,
    type: "patchbay",
    plugin,
    ...(plugin === "bridge" ? { bridge: `br${number}` } : {}),
    ipam: { ranges: [[{ subnet: `10.${number}.0.0/24` }], [{ subnet: `fd00:${number}::/64` }]] },
    ...keys,
  };
}

/** One attachment as a runtime knows it; `ifname` is "eth0". */
export function attachmentCall(pod: Pod, config: NetworkJson): ShimCall {
  return { containerId: pod.name, netns: pod.netns, ifname: "eth0", config };
}

export function add(
  node: TestNode,
  pod: Pod,
  config: NetworkJson,
  call: ShimCall = {},
): Promise<ShimAnswer> {
  return node.execShim({ command: "ADD", ...attachmentCall(pod, config), ...call });
}

export function del(
  node: TestNode,
  pod: Pod,
  config: NetworkJson,
  call: ShimCall = {},
): Promise<ShimAnswer> {
  return node.execShim({ command: "DEL", ...attachmentCall(pod, config), ...call });
}

export function check(
  node: TestNode,
  pod: Pod,
  config: NetworkJson,
  call: ShimCall = {},
): Promise<ShimAnswer> {
  return node.execShim({ command: "CHECK", ...attachmentCall(pod, config), ...call });
}

/** ADD that must succeed. */
export async function addOk(
  node: TestNode,
  pod: Pod,
  config: NetworkJson,
  call: ShimCall = {},
): Promise<CniResult> {
  const answer = await add(node, pod, config, call);
  assert.equal(answer.exitCode, 0, `ADD failed: ${answer.stdout}`);
  return answer.json as CniResult;
}

/** DEL that must succeed, and say nothing. */
export async function delOk(
  node: TestNode,
  pod: Pod,
  config: NetworkJson,
  call: ShimCall = {},
): Promise<void> {
  assertSilentSuccess(await del(node, pod, config, call));
}

/** Success without output: what DEL, CHECK, GC and STATUS answer. */
export function assertSilentSuccess(answer: ShimAnswer): void {
  assert.deepEqual(
    { exitCode: answer.exitCode, stdout: answer.stdout },
    { exitCode: 0, stdout: "" },
  );
}

/** The error object of a call that must fail: with status 1, JSON on stdout and nothing else. */
export function errorOf(answer: ShimAnswer): CniError {
  assert.equal(answer.exitCode, 1, `succeeded, or was killed: ${answer.stdout}${answer.stderr}`);
  const error = answer.json as Partial<CniError> | undefined;
  assert.ok(error, `no JSON: ${answer.stdout}`);
  const { cniVersion, code, msg, details = "", ...rest } = error;
  assert.deepEqual(rest, {}, "keys that the specification does not have");
  assert.ok(cniVersion !== undefined && code !== undefined && msg, answer.stdout);
  return { cniVersion, code, msg, details };
}

/** Everything that a failed call must leave as it was. */
export interface NodeState {
  readonly kernel: KernelSnapshot;
  /** "net1 pod1 eth0 attached 10.1.0.2/32" */
  readonly attachments: readonly string[];
  /** "net1 10.1.0.2 held" */
  readonly leases: readonly string[];
}

export async function readState(node: TestNode, host: HostProcess): Promise<NodeState> {
  const [kernel, attachments, { pools }] = await Promise.all([
    node.readKernel(),
    host.client.listAttachments({}),
    host.client.showIpam({ leases: true }),
  ]);
  return {
    kernel,
    attachments: attachments
      .map(({ network, containerId, ifname, state, addresses }) =>
        [network, containerId, ifname, state, ...addresses].join(" "),
      )
      .sort(),
    leases: pools
      .flatMap(({ network, leases }) => leases.map((lease) => ({ network, ...lease })))
      .map(({ network, address, state }) => `${network} ${address} ${state}`)
      .sort(),
  };
}

/** The state without addresses that only cool: what must be the same before an ADD and after its DEL. */
export function withoutCooling(state: NodeState): NodeState {
  return { ...state, leases: state.leases.filter((line) => !line.endsWith(" cooling")) };
}

/** One ping of every address from a namespace. */
export async function assertReaches(
  node: TestNode,
  from: Pod | "node",
  addresses: readonly string[],
): Promise<void> {
  for (const address of addresses) {
    const argv = ["ping", "-n", "-c", "1", "-W", "5", bare(address)];
    const result = from === "node" ? await node.run(argv) : await node.runInPod(from, argv);
    assert.equal(result.exitCode, 0, `${argv.join(" ")}: ${result.stdout}${result.stderr}`);
  }
}

/** "10.1.0.2" of "10.1.0.2/24". */
export function bare(address: string): string {
  return address.split("/")[0] ?? address;
}

/** Addresses of a result. */
export function addressesOf(result: CniResult): string[] {
  return result.ips.map((ip) => ip.address);
}
