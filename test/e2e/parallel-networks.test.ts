/** Networks of a plugin that is slow and may attach many at once. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { definePlugin } from "../../src/plugin-sdk/define-plugin.ts";
import type { AttachRequest } from "../../src/plugin-sdk/network-plugin.ts";
import { serve } from "../../src/plugin-sdk/serve.ts";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type TestNode,
  until,
} from "./harness.ts";
import { askFor, type Definitions, startHostWith } from "./pod-networks.ts";
import { add, addOk, delOk, errorOf, makeNetwork, type NetworkJson } from "./runtime.ts";

const skip = findSkipReason() ?? false;
const NETWORKS = 16;
const ATTACH_MS = 100;
/** What one host may take of a node: the bound of issue 5. */
const MEMORY_KIB_MAX = 256 << 10;

const NAMES = Array.from({ length: NETWORKS }, (_, index) => `slow${index}`);
const ALL = NAMES.join(",");
const DEFINITIONS: Definitions = Object.fromEntries(
  NAMES.map((name, index) => [
    name,
    {
      plugin: "slow",
      ipam: {
        ranges: [
          [{ subnet: `10.${150 + index}.0.0/24` }],
          [{ subnet: `fd00:${150 + index}::/64` }],
        ],
      },
    },
  ]),
);

/** A plugin in this process that takes its time and keeps count. */
function slowPlugin() {
  const held = new Map<string, string>();
  const running = new Map<string, number>();
  const peaks = new Map<string, number>();
  const plugin = definePlugin({
    name: "slow",
    version: "1.0.0",
    capabilities: ["CAPABILITY_ATTACH_IN_PARALLEL"],
    async attach(request: AttachRequest) {
      const { sandboxId, ifname, netns, addresses } = request;
      const now = (running.get(sandboxId) ?? 0) + 1;
      running.set(sandboxId, now);
      peaks.set(sandboxId, Math.max(now, peaks.get(sandboxId) ?? 0));
      await sleep(ATTACH_MS);
      running.set(sandboxId, (running.get(sandboxId) ?? 1) - 1);
      held.set(request.attachmentId, ifname);
      const link = { name: ifname, mac: "02:00:00:00:00:01", mtu: 1500, sandbox: netns };
      return {
        interfaces: [{ ...link, pciId: "", socketPath: "" }],
        addresses: addresses.map((address) => ({ ...address, interfaceIndex: 0 })),
        routes: [],
        dns: null,
        deviceInfoJson: "",
      };
    },
    async detach({ attachmentId }) {
      held.delete(attachmentId);
    },
    async list() {
      return [...held].map(([attachmentId, object]) => ({ attachmentId, object }));
    },
  });
  return { plugin, held, peaks };
}

async function openScene(node: TestNode) {
  const slow = slowPlugin();
  const socket = join(pathsBelow(node.root).pluginDir, "slow.sock");
  const host = await startHostWith(node, DEFINITIONS);
  const served = await serve(slow.plugin, { socket, handlesSignals: false });
  await until("the plugin", 10_000, async () => {
    const { plugins } = await host.client.getStatus();
    return plugins.some(({ name, trouble }) => name === "slow" && trouble === "");
  });
  return { ...slow, host, served, network: makeNetwork("routed") };
}

describe(`a plugin that takes ${ATTACH_MS} ms`, { skip }, () => {
  test(`attaches the ${NETWORKS} networks of a pod in one step`, async () => {
    await using node = await openNode();
    const { host, served, network, peaks, held } = await openScene(node);
    await using _served = served;
    const pod = await node.createPod();
    await addOk(node, pod, network, askFor(pod, network, ALL));
    assert.equal(peaks.get(pod.name), NETWORKS, "attached at the same time");
    assert.equal((await host.client.listAttachments({})).length, NETWORKS + 1);
    await delOk(node, pod, network);
    assert.equal(held.size, 0);
  });

  test(`50 such pods at once all come, within ${MEMORY_KIB_MAX >> 10} MiB, and go`, async () => {
    await using node = await openNode();
    const { host, served, network, held } = await openScene(node);
    await using _served = served;
    const pods = await node.createPods(50);
    await Promise.all(pods.map((pod) => addUntilOk(node, pod, network)));
    assert.equal(held.size, 50 * NETWORKS);
    assert.equal((await host.client.listAttachments({})).length, 50 * (NETWORKS + 1));
    const peakKib = peakMemoryKib(host);
    assert.ok(peakKib < MEMORY_KIB_MAX, `the host took ${peakKib} KiB`);
    await Promise.all(pods.map((pod) => delOk(node, pod, network)));
    assert.equal(held.size, 0);
    assert.deepEqual(await host.client.listAttachments({}), []);
  });
});

/** As a runtime does: a call that is told to come again comes again. */
async function addUntilOk(node: TestNode, pod: Pod, network: NetworkJson): Promise<void> {
  for (let times = 0; times < 20; times++) {
    const answer = await add(node, pod, network, askFor(pod, network, ALL));
    if (answer.exitCode === 0) return;
    assert.equal(errorOf(answer).code, 11, answer.stdout);
  }
  assert.fail(`${pod.name} was refused 20 times`);
}

/** VmHWM: the most memory that the process has ever had, proc(5). */
function peakMemoryKib({ pid }: HostProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
}
