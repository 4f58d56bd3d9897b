/** Debian's CNI plugins through a real host, as delegates and in chains: everything that they make goes again. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type ShimCall,
  type TestNode,
  until,
} from "./harness.ts";
import { askFor, startHostWith } from "./pod-networks.ts";
import {
  add,
  addOk,
  addressesOf,
  bare,
  assertSilentSuccess,
  check,
  del,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  readState,
} from "./runtime.ts";

const DEBIAN = "/usr/lib/cni";
const skip =
  findSkipReason() ??
  (existsSync(join(DEBIAN, "bridge"))
    ? false
    : `${DEBIAN}/bridge is missing: apt-get install containernetworking-plugins`);

/** Why a plugin that loads iptables rules cannot run here. */
const iptablesSkip = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].some(
  (folder) => existsSync(join(folder, "iptables")),
)
  ? false
  : "portmap and firewall execute iptables, which is not there: apt-get install iptables";

interface Case {
  readonly what: string;
  /** What of the node the plugin builds on. */
  readonly prepare?: (node: TestNode) => Promise<void>;
  readonly plugins: (node: TestNode) => readonly object[];
  readonly runtimeConfig?: object;
  readonly addresses: readonly string[];
  /** True: the node reaches the pod. */
  readonly reaches?: boolean;
  readonly inPod?: readonly (readonly [argv: string, expected: RegExp])[];
  readonly onNode?: readonly (readonly [argv: string, expected: RegExp])[];
  readonly list?: object;
  readonly skip?: string | false;
}

const DEFAULTS = [{ dst: "0.0.0.0/0" }, { dst: "::/0" }];

function hostLocal(node: TestNode, ...subnets: string[]): object {
  const isDual = subnets.some((subnet) => subnet.includes(":"));
  return {
    type: "host-local",
    dataDir: leaseFolder(node),
    ranges: subnets.map((subnet) => [{ subnet }]),
    routes: isDual ? DEFAULTS : DEFAULTS.slice(0, 1),
  };
}

function leaseFolder(node: TestNode): string {
  return join(node.root, "host-local");
}

/** Files of host-local that are named by addresses. */
function leasesOf(node: TestNode): string[] {
  if (!existsSync(leaseFolder(node))) return [];
  return readdirSync(leaseFolder(node)).flatMap((network) =>
    readdirSync(join(leaseFolder(node), network)).filter((name) => /^[0-9a-f]+[.:]/.test(name)),
  );
}

const STATIC = {
  type: "static",
  addresses: [{ address: "10.81.0.9/24", gateway: "10.81.0.1" }, { address: "fd81::9/64" }],
};

const bridgeOf = (node: TestNode, ...subnets: string[]) => ({
  type: "bridge",
  bridge: "br-lan",
  isGateway: true,
  ipam: hostLocal(node, ...subnets),
});

const DUAL = ["10.80.0.0/24", "fd80::/64"];
const DUAL_FIRST = ["10.80.0.2/24", "fd80::2/64"];

/** A link with another end, which macvlan and host-device take. */
async function makeUplink(node: TestNode): Promise<void> {
  const { netns } = node;
  const peer = { name: "up-peer" };
  await node.kernel.apply([
    {
      netns,
      operations: [
        { kind: "add-link", name: "uplink", link: { type: "veth", peer } },
        { kind: "set-link", name: "uplink", up: true },
        { kind: "set-link", name: "up-peer", up: true },
      ],
    },
  ]);
}

const CASES: readonly Case[] = [
  {
    what: "bridge with host-local",
    plugins: (node) => [bridgeOf(node, ...DUAL)],
    addresses: DUAL_FIRST,
    reaches: true,
    inPod: [
      ["ip route show default", /via 10\.80\.0\.1 dev eth0/],
      ["ip -6 route show default", /via fd80::1 dev eth0/],
    ],
  },
  {
    what: "bridge with static addresses",
    plugins: () => [{ type: "bridge", bridge: "br-lan", ipam: STATIC }],
    addresses: ["10.81.0.9/24", "fd81::9/64"],
  },
  {
    what: "ptp with host-local",
    plugins: (node) => [{ type: "ptp", ipam: hostLocal(node, "10.82.0.0/24", "fd82::/64") }],
    addresses: ["10.82.0.2/24", "fd82::2/64"],
    reaches: true,
  },
  {
    what: "macvlan with static addresses",
    prepare: makeUplink,
    plugins: () => [{ type: "macvlan", master: "uplink", mode: "bridge", ipam: STATIC }],
    addresses: ["10.81.0.9/24", "fd81::9/64"],
    inPod: [["ip -d link show eth0", /macvlan mode bridge/]],
  },
  {
    what: "host-device with host-local",
    prepare: makeUplink,
    plugins: (node) => [
      { type: "host-device", device: "uplink", ipam: hostLocal(node, "10.83.0.0/24", "fd83::/64") },
    ],
    addresses: ["10.83.0.2/24", "fd83::2/64"],
  },
  {
    what: "bridge, tuning",
    plugins: (node) => [
      bridgeOf(node, ...DUAL),
      {
        type: "tuning",
        mtu: 1400,
        sysctl: { "net.ipv4.conf.eth0.arp_filter": "1" },
        capabilities: { mac: true },
      },
    ],
    runtimeConfig: { mac: "02:00:5e:00:53:42" },
    addresses: DUAL_FIRST,
    reaches: true,
    inPod: [
      ["ip link show eth0", /mtu 1400[^]*02:00:5e:00:53:42/],
      ["cat /proc/sys/net/ipv4/conf/eth0/arp_filter", /^1$/m],
    ],
  },
  {
    what: "bridge, bandwidth",
    plugins: (node) => [
      bridgeOf(node, ...DUAL),
      { type: "bandwidth", capabilities: { bandwidth: true } },
    ],
    runtimeConfig: { bandwidth: { ingressRate: 8_000_000, egressRate: 16_000_000 } },
    addresses: DUAL_FIRST,
    reaches: true,
    onNode: [["tc qdisc show", /tbf[^]*rate 8Mbit[^]*burst/]],
  },
  {
    what: "bridge, sbr",
    // bridge's CHECK looks for the routes that sbr moves to a table of its own.
    list: { disableCheck: true },
    plugins: (node) => [bridgeOf(node, ...DUAL), { type: "sbr" }],
    addresses: DUAL_FIRST,
    inPod: [
      ["ip rule", /from 10\.80\.0\.2 lookup 100/],
      ["ip route show table 100", /default via 10\.80\.0\.1/],
    ],
  },
  {
    what: "bridge, portmap",
    skip: iptablesSkip,
    // CHECK of portmap 1.1.1 looks for the IPv4 rules with ip6tables, too.
    list: { disableCheck: true },
    plugins: (node) => [
      bridgeOf(node, "10.80.0.0/24"),
      { type: "portmap", snat: true, capabilities: { portMappings: true } },
    ],
    runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] },
    addresses: ["10.80.0.2/24"],
    reaches: true,
    onNode: [["iptables -t nat -S", /--dport 8080 -j DNAT --to-destination 10\.80\.0\.2:80/]],
  },
  {
    what: "bridge, firewall",
    skip: iptablesSkip,
    plugins: (node) => [
      bridgeOf(node, ...DUAL),
      { type: "firewall", backend: "iptables", ingressPolicy: "open" },
    ],
    addresses: DUAL_FIRST,
    reaches: true,
    onNode: [["iptables -S CNI-FORWARD", /-s 10\.80\.0\.2\/32 -j ACCEPT/]],
  },
  {
    what: "ptp, tuning, portmap, bandwidth, firewall",
    skip: iptablesSkip,
    list: { disableCheck: true },
    plugins: (node) => [
      { type: "ptp", ipMasq: true, ipam: hostLocal(node, "10.82.0.0/24") },
      { type: "tuning", mtu: 1450 },
      { type: "portmap", capabilities: { portMappings: true } },
      { type: "bandwidth", capabilities: { bandwidth: true } },
      { type: "firewall", backend: "iptables" },
    ],
    runtimeConfig: {
      portMappings: [{ hostPort: 8443, containerPort: 443, protocol: "tcp" }],
      bandwidth: { ingressRate: 8_000_000, ingressBurst: 8_000_000 },
    },
    addresses: ["10.82.0.2/24"],
    reaches: true,
  },
];

/** The pod's default network: one CNI plugin as its own configuration, or a chain. */
function networkOf(node: TestNode, entry: Pick<Case, "plugins" | "list">): NetworkJson {
  const [first = {}, ...more] = entry.plugins(node);
  const head = { cniVersion: "1.0.0", name: "lan", ...entry.list };
  const delegate =
    more.length === 0 ? { ...head, ...first } : { ...head, plugins: [first, ...more] };
  return {
    cniVersion: "1.1.0",
    name: "lan",
    type: "patchbay",
    plugin: "cni-exec",
    delegate,
  };
}

/** All that delegates may leave on a node. */
async function readNode(node: TestNode, host: HostProcess) {
  const { kernel, attachments } = await readState(node, host);
  const rules = await node.run(["nft", "-s", "list", "ruleset"]);
  const qdiscs = await node.run(["tc", "qdisc", "show"]);
  return {
    // A link that was away comes back with another index, and when it likes with a carrier.
    links: kernel.links,
    addresses: kernel.addresses,
    routes: kernel.routes,
    attachments,
    rules: rules.stdout.replaceAll(/counter packets \d+ bytes \d+/g, "counter"),
    qdiscs: qdiscs.stdout.split("\n").filter((line) => !/noqueue|lo root/.test(line)),
    leases: leasesOf(node),
    records: recordsOf(node),
  };
}

function recordsOf(node: TestNode): string[] {
  const folder = join(node.root, "var/lib/patchbay/cni-exec");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".json"));
}

/** Variables of every process: what a delegate of a node has. */
function delegatesOf(node: TestNode): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(
          `PATCHBAY_CNI_EXEC=${node.root}/`,
        );
      } catch {
        return false;
      }
    });
}

describe("cni-exec", { skip }, () => {
  for (const entry of CASES) {
    test(`${entry.what}: ADD, CHECK, DEL, and nothing left`, { skip: entry.skip }, async () => {
      await using node = await openNode();
      const host = await node.startHost();
      await entry.prepare?.(node);
      const network = networkOf(node, entry);
      const asked: NetworkJson = {
        ...network,
        ...(entry.runtimeConfig && { runtimeConfig: entry.runtimeConfig }),
      };
      // What a network makes for good (a bridge, chains of iptables) is there from now on.
      const warm = await node.createPod();
      await addOk(node, warm, asked);
      await delOk(node, warm, asked);
      await node.deletePod(warm);
      const before = await readNode(node, host);
      assert.deepEqual([before.leases, before.records, before.attachments], [[], [], []]);

      const pod = await node.createPod();
      const result = await addOk(node, pod, asked);
      const expected = entry.addresses.map((address) =>
        leasesMove(entry) ? address.replace(/2(?=\/)/, "3") : address,
      );
      assert.deepEqual(addressesOf(result), expected);
      assert.equal(result.interfaces.at(result.ips[0]?.interface ?? -1)?.name, "eth0");
      const own = await node.readKernel(pod.netns);
      for (const address of expected) assert.ok(own.addresses.includes(`eth0 ${address}`));
      if (entry.reaches) await reachesSoon(node, expected);
      const shown = (regexp: RegExp) =>
        new RegExp(
          leasesMove(entry) ? regexp.source.replaceAll(/(\\\.0\\\.)2/g, "$13") : regexp.source,
          regexp.flags,
        );
      for (const [argv, regexp] of entry.inPod ?? []) {
        const { stdout, stderr } = await node.runInPod(pod, argv.split(" "));
        assert.match(stdout, shown(regexp), `${argv}: ${stderr}`);
      }
      for (const [argv, regexp] of entry.onNode ?? []) {
        const { stdout, stderr } = await node.run(argv.split(" "));
        assert.match(stdout, shown(regexp), `${argv}: ${stderr}`);
      }
      assert.deepEqual(await addOk(node, pod, asked), result);
      assertSilentSuccess(await check(node, pod, { ...asked, prevResult: result }));

      // Today's configuration is another one: DEL goes by that of ADD.
      const changed = { type: "patchbay", plugin: "cni-exec", delegate: { type: "loopback" } };
      await delOk(node, pod, { ...network, ...changed });
      await delOk(node, pod, asked);
      assert.deepEqual(await readNode(node, host), before);
      assert.equal(await node.kernel.findLink("eth0", pod.netns), undefined);
      assert.equal(delegatesOf(node).length, 0);
    });
  }

  test("DEL after the pod's namespace is gone leaves nothing", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const network = networkOf(node, {
      plugins: () => [bridgeOf(node, ...DUAL), { type: "tuning", mtu: 1400 }, { type: "sbr" }],
    });
    const pod = await node.createPod();
    await addOk(node, pod, network);
    await node.deletePod(pod);
    await delOk(node, pod, network);
    assert.deepEqual([leasesOf(node), recordsOf(node)], [[], []]);
    assert.deepEqual((await readState(node, host)).attachments, []);
  });

  test("a chain's CHECK finds what somebody took away", async () => {
    await using node = await openNode();
    await node.startHost();
    const network = networkOf(node, { plugins: () => [bridgeOf(node, ...DUAL)] });
    const pod = await node.createPod();
    const prevResult = await addOk(node, pod, network);
    await node.runInPod(pod, ["ip", "addr", "del", "10.80.0.2/24", "dev", "eth0"]);
    const error = errorOf(await check(node, pod, { ...network, prevResult }));
    assert.equal(error.code, 103);
    assert.match(JSON.stringify(error), /cni-check.*10\.80\.0\.2/);
    await delOk(node, pod, network);
  });

  // Not sbr: its DEL fails where its ADD did not find the interface.
  for (const type of ["tuning", "portmap", "bandwidth", "firewall"]) {
    test(`${type} alone fails, says why, and leaves nothing`, async () => {
      await using node = await openNode();
      const host = await node.startHost();
      const network = networkOf(node, { plugins: () => [{ type }] });
      const pod = await node.createPod();
      const before = await readNode(node, host);
      const error = errorOf(await add(node, pod, network));
      assert.match(JSON.stringify(error), new RegExp(`CNI plugin ${type}`));
      await delOk(node, pod, network);
      assert.deepEqual(await readNode(node, host), before);
    });
  }

  for (const type of ["a plugin", "its IPAM"]) {
    test(`${type} that is misspelt fails the ADD, leaves nothing, and the right name is served`, async () => {
      await using node = await openNode();
      const host = await node.startHost();
      const own = bridgeOf(node, ...DUAL);
      const wrong =
        type === "a plugin" ? { ...own, type: "brigde" } : { ...own, ipam: { type: "brigde" } };
      const pod = await node.createPod();
      const before = await readNode(node, host);
      const error = errorOf(await add(node, pod, networkOf(node, { plugins: () => [wrong] })));
      assert.match(JSON.stringify(error), /CNI plugin brigde is not in .*cni.* correct its name/);
      assert.deepEqual(await readNode(node, host), before);
      await delOk(node, pod, networkOf(node, { plugins: () => [wrong] }));
      const network = networkOf(node, { plugins: () => [own] });
      await addOk(node, pod, network);
      await delOk(node, pod, network);
    });
  }

  test("macvlan without its master fails ADD and DEL alike: it is given up, and the container is free", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const macvlan = { type: "macvlan", master: "nosuch", ipam: { type: "static" } };
    const wrong = networkOf(node, { plugins: () => [macvlan] });
    const pod = await node.createPod();
    const before = await readNode(node, host);
    const error = errorOf(await add(node, pod, wrong));
    assert.match(JSON.stringify(error), /CNI plugin macvlan, ADD: Link not found/);
    await until("a DEL that succeeds", 20_000, async () => {
      return (await del(node, pod, wrong)).exitCode === 0;
    });
    assert.deepEqual(await readNode(node, host), before);
    const network = networkOf(node, { plugins: () => [bridgeOf(node, ...DUAL)] });
    await addOk(node, pod, network);
    await delOk(node, pod, network);
  });

  test("a capability that no plugin of the chain declares is refused with its name", async () => {
    await using node = await openNode();
    await node.startHost();
    const network = networkOf(node, { plugins: () => [bridgeOf(node, ...DUAL)] });
    const pod = await node.createPod();
    const runtimeConfig = { portMappings: [{ hostPort: 1, containerPort: 2, protocol: "tcp" }] };
    const error = errorOf(await add(node, pod, { ...network, runtimeConfig }));
    assert.equal(error.code, 7);
    assert.match(JSON.stringify(error), /portMappings, which no plugin of bridge declares/);
    assert.deepEqual([leasesOf(node), recordsOf(node)], [[], []]);
  });

  test("as further networks of a pod: default routes are those of the network that has them", async () => {
    await using node = await openNode();
    const host = await startHostWith(node, {
      lan: { cniVersion: "1.0.0", name: "lan", ...bridgeOf(node, ...DUAL) },
      fixed: {
        cniVersion: "1.0.0",
        name: "fixed",
        plugins: [
          {
            type: "bridge",
            bridge: "br-fix",
            ipam: { type: "static" },
            capabilities: { ips: true },
          },
          { type: "tuning", capabilities: { mac: true } },
        ],
      },
      point: {
        cniVersion: "0.4.0",
        name: "point",
        type: "ptp",
        ipam: hostLocal(node, "10.82.0.0/24"),
      },
    });
    const primary = makeNetwork("routed");
    const fixed = {
      name: "fixed",
      ips: ["10.81.0.44/24", "fd81::44/64"],
      mac: "02:00:5e:00:53:44",
    };
    const warm = await node.createPod();
    const all = askFor(warm, primary, [{ name: "lan" }, { name: "point" }, fixed]);
    await addOk(node, warm, primary, all);
    await delOk(node, warm, primary, all);
    const before = await readNode(node, host);
    for (const wanted of ["eth0", "net1"]) {
      const pod = await node.createPod();
      const lan = { name: "lan", ...(wanted === "net1" && { "default-route": ["10.80.0.1"] }) };
      const call = askFor(pod, primary, [lan, { name: "point" }, fixed]);
      await addOk(node, pod, primary, call);
      const { links, routes, addresses } = await node.readKernel(pod.netns);
      assert.equal(links.filter((line) => /^(eth0|net1|net2|net3) /.test(line)).length, 4);
      for (const address of fixed.ips) assert.ok(addresses.includes(`net3 ${address}`), address);
      const link = await node.kernel.findLink("net3", pod.netns);
      assert.equal(link?.mac, fixed.mac);
      const defaults = routes.filter((line) => line.startsWith("0.0.0.0/0 "));
      assert.equal(defaults.length, 1, routes.join("\n"));
      assert.match(defaults[0] ?? "", new RegExp(`dev ${wanted}`));
      await delOk(node, pod, primary, call);
      assert.deepEqual(await readNode(node, host), before, wanted);
    }
  });

  test("many pods at once: no more delegates than allowed", async () => {
    await using node = await openNode();
    const host = await startScripted(node, {}, { runningMax: 3 });
    const network = networkOf(node, { plugins: () => [bridgeOf(node, ...DUAL)] });
    const warm = await node.createPod();
    await addOk(node, warm, network);
    await delOk(node, warm, network);
    const pods = await node.createPods(30);
    const residentKib = residentOf(host);
    let most = 0;
    let mostKib = 0;
    const watch = setInterval(() => {
      mostKib = Math.max(mostKib, residentOf(host));
      const delegates = delegatesOf(node).filter(isLeader);
      most = Math.max(most, delegates.length);
    }, 5);
    const results = await Promise.all(pods.map((pod) => addOk(node, pod, network)));
    clearInterval(watch);
    assert.equal(new Set(results.flatMap(addressesOf)).size, 60);
    assert.ok(most >= 1 && most <= 3, `${most} at once`);
    // A delegate each would be hundreds of MiB.
    assert.ok(mostKib - residentKib < 48 * 1024, `${mostKib - residentKib} KiB more`);
    await Promise.all(pods.map((pod) => delOk(node, pod, network)));
    assert.deepEqual([leasesOf(node), recordsOf(node)], [[], []]);
    assert.deepEqual((await readState(node, host)).attachments, []);
  });
});

function residentOf(host: HostProcess): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${host.pid}/status`, "utf8"))?.[1]);
}

/** True for what the host itself executed: the first of a process group (proc_pid_stat(5), pgrp). */
function isLeader(pid: string): boolean {
  try {
    const [, , group] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return group === pid;
  } catch {
    return false;
  }
}

/** The bridge's own IPv6 address is tentative for a second after a port came (RFC 4862, section 5.4). */
async function reachesSoon(node: TestNode, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    await until(`an answer of ${address}`, 20_000, async () => {
      const { exitCode } = await node.run(["ping", "-n", "-c", "1", "-W", "1", bare(address)]);
      return exitCode === 0;
    });
  }
}

/** Where leases come one after the other, the second pod has the next. */
function leasesMove(entry: Case): boolean {
  return entry.addresses[0]?.endsWith(".2/24") ?? false;
}

/** A host that finds scripts beside Debian's plugins. */
async function startScripted(
  node: TestNode,
  scripts: Readonly<Record<string, string>>,
  cni: object = {},
): Promise<HostProcess> {
  const bin = join(node.root, "bin");
  mkdirSync(bin, { recursive: true });
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  const config = join(node.root, "host.json");
  writeFileSync(config, JSON.stringify({ cni: { binDirs: [bin, DEBIAN], ...cni } }));
  return node.startHost({ args: ["--config", config] });
}

describe("cni-exec with delegates that misbehave", { skip }, () => {
  test("one that hangs is ended at its deadline, with what it started; nothing stays", async () => {
    await using node = await openNode();
    const hang = '[ "$CNI_COMMAND" = ADD ] || exit 0; trap "" TERM; sleep 1000 & sleep 1000; wait';
    const host = await startScripted(node, { hang }, { execTimeoutMs: 300 });
    const network = networkOf(node, { plugins: () => [bridgeOf(node, ...DUAL), { type: "hang" }] });
    const pod = await node.createPod();
    const error = errorOf(await add(node, pod, network));
    assert.equal(error.code, 11);
    assert.match(JSON.stringify(error), /CNI plugin hang, ADD: It had no answer after 300 ms/);
    await until("the end of all delegates", 10_000, () => delegatesOf(node).length === 0);
    assert.deepEqual([leasesOf(node), recordsOf(node)], [[], []]);
    assert.deepEqual((await readState(node, host)).attachments, []);
    assert.equal(await node.kernel.findLink("eth0", pod.netns), undefined);
  });

  test("one that prints garbage fails the ADD, and what the others made goes", async () => {
    await using node = await openNode();
    const host = await startScripted(node, { garbage: "echo garbage" });
    const network = networkOf(node, {
      plugins: () => [bridgeOf(node, ...DUAL), { type: "garbage" }],
    });
    const pod = await node.createPod();
    const error = errorOf(await add(node, pod, network));
    assert.equal(error.code, 11);
    assert.match(JSON.stringify(error), /garbage gave an answer to ADD that is no result/);
    assert.deepEqual([leasesOf(node), recordsOf(node)], [[], []]);
    assert.deepEqual((await readState(node, host)).attachments, []);
    assert.equal(await node.kernel.findLink("eth0", pod.netns), undefined);
  });

  test("one that fails its DEL keeps nobody else's from being removed, and is asked again", async () => {
    await using node = await openNode();
    const stuck = `[ "$CNI_COMMAND" != DEL ] || [ -e ${node.root}/mended ] || { echo no >&2; exit 1; }
[ "$CNI_COMMAND" != ADD ] || sed 's/.*"prevResult"://; s/}$//'`;
    const host = await startScripted(node, { stuck });
    const network = networkOf(node, {
      plugins: () => [bridgeOf(node, ...DUAL), { type: "stuck" }],
    });
    const pod = await node.createPod();
    await addOk(node, pod, network);
    const error = errorOf(await del(node, pod, network));
    assert.match(JSON.stringify(error), /CNI plugin stuck, DEL: exit code 1: no/);
    assert.deepEqual(leasesOf(node), []);
    assert.equal(recordsOf(node).length, 1);
    writeFileSync(join(node.root, "mended"), "");
    await delOk(node, pod, network);
    assert.deepEqual(recordsOf(node), []);
    assert.deepEqual((await readState(node, host)).attachments, []);
  });

  for (const where of ["before", "after"] as const) {
    test(`the host is killed while a delegate runs that makes its interface ${where} that: nothing stays`, async () => {
      await using node = await openNode();
      const started = join(node.root, "started");
      const goOn = join(node.root, "go-on");
      const pause = `touch ${started}; while [ ! -e ${goOn} ]; do sleep 0.02; done`;
      const lag =
        where === "after"
          ? `[ "$CNI_COMMAND" != ADD ] || { ${pause}; }; exec ${DEBIAN}/bridge`
          : `[ "$CNI_COMMAND" = ADD ] || exec ${DEBIAN}/bridge; ${DEBIAN}/bridge; ${pause}`;
      const scripts = { lag };
      const doomed = await startScripted(node, scripts);
      const network = networkOf(node, {
        plugins: () => [{ ...bridgeOf(node, ...DUAL), type: "lag" }],
      });
      const pod = await node.createPod();
      const adding = add(node, pod, network);
      await until("the delegate", 10_000, () => existsSync(started));
      await doomed.kill("SIGKILL");
      await adding;
      assert.ok(delegatesOf(node).length > 0);
      const starting = startScripted(node, scripts);
      // The new host is there, and the delegate of the old one goes on beside it.
      setTimeout(() => writeFileSync(goOn, ""), 300);
      const host = await starting;
      await until("nothing left", 20_000, async () => {
        const { attachments } = await readState(node, host);
        return (
          delegatesOf(node).length === 0 && attachments.length === 0 && recordsOf(node).length === 0
        );
      });
      assert.deepEqual(leasesOf(node), []);
      assert.equal(await node.kernel.findLink("eth0", pod.netns), undefined);
      const links = await node.kernel.links(node.netns);
      assert.deepEqual(
        links.filter(({ type }) => type === "veth"),
        [],
      );
      await addOk(node, pod, network);
      await delOk(node, pod, network);
    });
  }

  test("killed after the ADD, the host knows it again: the same answer, CHECK and DEL", async () => {
    await using node = await openNode();
    const doomed = await node.startHost();
    const network = networkOf(node, { plugins: () => [bridgeOf(node, ...DUAL)] });
    const pod: Pod = await node.createPod();
    const result = await addOk(node, pod, network);
    await doomed.kill("SIGKILL");
    await node.startHost();
    assert.deepEqual(await addOk(node, pod, network), result);
    const call: ShimCall = {};
    assertSilentSuccess(await check(node, pod, { ...network, prevResult: result }, call));
    await delOk(node, pod, network);
    assert.deepEqual([leasesOf(node), recordsOf(node)], [[], []]);
  });
});
