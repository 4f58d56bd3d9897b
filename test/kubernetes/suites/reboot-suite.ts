import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ADDRESSES } from "../cluster/addresses.ts";
import { addressesOf, fromOutside, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import { deployment, service } from "../objects.ts";

export function rebootSuite(lane: () => Lane): void {
  describe("reboot", () => {
    test("everything is gone and the boot id is another: pods and Services come back, nothing is doubled", async () => {
      const { cluster } = lane();
      const namespace = await lane().createNamespace("reboot");
      await cluster.apply(
        deployment("web", namespace, { replicas: 5 }),
        service("web", namespace, { spec: { type: "NodePort" } }),
      );
      await lane().untilAvailable(namespace, "web");
      const path = `/api/v1/nodes/${ADDRESSES.nodeName}`;
      const { bootID } = (await cluster.api.get(path)).status.nodeInfo;
      await cluster.reboot();
      await cluster.until("the node's other boot id", LIMIT_MS, async () => {
        return (await cluster.api.get(path)).status.nodeInfo.bootID !== bootID;
      });
      await cluster.untilNodeReady();
      lane().say("the node is Ready again");
      await cluster.until("sandboxes that are new", LIMIT_MS, async () => {
        const pods = await lane().pods(namespace, "web");
        const sandboxes = pods.map(({ metadata }) => lane().sandboxOf(namespace, metadata.name));
        return (await Promise.all(sandboxes)).every((sandbox) => sandbox !== undefined);
      });
      await lane().untilConsistent(2 * LIMIT_MS);
      await lane().untilAvailable(namespace, "web", 2 * LIMIT_MS);
      lane().say("all pods are available again");
      const addresses = (await lane().pods(namespace, "web")).flatMap(addressesOf);
      assert.equal(new Set(addresses).size, 10);
      const made = await lane().service(namespace, "web");
      for (const [index, address] of made.addresses.entries()) {
        await lane().untilAnswered(onNode, { address, port: 80 });
        const nodePort = made.nodePorts["tcp"] ?? 0;
        const node = ADDRESSES.node[index] ?? "";
        await lane().untilAnswered(fromOutside, { address: node, port: nodePort });
      }
      await lane().emptyNamespace(namespace);
      await lane().untilConsistent();
      assert.deepEqual((await lane().attachments()).length, 0);
    });

    test("with the rights of deploy/ the host was refused nothing, and it saw no bug of its own", () => {
      const log = lane().cluster.daemon("patchbay").log();
      const telling = /forbidden|unauthorized|INTERNAL|AssertionError|TypeError/i;
      assert.deepEqual(
        log.split("\n").filter((line) => telling.test(line)),
        [],
      );
    });
  });
}
