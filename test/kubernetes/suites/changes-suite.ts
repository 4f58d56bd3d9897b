import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ADDRESSES } from "../cluster/addresses.ts";
import { addressesOf, findNew, fromOutside, inPod, type Lane, LIMIT_MS, onNode } from "../lane.ts";
import { deployment, pod, service } from "../objects.ts";

export function changesSuite(lane: () => Lane): void {
  describe("changes", () => {
    let namespace = "";

    before(async () => {
      namespace = await lane().createNamespace("changes");
    });

    after(async () => {
      await lane().emptyNamespace(namespace);
    });

    test("a rolling update under load fails no connection", async () => {
      const { cluster } = lane();
      await cluster.apply(
        deployment("rolling", namespace, { replicas: 3, linger: "2s" }),
        service("rolling", namespace, { spec: { type: "NodePort" } }),
        pod("client", namespace, { args: ["serve"] }),
      );
      await lane().untilAvailable(namespace, "rolling");
      await lane().untilPodReady(namespace, "client");
      const { addresses, nodePorts } = await lane().service(namespace, "rolling");
      const port = nodePorts["tcp"] ?? 0;
      const client = inPod(namespace, "client");
      for (const address of addresses) await lane().untilAnswered(client, { address, port: 80 });
      const loads = await Promise.all([
        ...addresses.map((address) => lane().startLoad(client, { address, port: 80 })),
        lane().startLoad(onNode, { address: addresses[0] ?? "", port: 80 }),
        ...ADDRESSES.node.map((address) => lane().startLoad(fromOutside, { address, port })),
      ]);
      const before = new Set((await lane().pods(namespace, "rolling")).map(nameOf));
      const target = ["deployment/rolling", "--namespace", namespace];
      await cluster.kubectl(["rollout", "restart", ...target]);
      await cluster.kubectl(["rollout", "status", ...target, "--timeout=50s"]);
      await cluster.until("the end of the old pods", LIMIT_MS, async () => {
        const names = (await lane().pods(namespace, "rolling")).map(nameOf);
        return names.every((name) => !before.has(name));
      });
      lane().say("all pods are new ones");
      for (const result of await Promise.all(loads.map((load) => load.stop()))) {
        assert.deepEqual(result.failures, []);
        const servers = Object.keys(result.servers);
        assert.ok(
          servers.some((name) => before.has(name)),
          servers.join(" "),
        );
        assert.ok(
          servers.some((name) => !before.has(name)),
          servers.join(" "),
        );
      }
    });

    test("0 to 20 pods and back to 0", async () => {
      const { cluster } = lane();
      await cluster.apply(
        deployment("many", namespace, { replicas: 0 }),
        service("many", namespace),
      );
      await lane().scale(namespace, "many", 20);
      await lane().untilAvailable(namespace, "many");
      const pods = await lane().pods(namespace, "many");
      const addresses = new Set(pods.flatMap(addressesOf));
      assert.equal(addresses.size, 40);
      await lane().untilConsistent();
      const [address = ""] = (await lane().service(namespace, "many")).addresses;
      await lane().untilAnswered(onNode, { address, port: 80 });
      lane().say("20 pods are available");
      await lane().scale(namespace, "many", 0);
      await cluster.until("the end of 20 pods", LIMIT_MS, async () => {
        return (await lane().pods(namespace, "many")).length === 0;
      });
      await lane().untilConsistent();
      await cluster.until("a refusal", LIMIT_MS, async () => {
        const dialled = lane().dial(onNode, { address, port: 80 });
        return await dialled.then(
          () => false,
          (error: unknown) => /refused/.test(String(error)),
        );
      });
    });

    test("a deleted pod leaves nothing: links, routes, rules, records, connections", async () => {
      const { cluster } = lane();
      await lane().useNetworkOnce(namespace);
      await cluster.apply(service("brief", namespace, { spec: { type: "NodePort" } }));
      const made = await lane().service(namespace, "brief");
      const before = await lane().footprint();
      await cluster.apply(pod("brief", namespace, { hostPorts: { udp: 19_000 } }));
      const ready = await lane().untilPodReady(namespace, "brief");
      const addresses = addressesOf(ready);
      for (const [index, address] of made.addresses.entries()) {
        const family = { protocol: "udp" as const };
        await lane().untilAnswered(onNode, { ...family, address, port: 80 });
        const node = ADDRESSES.node[index] ?? "";
        const nodePort = made.nodePorts["udp"] ?? 0;
        await lane().untilAnswered(fromOutside, { ...family, address: node, port: nodePort });
        await lane().untilAnswered(fromOutside, { ...family, address: node, port: 19_000 });
      }
      assert.notDeepEqual(findNew(before, await lane().footprint()), []);
      for (const address of addresses) {
        assert.notDeepEqual(await lane().conntrack("udp", address), [], address);
      }
      await cluster.kubectl(["delete", "pod", "brief", "--namespace", namespace]);
      let left: string[] = [];
      await cluster
        .until("nothing to be left", LIMIT_MS, async () => {
          const flows = addresses.map((address) => lane().conntrack("udp", address));
          left = [
            ...findNew(before, await lane().footprint()),
            ...(await Promise.all(flows)).flat(),
          ];
          return left.length === 0;
        })
        .catch((error: unknown) => {
          throw new Error(`Left behind:\n${left.join("\n")}`, { cause: error });
        });
    });
  });
}

function nameOf({ metadata }: { metadata: { name: string } }): string {
  return metadata.name;
}
