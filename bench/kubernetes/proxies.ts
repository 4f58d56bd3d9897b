import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectHostWithServices } from "../../src/rpc/services-client.ts";
import { ADDRESSES } from "../../test/kubernetes/cluster/addresses.ts";
import type { Daemon } from "../../test/kubernetes/cluster/daemon.ts";
import * as programs from "../../test/kubernetes/cluster/programs.ts";
import { kubeProxyConfig } from "../../test/kubernetes/cluster/runtime-config.ts";
import { readRssMegabytes } from "../host-process.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { ServiceLab } from "./service-lab.ts";

const PROGRAM_MS = 120_000;
const CALL_MS = 60_000;
const POLL_MS = 5;
const repository: string = join(import.meta.dirname, "../..");

/** What makes Services work on the node: started, and gone with all its rules when disposed of. */
export interface Proxy extends AsyncDisposable {
  readonly pid: number;
  /** ms from its start until the probed Service was served and all `services` were in the kernel. */
  readonly startMs: number;
  /** Resident memory at that moment. */
  readonly rssMegabytes: number;
}

export interface ProxyOptions {
  readonly plane: ControlPlane;
  readonly lab: ServiceLab;
  /** How many there are, the probed one included. */
  readonly services: number;
}

/** `patchbay host --kubernetes`. root: a folder whose journal, where there is one, is used and kept. */
export async function startPatchbay(
  { plane, lab, services }: ProxyOptions,
  root: string,
): Promise<Proxy> {
  mkdirSync(root, { recursive: true });
  const cli = [process.execPath, join(repository, "src/cli/patchbay.js")];
  const daemon = plane.daemon("patchbay", [
    ...cli,
    ...["host", "--root", root, "--node-name", ADDRESSES.nodeName],
    ...["--kubernetes", "--kubeconfig", plane.certificates.file("admin.kubeconfig")],
    ...["--api-server", ADDRESSES.apiServer],
  ]);
  const began = await start(daemon, lab);
  const socket = join(root, "run/patchbay/host.sock");
  const { servedMs } = began;
  // Its element may be there before the others are: what it says itself, and what the kernel holds.
  while (!existsSync(socket)) await delay(POLL_MS);
  const host = connectHostWithServices(socket, { timeoutMs: CALL_MS });
  try {
    await host.waitProgrammed({ timeoutMs: CALL_MS });
  } finally {
    host.close();
  }
  const programmedMs = performance.now() - began.startedMs;
  const proxy = toProxy(daemon, plane, Math.max(servedMs, programmedMs));
  await assertElements(plane, { table: "patchbay-services", map: "frontends", least: services });
  return proxy;
}

/** kube-proxy in its nftables mode, configured as the lane does. */
export async function startKubeProxy({ plane, lab, services }: ProxyOptions): Promise<Proxy> {
  const kubeconfig = plane.certificates.file("kube-proxy.kubeconfig");
  const config = JSON.stringify(kubeProxyConfig(kubeconfig));
  writeFileSync(join(plane.folder, "kube-proxy.json"), config);
  const daemon = plane.daemon("kube-proxy", programs.kubeProxy(plane.programOptions));
  const { servedMs } = await start(daemon, lab);
  // All of it comes in one transaction of nft.
  const proxy = toProxy(daemon, plane, servedMs);
  await assertElements(plane, { table: "kube-proxy", map: "service-ips", least: services });
  return proxy;
}

async function start(
  daemon: Daemon,
  { dialler, target }: ServiceLab,
): Promise<{ startedMs: number; servedMs: number }> {
  const served = dialler.until("A", target);
  const startedMs = performance.now();
  const startedNs = process.hrtime.bigint();
  daemon.start();
  const limit = AbortSignal.timeout(PROGRAM_MS);
  try {
    const servedNs = await Promise.race([served, untilEnded(daemon, limit)]);
    return { startedMs, servedMs: Number(servedNs - startedNs) / 1e6 };
  } catch (cause) {
    throw new Error(`${daemon.name} serves nothing: ${daemon.log().slice(-2000)}`, { cause });
  }
}

async function untilEnded(daemon: Daemon, limit: AbortSignal): Promise<never> {
  while (daemon.isRunning && !limit.aborted) await delay(100);
  throw new Error(daemon.isRunning ? "It takes too long" : "It ended");
}

/** Not one transaction too early: what is not there when it should all be is an error. */
async function assertElements(
  { node }: ControlPlane,
  { table, map, least }: { readonly table: string; readonly map: string; readonly least: number },
): Promise<void> {
  const text = await node.run(["nft", "-j", "list", "map", "ip", table, map]);
  const { nftables } = JSON.parse(text) as { nftables: { map?: { elem?: unknown[] } }[] };
  const found = nftables.flatMap((entry) => entry.map?.elem ?? []).length;
  if (found < least) throw new Error(`${table} has ${found} elements in ${map}, not ${least}`);
}

function toProxy(daemon: Daemon, { node }: ControlPlane, startMs: number): Proxy {
  return {
    pid: daemon.pid ?? 0,
    startMs,
    rssMegabytes: readRssMegabytes(daemon.pid ?? 0),
    async [Symbol.asyncDispose]() {
      await daemon.kill("SIGTERM");
      await node.run(["nft", "flush", "ruleset"]);
    },
  };
}
