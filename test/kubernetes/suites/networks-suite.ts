import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findExample, findReasonToSkip } from "../../examples.ts";
import type { Json } from "../cluster/api-client.ts";
import { Daemon } from "../cluster/daemon.ts";
import { APPLY_KINDS } from "../cluster/rights.ts";
import { addressesOf, inPod, type Lane, LIMIT_MS } from "../lane.ts";
import { networkDefinition, pod, PORTS } from "../objects.ts";

const networksKey = "k8s.v1.cni.cncf.io/networks";
const statusKey = "k8s.v1.cni.cncf.io/network-status";
const goPlugin = findExample("go");

export function networksSuite(lane: () => Lane): void {
  describe("networks", () => {
    let namespace = "";
    let plugin: Daemon;

    before(async () => {
      const { cluster } = lane();
      namespace = await lane().createNamespace("networks");
      // Later than the host's start: it finds the resource when it is there.
      await cluster.kubectl(APPLY_KINDS);
      await cluster.until("the host to follow definitions", LIMIT_MS, async () => {
        const { kubernetes } = await lane().status();
        return kubernetes.watches.some(
          ({ resource, phase }: Json) =>
            phase === "watching" && resource.startsWith("network-attachment-definitions"),
        );
      });
      plugin = new Daemon({
        name: "go-bridge",
        argv: goPlugin.command("/run/patchbay/plugins/go-bridge.sock"),
        netns: () => cluster.node.netns,
        logFile: join(cluster.folder, "logs/go-bridge.log"),
      });
      plugin.start();
    });

    after(async () => {
      await lane().emptyNamespace(namespace);
      const definitions = ["network-attachment-definitions", "--all", "--namespace", namespace];
      await lane().cluster.kubectl(["delete", ...definitions]);
      await plugin.kill("SIGTERM");
    });

    test("a pod with three networks, one of a plugin in Go, has their interfaces and tells of them", {
      skip: findReasonToSkip("go") ?? false,
    }, async () => {
      const { cluster } = lane();
      await cluster.apply(
        networkDefinition("blue", namespace, {
          type: "patchbay",
          plugin: "go-bridge",
          ipam: ranges("10.90.0.0/24", "fd00:90::/64"),
        }),
        networkDefinition("red", namespace, {
          type: "patchbay",
          plugin: "bridge",
          bridge: "red0",
          ipam: ranges("10.91.0.0/24", "fd00:91::/64"),
        }),
        networkDefinition("lan", namespace, {
          type: "patchbay",
          plugin: "macvlan",
          master: "uplink0",
          ipam: { ranges: [[{ subnet: "10.92.0.0/24", gateway: null }]] },
        }),
      );
      const annotations = { [networksKey]: "blue, red, lan" };
      const names = ["many-a", "many-b"];
      await cluster.apply(...names.map((name) => pod(name, namespace, { annotations })));
      const pods: Json[] = [];
      for (const name of names) pods.push(await lane().untilPodReady(namespace, name));
      const rows = await cluster.until("network-status of both", LIMIT_MS, async () => {
        for (const [index, name] of names.entries())
          pods[index] = await lane().pod(namespace, name);
        const texts = pods.map(({ metadata }) => metadata.annotations[statusKey]);
        return texts.every((text) => text) && texts.map((text): Json[] => JSON.parse(text));
      });
      for (const [index, status] of rows.entries()) {
        assert.deepEqual(
          status.map(({ name, interface: ifname }) => [name, ifname]),
          [
            ["patchbay", "eth0"],
            [`${namespace}/blue`, "net1"],
            [`${namespace}/red`, "net2"],
            [`${namespace}/lan`, "net3"],
          ],
        );
        assert.deepEqual(status[0].ips, addressesOf(pods[index]));
        const links = JSON.parse(
          await lane().runInPod(namespace, names[index] ?? "", ["ip", "-json", "address"]),
        ) as Json[];
        for (const { interface: ifname, ips, mac } of status) {
          const link = links.find((candidate) => candidate.ifname === ifname);
          assert.equal(link?.address, mac, `${ifname} ${JSON.stringify(link)}`);
          const has = link.addr_info.map(({ local }: Json) => local);
          for (const ip of ips) assert.ok(has.includes(ip), `${ifname} has ${has}, not ${ip}`);
        }
      }
      for (const { ips, name } of rows[1] ?? []) {
        for (const address of ips) {
          const [answer] = await lane().dial(inPod(namespace, "many-a"), {
            address,
            port: PORTS.tcp,
          });
          assert.equal(answer?.server, "many-b", name);
        }
      }
    });

    test("a wrong definition: describe names the field, and the pod starts once it is mended", async () => {
      const { cluster } = lane();
      const config = { type: "patchbay", plugin: "bridge", bridge: "mend0" };
      const ipam = (subnet: string) => ({ ipam: { ranges: [[{ subnet }]] } });
      await cluster.apply(
        networkDefinition("mended", namespace, { ...config, ...ipam("10.93.0.0/240") }),
        pod("patient", namespace, { annotations: { [networksKey]: "mended" } }),
      );
      await cluster.until("an event that names the field", LIMIT_MS, async () => {
        const text = await cluster.kubectl([
          "describe",
          "pod",
          "patient",
          "--namespace",
          namespace,
        ]);
        const events = text.slice(text.indexOf("Events:"));
        return events
          .split("\n")
          .some((line) => /patchbay/i.test(line) && /ipam\.ranges\[0\]\[0\]\.subnet/.test(line));
      });
      const kind = ["network-attachment-definition", "mended", "--namespace", namespace];
      await cluster.until("an event of the definition", LIMIT_MS, async () => {
        const text = await cluster.kubectl(["describe", ...kind]);
        return /subnet/.test(text.slice(text.indexOf("Events:")));
      });
      await cluster.apply(
        networkDefinition("mended", namespace, { ...config, ...ipam("10.93.0.0/24") }),
      );
      await lane().untilPodReady(namespace, "patient");
      await lane().untilConsistent();
    });

    test("a pod's bandwidth annotations are in force on its link", async () => {
      const annotations = { "kubernetes.io/egress-bandwidth": "16M" };
      await lane().cluster.apply(pod("slow", namespace, { annotations }));
      await lane().untilPodReady(namespace, "slow");
      assert.match(await lane().cluster.node.run(["tc", "qdisc"]), /rate 16Mbit/);
    });
  });
}

function ranges(...subnets: readonly string[]): object {
  return { ranges: subnets.map((subnet) => [{ subnet }]) };
}
