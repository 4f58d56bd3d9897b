import { join } from "node:path";
import {
  attachBatches,
  networkBatches,
  planRouted,
  type RoutedPlan,
} from "../plugins/routed/plan.ts";
import { openKernel, type RtnetlinkKernel } from "../src/kernel/rtnetlink-kernel.ts";
import { type AttachRequest, NO_WISHES } from "../src/plugin-sdk/network-plugin.ts";
import { type ExecCall, runTimed } from "./exec-driver.ts";
import { createPods, deletePods } from "./pods.ts";
import { type BenchRow, median, percentile } from "./rows.ts";

const native: string = join(import.meta.dirname, "../build/bench-attach");
const gateways = { v4: "10.91.0.1", v6: "fd91::1" };

/** kernel.apply of the routed plugin's batches against the same netlink messages sent from C. */
export async function benchKernelAttach(options: {
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}): Promise<BenchRow[]> {
  const rounds = options.quick ? 2 : 12;
  const perRound = options.quick ? 20 : 50;
  await using kernel = await openKernel();
  await kernel.apply(networkBatches(requestOf({ containerId: "first" }, 0)));
  const oursMs: number[] = [];
  const theirsMs: number[] = [];
  const scheduledMs: number[] = [];
  // The first round is not counted: V8 compiles during it.
  for (let round = 0; round <= rounds; round++) {
    if (round > 0) options.progress(`attach in the kernel layer, round ${round} of ${rounds}`);
    const ours = await measureOurs(kernel, `k${round}`, perRound);
    const theirs = await measureTheirs(kernel, `n${round}`, perRound);
    if (round === 0) continue;
    oursMs.push(...ours);
    theirsMs.push(...theirs);
  }
  for (let call = 0; call < 2000; call++) scheduledMs.push(await measureRoundTrip(kernel));
  const peer = (value: number) => ({ name: "the same in C", value });
  return [
    {
      name: "kernel: attach p50",
      ours: median(oursMs),
      peer: peer(median(theirsMs)),
      unit: "ms",
      target: { kind: "within", times: 1.5 },
      note: `of ${oursMs.length}`,
    },
    {
      name: "kernel: attach p99",
      ours: percentile(oursMs, 0.99),
      peer: peer(percentile(theirsMs, 0.99)),
      unit: "ms",
    },
    {
      name: "kernel: call to the worker and back, p50",
      ours: median(scheduledMs) * 1000,
      unit: "us",
      note: "part of every attach",
    },
  ];
}

async function measureOurs(
  kernel: RtnetlinkKernel,
  name: string,
  count: number,
): Promise<number[]> {
  const pods = await createPods(kernel, name, count);
  const plans = pods.map((pod, index): RoutedPlan => planRouted(requestOf(pod, index), 1500));
  const times: number[] = [];
  for (const plan of plans) {
    const startMs = performance.now();
    await kernel.apply(attachBatches(plan, "create"));
    times.push(performance.now() - startMs);
  }
  await kernel.removeLinks(plans.map((plan) => plan.names.hostIfname));
  await deletePods(kernel, pods);
  return times;
}

async function measureTheirs(
  kernel: RtnetlinkKernel,
  name: string,
  count: number,
): Promise<readonly number[]> {
  const pods = await createPods(kernel, name, count);
  const list = pods.map(
    ({ netns }, index) =>
      `${netns} bn${index} ${addressesOf(index).join(" ")} ${gateways.v4} ${gateways.v6}`,
  );
  const { wallMs } = runTimed(native, ["--loop"], list);
  await kernel.removeLinks(pods.map((_, index) => `bn${index}`));
  await deletePods(kernel, pods);
  return wallMs;
}

async function measureRoundTrip(kernel: RtnetlinkKernel): Promise<number> {
  const startMs = performance.now();
  await kernel.apply([]);
  return performance.now() - startMs;
}

function addressesOf(index: number): [string, string] {
  return [`10.91.0.${index + 2}`, `fd91::${(index + 2).toString(16)}`];
}

function requestOf({ containerId, netns }: ExecCall, index: number): AttachRequest {
  const [v4, v6] = addressesOf(index);
  return {
    attachmentId: containerId,
    pod: null,
    sandboxId: containerId,
    netns: netns ?? "",
    ifname: "eth0",
    network: "bench",
    configJson: "{}",
    addresses: [
      { address: `${v4}/16`, gateway: gateways.v4 },
      { address: `${v6}/64`, gateway: gateways.v6 },
    ],
    routes: [],
    mac: "",
    mtu: 0,
    device: null,
    masquerade: null,
    ...NO_WISHES,
  };
}
