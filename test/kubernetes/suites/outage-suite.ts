import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../cluster/api-client.ts";
import { addressesOf, compareLists, inPod, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import { deployment, pod, PORTS, service } from "../objects.ts";

/** What the issue asks for. */
const OUTAGE_MS = 60_000;
/** Those that are started anew when they lose their leases on leadership: here nobody gives them leases. */
const leaders = ["kube-controller-manager", "kube-scheduler"] as const;

export function outageSuite(lane: () => Lane): void {
  describe("the API server away", () => {
    let namespace = "";

    before(async () => {
      namespace = await lane().createNamespace("outage");
      await lane().cluster.apply(
        deployment("steady", namespace, { replicas: 2 }),
        service("steady", namespace),
        pod("client", namespace, { args: ["serve"] }),
        pod("patient", namespace),
      );
      await lane().untilAvailable(namespace, "steady");
      await lane().untilPodReady(namespace, "client");
      const { addresses } = await lane().service(namespace, "steady");
      const client = inPod(namespace, "client");
      for (const address of addresses) await lane().untilAnswered(client, { address, port: 80 });
    });

    after(async () => {
      // Also after a failure: what comes next wants all of them.
      await lane().cluster.startAll();
      await lane().emptyNamespace(namespace);
    });

    /** A Service whose endpoints are written here: no controller's moment of waking up is in the way. */
    const untilChangesArrive = async (name: string) => {
      const [target] = await lane().pods(namespace, "steady");
      const [ip = ""] = addressesOf(target);
      const made = service(name, namespace, { families: "IPv4", spec: { selector: null } });
      await lane().cluster.apply(made, endpointSlice(name, namespace, ip));
      const [address = ""] = (await lane().service(namespace, name)).addresses;
      const { server } = await lane().untilAnswered(onNode, { address, port: 80 });
      assert.equal(server, target.metadata.name);
    };

    test("connections to the API server that break: watches go on where they were, nothing is listed anew", async () => {
      const { cluster } = lane();
      const lists = await readWatches(lane(), "lists");
      const watches = await readWatches(lane(), "watches");
      const cut = await cluster.node.run(["ss", "-K", "-tn", "dport", "=", "6443"]);
      assert.match(cut, /6443/);
      await untilChangesArrive("after-cut");
      await cluster.until("every watch to be opened again", LIMIT_MS, async () => {
        const now = await readWatches(lane(), "watches");
        return now.every((line) => !watches.includes(line)) || undefined;
      });
      assert.deepEqual(await readWatches(lane(), "lists"), lists);
    });

    test("a minute without it: pods that kubelet restarts get their network, Services work, changes arrive afterwards", async () => {
      const { cluster } = lane();
      const client = inPod(namespace, "client");
      const { addresses } = await lane().service(namespace, "steady");
      const first = addressesOf(await lane().untilPodReady(namespace, "patient"));

      const endMs = performance.now() + OUTAGE_MS;
      for (const name of ["kube-apiserver", ...leaders] as const) await cluster.kill(name);
      lane().say("killed the API server, the controller-manager and the scheduler");
      const loads = await Promise.all(
        addresses.map((address) => lane().startLoad(client, { address, port: 80 })),
      );
      const old = await lane().sandboxOf(namespace, "patient");
      assert.ok(old);
      await cluster.cri.stopPodSandbox(old.id);
      // kubelet makes another one, of which the API server hears nothing.
      const sandbox = await cluster.until("another sandbox of patient", LIMIT_MS, async () => {
        const found = await lane().sandboxOf(namespace, "patient");
        return found && found.id !== old.id && found.addresses.length > 0 ? found : undefined;
      });
      const fresh = sandbox.addresses;
      lane().say(`kubelet has made another sandbox: ${fresh.join(", ")}`);
      assert.equal(fresh.length, first.length);
      for (const address of fresh) {
        const { server } = await lane().untilAnswered(client, { address, port: PORTS.tcp });
        assert.equal(server, "patient");
      }
      const rows = (await lane().attachments()).filter(({ podName }) => podName === "patient");
      assert.deepEqual(rows.flatMap((row) => row.addresses.map(bare)).toSorted(), fresh.toSorted());
      assert.equal((await lane().status()).ready, true);
      await sleep(Math.max(0, endMs - performance.now()));

      cluster.start("kube-apiserver");
      await cluster.untilApiServes();
      for (const name of leaders) cluster.start(name);
      lane().say("the API server is back");
      await untilChangesArrive("after-outage");
      for (const result of await Promise.all(loads.map((load) => load.stop()))) {
        assert.deepEqual(result.failures, []);
        assert.ok(result.connections > 0);
      }
      lane().say("changes arrive, no connection has failed");
      // kubelet's own watches pause for up to a minute by now; a node's operator would not wait either.
      await cluster.kill("kubelet");
      cluster.start("kubelet");
      await cluster.until("the API server to know patient's addresses", LIMIT_MS, async () => {
        const found = await lane().pod(namespace, "patient");
        return compareLists(addressesOf(found), fresh).length === 0;
      });
      await lane().untilConsistent();
      await cluster.until("every watch to go on", LIMIT_MS, async () => {
        const { kubernetes } = await lane().status();
        return kubernetes.watches.every(
          ({ phase }: Json) => phase === "watching" || phase === "absent",
        );
      });
    });
  });
}

function endpointSlice(name: string, namespace: string, address: string): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [
      { name: "tcp", port: PORTS.tcp, protocol: "TCP" },
      { name: "udp", port: PORTS.udp, protocol: "UDP" },
    ],
  };
}

function bare(prefix: string): string {
  return prefix.split("/")[0] ?? "";
}

/** How often each resource that is there was listed, or watched: "services 1". */
async function readWatches(lane: Lane, what: "lists" | "watches"): Promise<string[]> {
  const { kubernetes } = await lane.status();
  return kubernetes.watches
    .filter(({ phase }: Json) => phase !== "absent")
    .map((watch: Json) => `${watch.resource} ${watch[what]}`);
}
