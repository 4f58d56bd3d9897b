import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressesOf, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import type { DaemonName } from "../cluster/cluster.ts";
import { deployment, service } from "../objects.ts";

const PODS = 12;
/** Pods that have their network when the process is killed. */
const BEFORE_KILL = 3;

export function deathsSuite(lane: () => Lane): void {
  describe("deaths", () => {
    for (const victim of ["patchbay", "containerd", "kubelet"] satisfies DaemonName[]) {
      test(`kill -9 of ${victim} while ${PODS} pods are created: all come, none is left or doubled`, async () => {
        const { cluster } = lane();
        const namespace = await lane().createNamespace("deaths");
        await lane().useNetworkOnce(namespace);
        const footprint = await lane().footprint();
        await cluster.apply(
          deployment("crowd", namespace, { replicas: PODS }),
          service("crowd", namespace),
        );
        await cluster.until(`${BEFORE_KILL} attachments`, LIMIT_MS, async () => {
          const rows = await lane().attachments();
          const own = rows.filter(({ podNamespace }) => podNamespace === namespace);
          return own.length >= BEFORE_KILL;
        });
        await cluster.kill(victim, "SIGKILL");
        cluster.start(victim);
        await lane().untilAvailable(namespace, "crowd", 2 * LIMIT_MS);
        const pods = await lane().pods(namespace, "crowd");
        const addresses = pods.flatMap(addressesOf);
        assert.equal(addresses.length, 2 * PODS);
        assert.equal(new Set(addresses).size, addresses.length);
        const [address = ""] = (await lane().service(namespace, "crowd")).addresses;
        await lane().untilAnswered(onNode, { address, port: 80 });
        await lane().untilConsistent();
        await lane().emptyNamespace(namespace);
        await lane().untilConsistent();
        await lane().untilFootprint(footprint);
      });
    }
  });
}
