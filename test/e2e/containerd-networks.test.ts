/** A pod under containerd and runc with four networks of four kinds beside its default one. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { it } from "node:test";
import { promisify } from "node:util";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { Containerd, findContainerdSkipReason } from "./containerd/containerd.ts";
import { findSkipReason, openNode, runInNetns, type TestNode } from "./harness.ts";
import { type Definitions, startHostWith } from "./pod-networks.ts";
import { bare, withoutCooling, readState } from "./runtime.ts";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../..");
const PTP = "/usr/lib/cni/ptp";

const skip =
  findSkipReason() ??
  findContainerdSkipReason() ??
  (existsSync(PTP)
    ? undefined
    : `${PTP} is missing: apt-get install containernetworking-plugins`) ??
  false;

/** Leases of host-local, apart from the machine's. */
const HOST_LOCAL = "/run/pb-containerd-networks";

const DEFINITIONS: Definitions = {
  mac: {
    plugin: "macvlan",
    master: "up0",
    ipam: { ranges: [[{ subnet: "10.211.0.0/24" }], [{ subnet: "fd00:211::/64" }]] },
  },
  blue: {
    plugin: "bridge",
    bridge: "br-blue",
    ipam: { ranges: [[{ subnet: "10.212.0.0/24" }], [{ subnet: "fd00:212::/64" }]] },
  },
  vx: {
    plugin: "vxlan",
    vni: 77,
    local: "192.0.2.1",
    ipam: { ranges: [[{ subnet: "10.213.0.0/24" }], [{ subnet: "fd00:213::/64" }]] },
  },
  ptp: {
    type: "ptp",
    ipam: {
      type: "host-local",
      dataDir: HOST_LOCAL,
      ranges: [[{ subnet: "10.214.0.0/24" }], [{ subnet: "fd00:214::/64" }]],
    },
  },
};

const ANNOTATION = [
  {
    name: "mac",
    namespace: "default",
    mac: "02:00:00:00:0b:0b",
    ips: ["10.211.0.99", "fd00:211::99"],
  },
  { name: "blue", namespace: "default", "default-route": ["10.212.0.1", "fd00:212::1"] },
  { name: "vx", namespace: "default", interface: "overlay" },
  { name: "ptp", namespace: "default" },
];

interface Status {
  readonly name: string;
  readonly interface: string;
  readonly ips: readonly string[];
  readonly mac: string;
}

it("a pod under containerd has networks of four kinds, dual-stack, and goes without a trace", {
  skip,
}, async () => {
  await using node = await openNode();
  await layUplink(node);
  await using containerd = await Containerd.prepare(node.netns);
  const cli = join(repository, "src/cli/patchbay.js");
  const folders = ["--cni-bin-dir", containerd.cniBinDir, "--cni-conf-dir", containerd.cniConfDir];
  await run(process.execPath, [cli, "install", "--root", node.root, ...folders]);
  const host = await startHostWith(node, DEFINITIONS);
  await containerd.start();
  const newPod = () => ({
    ...containerd.newPod(),
    annotations: { "k8s.v1.cni.cncf.io/networks": JSON.stringify(ANNOTATION) },
  });
  const remove = async (id: string) => {
    await containerd.cri.stopPodSandbox(id);
    await containerd.cri.removePodSandbox(id);
  };
  try {
    // What networks leave on the node for good comes with the first pod.
    await remove(await containerd.cri.runPodSandbox(newPod()));
    const before = withoutCooling(await readState(node, host));

    const id = await containerd.cri.runPodSandbox(newPod());
    const sandbox = await containerd.cri.showPodSandbox(id);
    const { pods } = await host.client.getNetworkStatus({ pod: id });
    const status = JSON.parse(pods[0]?.networkStatusJson ?? "[]") as Status[];
    assert.deepEqual(
      status.map((each) => `${each.interface} ${each.name}`),
      [
        "eth0 patchbay",
        "net1 default/mac",
        "net2 default/blue",
        "overlay default/vx",
        "net4 default/ptp",
      ],
    );
    for (const { ips, name } of status) {
      assert.deepEqual(new Set(ips.map(isIP)), new Set([4, 6]), name);
    }
    assert.deepEqual(status[0]?.ips.toSorted(), sandbox.addresses.toSorted(), "eth0 is the CRI's");
    assert.deepEqual(
      [status[1]?.mac, status[1]?.ips],
      ["02:00:00:00:0b:0b", ["10.211.0.99", "fd00:211::99"]],
    );

    const inside = await node.readKernel(sandbox.netns as NetnsPath);
    const types = inside.links.map((line) => line.split(" ").slice(0, 2).join(" "));
    assert.deepEqual(
      types.filter((line) => !line.startsWith("lo")),
      ["eth0 veth", "net1 macvlan", "net2 veth", "net4 veth", "overlay veth"],
    );
    const given = status.flatMap(({ interface: name, ips }) => ips.map((ip) => `${name} ${ip}`));
    const found = inside.addresses.filter((line) => !/fe80:|^lo /.test(line)).map(bare);
    assert.deepEqual(found.toSorted(), given.toSorted());
    assert.deepEqual(
      inside.routes
        .filter((route) => /^(0\.0\.0\.0|::)\/0/.test(route))
        .map((route) => route.split(" table")[0]),
      ["0.0.0.0/0 via 10.212.0.1 dev net2", "::/0 via fd00:212::1 dev net2"],
    );
    // By the uplink's other end; the node itself does not reach its macvlans.
    for (const address of ["10.211.0.2", "fd00:211::2", "10.212.0.1", "fd00:212::1"]) {
      const ping = await runInNetns(sandbox.netns, ["ping", "-n", "-c", "1", "-W", "5", address]);
      assert.equal(ping.exitCode, 0, `${address}: ${ping.stdout}${ping.stderr}`);
    }
    await remove(id);
    assert.deepEqual(withoutCooling(await readState(node, host)), before);
    assert.deepEqual(containerd.listNetns(), []);
  } finally {
    for (const id of await containerd.cri.listPodSandboxes()) await remove(id).catch(() => {});
    await rm(HOST_LOCAL, { recursive: true, force: true });
  }
});

/** "up0" on the node, and a neighbour at its other end. */
async function layUplink(node: TestNode): Promise<void> {
  const outside = await node.createPod();
  const commands: readonly [where: "node" | "outside", argv: string][] = [
    ["node", `ip link add up0 type veth peer name up1 netns ${outside.name}`],
    ["node", "ip address add 192.0.2.1/24 dev up0"],
    ["node", "ip link set up0 up"],
    ["outside", "ip address add 10.211.0.2/24 dev up1"],
    ["outside", "ip address add fd00:211::2/64 dev up1 nodad"],
    ["outside", "ip link set up1 up"],
  ];
  for (const [where, text] of commands) {
    const argv = text.split(" ");
    const result = where === "node" ? await node.run(argv) : await node.runInPod(outside, argv);
    assert.equal(result.exitCode, 0, `${text}: ${result.stderr}`);
  }
}
