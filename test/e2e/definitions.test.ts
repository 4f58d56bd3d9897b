/** Where networks come from, and who may have them: manifests, isolation, the node's own configurations. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findSkipReason, openNode, type Pod, type TestNode, until } from "./harness.ts";
import { manifestsOf, type StatusEntry } from "./pod-networks.ts";
import {
  add,
  addOk,
  addressesOf,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;

const DEFAULT_NETWORK = "v1.multus-cni.io/default-network";
const NETWORKS = "k8s.v1.cni.cncf.io/networks";

function bridge(number: number): string {
  const ranges = [[{ subnet: `10.${number}.0.0/24` }]];
  return JSON.stringify({
    type: "patchbay",
    plugin: "bridge",
    bridge: `br-${number}`,
    ipam: { ranges },
  });
}

/** Written as people write them, and moved into place. */
function writeManifest(node: TestNode, file: string, networks: Readonly<Record<string, string>>) {
  const documents = Object.entries(networks).map(([identity, config]) => {
    const [namespace, name] = identity.split("/");
    return `apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  config: '${config}'
`;
  });
  const path = join(manifestsOf(node), file);
  mkdirSync(manifestsOf(node), { recursive: true });
  writeFileSync(`${path}.tmp`, documents.join("---\n"));
  renameSync(`${path}.tmp`, path);
}

function asking(pod: Pod, network: NetworkJson, annotations: Readonly<Record<string, string>>) {
  return {
    args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=prod;K8S_POD_NAME=${pod.name}`,
    config: { ...network, runtimeConfig: { "io.kubernetes.cri.pod-annotations": annotations } },
  };
}

async function startIsolated(node: TestNode) {
  const confDir = join(node.root, "net.d");
  mkdirSync(confDir);
  writeFileSync(join(confDir, "10-own.conf"), bridge(213).replace("{", '{"name":"own",'));
  const config = join(node.root, "host.json");
  const networks = { namespaceIsolation: true, globalNamespaces: ["shared"] };
  writeFileSync(config, JSON.stringify({ networks, cni: { confDir } }));
  const args = ["--manifests", manifestsOf(node), "--config", config];
  const host = await node.startHost({ args });
  await until("definitions", 10_000, async () => {
    const { definitions } = await host.client.listNetworkDefinitions({});
    return definitions.length > 0;
  });
  return host;
}

describe("network definitions", { skip }, () => {
  test("are read from manifests and the node, for those who may have them", async () => {
    await using node = await openNode();
    writeManifest(node, "nets.yaml", {
      "prod/blue": bridge(211),
      "shared/red": bridge(212),
      "other/green": bridge(214),
      "prod/own": "",
      "prod/broken": bridge(215).replace("10.215.0.0/24", "10.215.0.0/99"),
    });
    const host = await startIsolated(node);
    const network = makeNetwork("routed");
    const pod = await node.createPod();

    const call = asking(pod, network, { [NETWORKS]: "blue, shared/red@red0, own" });
    await addOk(node, pod, network, call);
    const { pods } = await host.client.getNetworkStatus({ pod: `prod/${pod.name}` });
    const status = JSON.parse(pods[0]?.networkStatusJson ?? "[]") as StatusEntry[];
    assert.deepEqual(
      status.slice(1).map(({ name, interface: ifname }) => `${name} ${ifname}`),
      ["prod/blue net1", "shared/red red0", "prod/own net3"],
    );
    await delOk(node, pod, network, call);

    const refusals: readonly (readonly [string, number, RegExp])[] = [
      [
        "other/green",
        7,
        /networks\[0\] names network other\/green, expected one of namespace prod, shared/,
      ],
      [
        "blue,broken",
        7,
        /prod\/broken \(nets\.yaml:\d+\): spec\.config: ipam\.ranges\[0\]\[0\]\.subnet/,
      ],
      [
        "blue@eth0",
        7,
        /networks\[0\]\.interface is "eth0", which is the name of the pod's default/,
      ],
    ];
    for (const [value, code, message] of refusals) {
      const error = errorOf(
        await add(node, pod, network, asking(pod, network, { [NETWORKS]: value })),
      );
      assert.equal(error.code, code, value);
      assert.match(error.msg, message);
    }
    const { findings } = await host.client.doctor();
    assert.deepEqual(
      findings
        .filter(({ check }) => check.startsWith("network-definition"))
        .map(({ check }) => check),
      ["network-definition-prod/broken"],
    );
  });

  test("come, take the default network's place, and go while a pod has them", async () => {
    await using node = await openNode();
    writeManifest(node, "nets.yaml", { "prod/blue": bridge(221) });
    const host = await startIsolated(node);
    const network = makeNetwork("routed");
    const pod = await node.createPod();
    const call = asking(pod, network, { [DEFAULT_NETWORK]: "late" });
    assert.match(
      errorOf(await add(node, pod, network, call)).msg,
      /prod\/late, which is not defined/,
    );

    writeManifest(node, "late.yaml", { "prod/late": bridge(222) });
    const isThere = async () => {
      const { definitions } = await host.client.listNetworkDefinitions({});
      return definitions.some(({ network }) => network === "prod/late");
    };
    await until("the late definition", 10_000, isThere);
    const result = await addOk(node, pod, network, call);
    assert.match(addressesOf(result).join(), /^10\.222\.0\./);

    rmSync(join(manifestsOf(node), "late.yaml"));
    await until("no late definition", 10_000, async () => !(await isThere()));
    await delOk(node, pod, network, call);
    assert.deepEqual(await host.client.listAttachments({}), []);
    assert.equal((await node.readKernel(pod.netns)).links.length, 1);
  });

  test("that nobody has read yet keep those waiting who ask for them, and nobody else", async () => {
    await using node = await openNode();
    await node.startHost({ args: ["--manifests", manifestsOf(node)] });
    const network = makeNetwork("routed");
    const [one, two] = await node.createPods(2);
    assert.ok(one && two);
    await addOk(node, one, network, asking(one, network, {}));
    const error = errorOf(
      await add(node, two, network, asking(two, network, { [NETWORKS]: "blue" })),
    );
    assert.deepEqual([error.code, /still being read/.test(error.msg)], [11, true], error.msg);
    await delOk(node, one, network, asking(one, network, {}));
  });
});
