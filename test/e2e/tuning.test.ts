/** Keys `tuning` and `bandwidth` of a network and the capability `bandwidth`, from the runtime's call to the kernel. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { attachmentIdOf } from "../../src/plugin-host/core/attachment.ts";
import { linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import { findSkipReason, openNode, type Pod, type TestNode } from "./harness.ts";
import {
  add,
  addOk,
  assertSilentSuccess,
  check,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  PLUGINS,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
const TUNING = {
  mtu: 1380,
  txQueueLength: 123,
  promisc: true,
  sysctls: { "net.ipv4.conf.IFNAME.arp_notify": "1" },
};
/** As containerd hands over a pod's annotation kubernetes.io/ingress-bandwidth. */
const RUNTIME_CONFIG = {
  bandwidth: { ingressRate: 10_000_000, ingressBurst: 0xffff_ffff, egressRate: 0, egressBurst: 0 },
};

describe("tuning", { skip }, () => {
  let node: TestNode;

  before(async () => {
    node = await openNode();
    await node.startHost();
  });
  after(() => node[Symbol.asyncDispose]());

  function linksOf(
    pod: Pod,
    network: NetworkJson,
  ): { readonly host: string; readonly ifb: string } {
    const key = { network: network.name, containerId: pod.name, ifname: "eth0" };
    const { hostIfname } = linkNamesOf(attachmentIdOf(key));
    return { host: hostIfname, ifb: hostIfname.replace("pb", "pi") };
  }

  for (const plugin of PLUGINS) {
    test(`ADD (${plugin}) does what network and pod ask for, CHECK watches it, DEL leaves nothing`, async () => {
      const network = makeNetwork(plugin, {
        tuning: TUNING,
        bandwidth: { egressRate: 20_000_000 },
        runtimeConfig: RUNTIME_CONFIG,
      });
      const pod = await node.createPod();
      const { host, ifb } = linksOf(pod, network);
      const warm = await node.createPod();
      await addOk(node, warm, network);
      await delOk(node, warm, network);
      const before = await node.readKernel();
      const result = await addOk(node, pod, network);
      assert.deepEqual(
        result.interfaces.filter(({ name }) => name !== network["bridge"]).map(({ mtu }) => mtu),
        [1380, 1380],
      );
      const inPod = await node.runInPod(pod, ["ip", "-d", "link", "show", "eth0"]);
      assert.match(inPod.stdout, /PROMISC.* mtu 1380 .* qlen 123/);
      const sysctl = await node.runInPod(pod, ["cat", "/proc/sys/net/ipv4/conf/eth0/arp_notify"]);
      assert.equal(sysctl.stdout.trim(), "1");
      const qdiscOf = async (link: string) =>
        (await node.run(["tc", "-d", "qdisc", "show", "dev", link])).stdout;
      assert.match(await qdiscOf(host), /qdisc tbf .* root .* rate 10Mbit/);
      assert.match(await qdiscOf(ifb), /qdisc tbf .* root .* rate 20Mbit/);
      assertSilentSuccess(await check(node, pod, network));
      await node.run(["tc", "qdisc", "del", "dev", host, "root"]);
      const { code, details } = errorOf(await check(node, pod, network));
      assert.equal(code, 103);
      assert.match(
        details,
        new RegExp(`bandwidth sent by ${host}: expected 10000000 bit/s, burst`),
      );
      // A runtime may forget that the pod ever asked for rates.
      await delOk(node, pod, { ...network, runtimeConfig: {} });
      assert.deepEqual(await node.readKernel(), before);
      for (const each of [pod, warm]) await node.deletePod(each);
    });
  }

  test("ADD refuses what is wrong before anything is made, and names it", async () => {
    const pod = await node.createPod();
    const before = await node.readKernel();
    for (const [keys, why] of [
      [{ tuning: { mtu: 1000 } }, /tuning\.mtu is 1000, expected an integer from 1280 to 65535/],
      [
        { tuning: { sysctls: { "net.ipv4.conf.IFNAME.route_localnet": "1" } } },
        /"net\.ipv4\.conf\.IFNAME\.route_localnet", which networks may not set/,
      ],
      [{ bandwidth: { egressRate: 5 } }, /bandwidth\.egressRate is 5, expected 0 or at least 1000/],
    ] as const) {
      const error = errorOf(await add(node, pod, makeNetwork("routed", keys)));
      assert.equal(error.code, 7, JSON.stringify(error));
      assert.match(`${error.msg} ${error.details}`, why);
    }
    assert.deepEqual(await node.readKernel(), before);
    assert.equal((await node.runInPod(pod, ["ip", "-br", "link"])).stdout.split("\n").length, 2);
    await node.deletePod(pod);
  });
});

test("the host's networks.sysctlAllowList is in place of the list that is built in", {
  skip,
}, async () => {
  await using node = await openNode();
  const file = join(node.root, "etc/patchbay/host.json");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ networks: { sysctlAllowList: ["net.core.somax*"] } }));
  await node.startHost();
  const pod = await node.createPod();
  const wishing = (sysctls: object) => makeNetwork("routed", { tuning: { sysctls } });
  await addOk(node, pod, wishing({ "net.core.somaxconn": "77" }));
  const { stdout } = await node.runInPod(pod, ["cat", "/proc/sys/net/core/somaxconn"]);
  assert.equal(stdout.trim(), "77");
  const other = await node.createPod();
  const refused = await add(node, other, wishing({ "net.ipv4.conf.IFNAME.arp_notify": "1" }));
  assert.equal(errorOf(refused).code, 7);
});

for (const step of ["add.attached", "del.detached"]) {
  test(`an ifb does not outlive its pod when the host dies at ${step}`, { skip }, async () => {
    await using node = await openNode();
    await using doomed = await node.startHost({ env: { PATCHBAY_FAULT: step } });
    const network = makeNetwork("routed", { bandwidth: { egressRate: 20_000_000 } });
    const pod = await node.createPod();
    const ifbs = async () => (await node.run(["ip", "-br", "link", "show", "type", "ifb"])).stdout;
    const first = add(node, pod, network);
    if (step.startsWith("add.")) await first;
    else {
      assert.equal((await first).exitCode, 0);
      assert.match(await ifbs(), /^pi/);
      await node.execShim({
        command: "DEL",
        containerId: pod.name,
        netns: pod.netns,
        ifname: "eth0",
        config: network,
      });
    }
    await doomed.exited;
    await node.startHost();
    await delOk(node, pod, network);
    assert.equal(await ifbs(), "");
  });
}
