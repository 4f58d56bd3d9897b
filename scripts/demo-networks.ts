// The part of the demo with several networks for a pod: by annotation, while it runs, and by a plugin
// in a process of its own; the picture of all that.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathsBelow } from "../src/plugin-host/paths.ts";
import type { HostClient } from "../src/rpc/client.ts";
import { type Pod, runInNetns, type TestNode, until } from "../test/e2e/harness.ts";
import { manifestFolder, type Told } from "./demo-services.ts";

const repository = join(import.meta.dirname, "..");
const THIRD_PARTY = "example-bridge";
/** The wire that macvlans sit on: this node has no uplink. */
const WIRE = "wire0";

const networks = {
  storage: { plugin: "bridge", bridge: "br-storage", ipam: ipam(201) },
  lan: { plugin: "macvlan", master: WIRE, ipam: ipam(202) },
  edge: { plugin: THIRD_PARTY, bridge: "br-edge", ipam: ipam(203) },
};

function ipam(number: number): object {
  return { ranges: [[{ subnet: `10.${number}.0.0/24` }], [{ subnet: `fd00:${number}::/64` }]] };
}

/** What the demo has beside. */
export interface NetworksDemo extends Told {
  say(text: string): void;
  /** ADD and DEL by the shim, with what is added to the network's configuration. */
  add(pod: Pod, more: object): Promise<void>;
  del(pod: Pod): Promise<void>;
  /** Runs a command of the CLI and prints what it says. */
  show(...args: readonly string[]): Promise<void>;
}

/** Two pods with networks of their own, and a picture of the node while they have them. */
export async function showNetworks(
  node: TestNode,
  client: HostClient,
  demo: NetworksDemo,
): Promise<void> {
  demo.say(
    "Several networks: three NetworkAttachmentDefinitions, one of them by a plugin of somebody else's",
  );
  const plugin = await startPlugin(node, demo);
  await makeWire(node);
  writeDefinitions(node);
  await until("three networks", 10_000, async () => {
    const { definitions } = await client.listNetworkDefinitions({});
    return definitions.filter(({ problem }) => problem === "").length === 3;
  });
  await demo.show("networks");

  const pods = await node.createPods(2);
  const [one, other] = pods as [Pod, Pod];
  demo.say("Two pods with the annotation k8s.v1.cni.cncf.io/networks: storage,lan");
  for (const pod of pods) {
    const annotations = { "k8s.v1.cni.cncf.io/networks": "storage,lan" };
    await demo.add(pod, { "io.kubernetes.cri.pod-annotations": annotations });
  }
  await demo.show("network-status", `demo/${one.name}`);

  demo.say("One more network while they run, by the plugin in its own process; and one less");
  await demo.show("attach", `demo/${one.name}`, "edge@net3");
  await client.attachNetwork({ pod: `demo/${other.name}`, selection: "edge@net3" });
  await pingEach(client, demo, { from: one, to: other });
  await demo.show("detach", `demo/${other.name}`, "lan");

  const picture = join(repository, "build/demo-map.svg");
  mkdirSync(join(repository, "build"), { recursive: true });
  await demo.show("map", "--output", picture);
  for (const pod of pods) await demo.del(pod);
  plugin.kill();
  await once(plugin, "close");
  demo.note("The pods are gone, and with them all their networks");
}

/** examples/typescript/plugin.ts, as its README starts it in a checkout. */
async function startPlugin(node: TestNode, demo: NetworksDemo): Promise<ChildProcess> {
  const socket = join(pathsBelow(node.root).pluginDir, `${THIRD_PARTY}.sock`);
  const file = join(repository, "examples/typescript/plugin.ts");
  const command = [process.execPath, "-C", "patchbay-source", file, "--socket", socket];
  const child = spawn("nsenter", [`--net=${node.netns}`, "--", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await until(`${THIRD_PARTY} listening`, 20_000, () => {
    demo.require(child.exitCode === null, `${THIRD_PARTY} runs: ${said}`);
    return said.includes("listens on");
  });
  demo.note(said.trim());
  return child;
}

async function makeWire({ kernel, netns }: TestNode): Promise<void> {
  const link = { type: "veth", peer: { name: "wire1" } } as const;
  await kernel.apply([
    {
      netns,
      operations: [
        { kind: "add-link", name: WIRE, link },
        { kind: "set-link", name: WIRE, up: true },
        { kind: "set-link", name: "wire1", up: true },
      ],
    },
  ]);
}

function writeDefinitions(node: TestNode): void {
  const objects = Object.entries(networks).map(([name, config]) => ({
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { namespace: "demo", name },
    spec: { config: JSON.stringify({ cniVersion: "1.0.0", type: "patchbay", ...config }) },
  }));
  const text = objects.map((object) => JSON.stringify(object, null, 2)).join("\n---\n");
  writeFileSync(join(manifestFolder(node), "networks.yaml"), text);
}

async function pingEach(
  client: HostClient,
  demo: NetworksDemo,
  { from, to }: { readonly from: Pod; readonly to: Pod },
): Promise<void> {
  const attachments = await client.listAttachments({ containerId: to.name });
  for (const { isDefault, network, ifname, addresses } of attachments) {
    if (isDefault) continue;
    for (const address of addresses.map((text) => text.replace(/\/.*/, ""))) {
      const result = await runInNetns(from.netns, [
        "ping",
        "-c",
        "1",
        "-W",
        "2",
        "-I",
        ifname,
        address,
      ]);
      demo.require(
        result.exitCode === 0,
        `${network} ${address}: ${result.stdout}${result.stderr}`,
      );
      const time = /time=([\d.]+)/.exec(result.stdout)?.[1] ?? "?";
      demo.note(`${`${ifname}, ${network}`.padEnd(34)} ${address.padEnd(14)} ${time} ms`);
    }
  }
}
