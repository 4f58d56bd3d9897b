import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { connectNetworkPlugin } from "../../src/rpc/network-plugin-client.ts";
import { until } from "../../test/e2e/harness.ts";
import { ContenderBench, emptySamples } from "../contender.ts";
import { startHost } from "../host-process.ts";
import { type BenchRow, median } from "../rows.ts";
import type { Options } from "./options.ts";
import { between, medianOf, readStep, type StepHistogram, together } from "./step-histogram.ts";
import { dualStack, ourContender, untilHost } from "./patchbay-network.ts";

const repository: string = join(import.meta.dirname, "../..");
const buildFolder: string = join(repository, "build/examples/go");
const plugin = "go-noop";
const metricsPort = 19_099;
const START_MS = 10_000;

/**
 * What a plugin in a process of its own adds to an attach: examples/go/noop makes nothing in the kernel.
 * The host's share of the same ADD - shim, parsing, addresses, records - is left out: what counts is
 * the step from the record to the plugin's answer, of which a built-in plugin has its work alone.
 */
export async function benchGoPlugin(options: Options): Promise<BenchRow[]> {
  const { folder, quick, progress } = options;
  const rounds = quick ? 7 : 41;
  const perRound = quick ? 10 : 15;
  progress("building examples/go");
  buildPlugin();
  const args = ["--metrics-port", String(metricsPort)];
  await using host = await startHost(join(folder, "go-node"), { args });
  await using kernel = await openKernel();
  const socket = join(pathsBelow(host.root).pluginDir, `${plugin}.sock`);
  await using _plugin = await startPlugin(socket);
  await untilHost(host, `plugin ${plugin}`, async (client) => {
    const { plugins } = await client.getStatus();
    return plugins.some(({ name, trouble }) => name === plugin && trouble === "");
  });

  const bench = new ContenderBench(kernel, join(folder, "go"));
  const go = ourContender("go", { root: host.root, keys: { plugin, ipam: dualStack(120) } });
  const keys = { plugin: "routed", ipam: dualStack(121) };
  const routed = ourContender("go-peer", { root: host.root, keys });
  const [goSamples, routedSamples] = [emptySamples(), emptySamples()];
  const joined: StepHistogram[] = [];
  for (const each of [go, routed]) await bench.sequential(each, "warm-up", perRound);
  for (let round = 0; round < rounds; round++) {
    progress(`a plugin in Go, round ${round + 1} of ${rounds}`);
    const before = await readStep(metricsPort, "add.joined");
    goSamples.addMs.push(...(await bench.sequential(go, `s${round}`, perRound)).addMs);
    joined.push(between(before, await readStep(metricsPort, "add.joined")));
    routedSamples.addMs.push(...(await bench.sequential(routed, `s${round}`, perRound)).addMs);
  }
  const all = together(joined);
  const meanMs = (all.seconds / all.count) * 1000;
  const roundTripMs = await measureRoundTrips(socket, { count: quick ? 100 : 500, pauseMs: 20 });
  const denseMs = await measureRoundTrips(socket, { count: quick ? 500 : 4000, pauseMs: 0 });
  return [
    {
      name: "networks: attach by a Go plugin that does nothing, added, p50",
      ours: medianOf(all) * 1000,
      unit: "ms",
      target: { kind: "below", value: 1 },
      note: `from the record to its answer, inside the host; mean ${meanMs.toFixed(2)} ms, of ${all.count}`,
    },
    {
      name: "networks: Attach of that plugin over its socket, p50",
      ours: median(roundTripMs),
      unit: "ms",
      target: { kind: "below", value: 1 },
      note: `the gRPC call alone, one each 20 ms; back to back ${median(denseMs).toFixed(2)} ms; of ${roundTripMs.length}`,
    },
    {
      name: "networks: ADD p50 by that plugin, through the shim",
      ours: median(goSamples.addMs),
      peer: { name: "routed, built in", value: median(routedSamples.addMs) },
      unit: "ms",
      note: `of ${goSamples.addMs.length}`,
    },
  ];
}

function buildPlugin(): void {
  const script = join(repository, "examples/go/build.sh");
  const run = spawnSync(script, [buildFolder], { stdio: "inherit" });
  if (run.status !== 0) throw new Error("Cannot build examples/go: is Go installed?");
}

/** The plugin as a process; disposing of it ends it. */
async function startPlugin(socket: string): Promise<AsyncDisposable> {
  const child = spawn(join(buildFolder, "noop"), ["--socket", socket], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await until(`${plugin} to listen`, START_MS, () => {
    if (child.exitCode !== null) throw new Error(`${plugin} ended with ${child.exitCode}`);
    return existsSync(socket);
  });
  return { [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** The host's own client against the plugin, with nothing around it. */
async function measureRoundTrips(
  socket: string,
  { count, pauseMs }: { readonly count: number; readonly pauseMs: number },
): Promise<number[]> {
  const client = connectNetworkPlugin(socket, {
    hostVersion: "bench",
    deadlines: {
      greetingMs: START_MS,
      attachMs: LIMITS.attachMs,
      detachMs: LIMITS.detachMs,
      checkMs: LIMITS.checkMs,
      listMs: LIMITS.listMs,
      statusMs: START_MS,
      repairNetworkMs: START_MS,
    },
  });
  try {
    await client.getInfo();
    const times: number[] = [];
    const warmUp = 200;
    for (let index = 0; index < warmUp + count; index++) {
      const request = requestOf(index);
      if (pauseMs > 0 && index >= warmUp) await delay(pauseMs);
      const startMs = performance.now();
      await client.attach(request);
      if (index >= warmUp) times.push(performance.now() - startMs);
      await client.detach({ attachmentId: request.attachmentId, network: request.network });
    }
    return times;
  } finally {
    client.close();
  }
}

function requestOf(index: number) {
  const [high, low] = [Math.floor(index / 250), (index % 250) + 2];
  return {
    attachmentId: `bench-${index}`,
    sandboxId: `bench-${index}`,
    netns: "/run/netns/bench",
    ifname: "eth0",
    network: "bench",
    configJson: "{}",
    addresses: [
      { address: `10.122.${high}.${low}/16`, gateway: "10.122.0.1" },
      { address: `fd00:122::${(index + 2).toString(16)}/64`, gateway: "fd00:122::1" },
    ],
  };
}
