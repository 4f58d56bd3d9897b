import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { ADDRESSES } from "../cluster/addresses.ts";
import type { Json } from "../cluster/api-client.ts";
import { CNI_BIN_DIR, CNI_CONF_DIR } from "../cluster/runtime-config.ts";
import { addressesOf, inPod, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import { deployment, pod, PORTS } from "../objects.ts";

export function nodeSuite(lane: () => Lane): void {
  test("the API server is reached through its own Service address from the first second on", async () => {
    const { cluster } = lane();
    const namespace = await lane().createNamespace("first");
    // One try, and no second one: restartPolicy Never.
    const args = ["tls", `${ADDRESSES.apiService[0]}:443`];
    await cluster.apply(pod("early", namespace, { args, restartPolicy: "Never" }));
    const { status } = await cluster.until("the end of pod early", LIMIT_MS, async () => {
      const found = await lane().pod(namespace, "early");
      return ["Succeeded", "Failed"].includes(found.status.phase) && found;
    });
    assert.equal(status.phase, "Succeeded", JSON.stringify(status.containerStatuses));
  });

  test("the node is Ready with Patchbay as its only CNI plugin and no kube-proxy", async () => {
    const { cluster } = lane();
    assert.deepEqual(readdirSync(CNI_CONF_DIR), ["10-patchbay.conflist"]);
    assert.deepEqual(readdirSync(CNI_BIN_DIR).toSorted(), ["loopback", "patchbay"]);
    assert.throws(() => cluster.daemon("kube-proxy"));
    await cluster.until("NetworkUnavailable=False", LIMIT_MS, async () => {
      const { status } = await cluster.api.get(`/api/v1/nodes/${ADDRESSES.nodeName}`);
      return status.conditions.some(
        ({ type, status: value }: Json) => type === "NetworkUnavailable" && value === "False",
      );
    });
    const { spec } = await cluster.api.get(`/api/v1/nodes/${ADDRESSES.nodeName}`);
    const { kubernetes } = await lane().status();
    assert.deepEqual(kubernetes.podCidrs, spec.podCIDRs);
  });

  test("a Deployment becomes available, and its pods reach each other over both families", async () => {
    const { cluster } = lane();
    const namespace = await lane().createNamespace("pods");
    await cluster.apply(deployment("web", namespace, { replicas: 2 }));
    await lane().untilAvailable(namespace, "web");
    const [first, second] = await lane().pods(namespace);
    assert.equal(addressesOf(second).length, 2);
    for (const address of addressesOf(second)) {
      for (const protocol of ["tcp", "udp"] as const) {
        const target = { protocol, address, port: PORTS[protocol] };
        const [answer] = await lane().dial(inPod(namespace, first.metadata.name), target);
        assert.equal(answer?.server, second.metadata.name);
        // No masquerading between pods.
        assert.ok(addressesOf(first).includes(answer?.client ?? ""));
        await lane().dial(onNode, target);
      }
    }
    const inside = ["exec", "--namespace", namespace, first.metadata.name, "--", "/probe"];
    const text = await cluster.kubectl([
      ...inside,
      ...["dial", "tcp", `${addressesOf(second)[0]}:${PORTS.tcp}`],
    ]);
    assert.match(text, new RegExp(`^${second.metadata.name} `));
    await lane().untilConsistent();
    await lane().emptyNamespace(namespace);
  });
}
