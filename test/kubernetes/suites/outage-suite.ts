import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import type { Json } from "../cluster/api-client.ts";
import { addressesOf, inPod, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import { deployment, pod, PORTS, service } from "../objects.ts";

/** What the issue asks for. */
const OUTAGE_MS = 60_000;

export function outageSuite(lane: () => Lane): void {
  test("a minute without the API server: pods restart with network, Services work, nothing is listed anew", async () => {
    const { cluster } = lane();
    const namespace = await lane().createNamespace("outage");
    await cluster.apply(
      deployment("steady", namespace, { replicas: 2 }),
      service("steady", namespace),
      pod("client", namespace, { args: ["serve"] }),
      pod("patient", namespace),
    );
    await lane().untilAvailable(namespace, "steady");
    await lane().untilPodReady(namespace, "client");
    const before = addressesOf(await lane().untilPodReady(namespace, "patient"));
    const { addresses } = await lane().service(namespace, "steady");
    const client = inPod(namespace, "client");
    for (const address of addresses) await lane().untilAnswered(client, { address, port: 80 });
    const lists = await readLists(lane());

    const endMs = performance.now() + OUTAGE_MS;
    await cluster.kill("kube-apiserver", "SIGKILL");
    const loads = await Promise.all(
      addresses.map((address) => lane().startLoad(client, { address, port: 80 })),
    );
    const old = await lane().sandboxOf(namespace, "patient");
    assert.ok(old);
    await cluster.cri.stopPodSandbox(old.id);
    // kubelet makes another one, of which the API server hears nothing.
    const sandbox = await cluster.until("another sandbox of patient", LIMIT_MS, async () => {
      const found = await lane().sandboxOf(namespace, "patient");
      return found && found.id !== old.id ? found : undefined;
    });
    const fresh = (await cluster.cri.showPodSandbox(sandbox.id)).addresses;
    assert.equal(fresh.length, before.length);
    for (const address of fresh) {
      const { server } = await lane().untilAnswered(client, { address, port: PORTS.tcp });
      assert.equal(server, "patient");
    }
    const rows = (await lane().attachments()).filter(({ podName }) => podName === "patient");
    assert.equal(rows.length, 1);
    await sleep(Math.max(0, endMs - performance.now()));

    cluster.start("kube-apiserver");
    await cluster.untilApiServes();
    for (const result of await Promise.all(loads.map((load) => load.stop()))) {
      assert.deepEqual(result.failures, []);
      assert.ok(result.connections > 0);
    }
    // Changes arrive again, in both directions.
    await cluster.apply(
      deployment("later", namespace, { replicas: 1 }),
      service("later", namespace),
    );
    const later = (await lane().service(namespace, "later")).addresses;
    for (const address of later) await lane().untilAnswered(onNode, { address, port: 80 });
    await cluster.until("the API server to know patient's addresses", LIMIT_MS, async () => {
      const found = await lane().pod(namespace, "patient");
      return addressesOf(found).toSorted().join() === [...fresh].toSorted().join();
    });
    await lane().untilConsistent();
    await cluster.until("every watch to go on", LIMIT_MS, async () => {
      const { kubernetes } = await lane().status();
      return kubernetes.watches.every(
        ({ phase }: Json) => phase === "watching" || phase === "absent",
      );
    });
    assert.deepEqual(await readLists(lane()), lists);
    await lane().emptyNamespace(namespace);
  });
}

/** How often each resource was listed, "services 1". */
async function readLists(lane: Lane): Promise<string[]> {
  const { kubernetes } = await lane.status();
  return kubernetes.watches.map(({ resource, lists }: Json) => `${resource} ${lists}`);
}
