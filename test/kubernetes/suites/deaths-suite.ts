import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressesOf, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import type { DaemonName } from "../cluster/cluster.ts";
import { listPodNetns } from "../cluster/node-space.ts";
import { deployment, service } from "../objects.ts";

const PODS = 12;
/** Pods that have a network namespace when the process is killed. */
const BEFORE_KILL = 3;

export function deathsSuite(lane: () => Lane): void {
  describe("deaths", () => {
    for (const victim of ["patchbay", "containerd", "kubelet"] satisfies DaemonName[]) {
      test(`kill -9 of ${victim} while ${PODS} pods are created: all come, none is left or doubled`, async () => {
        const { cluster } = lane();
        const namespace = await lane().createNamespace("deaths");
        await lane().useNetworkOnce(namespace);
        const footprint = await lane().footprint();
        const namespaces = listPodNetns().length;
        await cluster.apply(
          deployment("crowd", namespace, { replicas: PODS }),
          service("crowd", namespace),
        );
        // Their namespaces are made right before their networks.
        await cluster.until(`${BEFORE_KILL} pods`, LIMIT_MS, () => {
          return listPodNetns().length >= namespaces + BEFORE_KILL;
        });
        await cluster.kill(victim, "SIGKILL");
        lane().say(`killed ${victim}, and deleted a pod meanwhile`);
        const [unlucky] = await lane().pods(namespace, "crowd");
        const path = `/api/v1/namespaces/${namespace}/pods/${unlucky.metadata.name}`;
        await cluster.api.delete(path, { gracePeriodSeconds: 1 });
        cluster.start(victim);
        lane().say(`started ${victim} again`);
        await lane().untilAvailable(namespace, "crowd", 2 * LIMIT_MS);
        await cluster.until("the end of the deleted pod", LIMIT_MS, async () => {
          return (await lane().pods(namespace, "crowd")).length === PODS;
        });
        lane().say(`${PODS} pods are available`);
        const pods = await lane().pods(namespace, "crowd");
        const addresses = pods.flatMap(addressesOf);
        assert.equal(addresses.length, 2 * PODS);
        assert.equal(new Set(addresses).size, addresses.length);
        const [address = ""] = (await lane().service(namespace, "crowd")).addresses;
        await lane().untilAnswered(onNode, { address, port: 80 });
        await lane().untilConsistent();
        await lane().emptyNamespace(namespace);
        lane().say("all pods are deleted");
        await lane().untilConsistent();
        await lane().untilFootprint(footprint);
      });
    }
  });
}
