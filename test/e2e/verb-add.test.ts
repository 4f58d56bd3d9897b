import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CNI_VERSIONS } from "../../src/plugin-host/cni/versions.ts";
import { attachmentIdOf } from "../../src/plugin-host/core/attachment.ts";
import { linkNamesOf, macOfName } from "../../src/plugin-sdk/link-names.ts";
import { findSkipReason, type HostProcess, openNode, type Pod, type TestNode } from "./harness.ts";
import {
  add,
  addOk,
  addressesOf,
  assertReaches,
  bare,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  PLUGINS,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
let node: TestNode;
let host: HostProcess;

before(async () => {
  if (skip) return;
  node = await openNode();
  host = await node.startHost();
});

after(() => node?.[Symbol.asyncDispose]());

for (const plugin of PLUGINS) {
  test(`ADD (${plugin}) connects pods to each other and to the node, both families`, {
    skip,
  }, async () => {
    const network = makeNetwork(plugin, { ipMasq: true });
    const [one, two] = await pods(2);
    const first = await addOk(node, one, network);
    const second = await addOk(node, two, network);
    assert.equal(first.ips.length, 2);
    const gateways = first.ips.map((ip) => ip.gateway ?? "");
    await assertReaches(node, one, [...addressesOf(second), ...gateways]);
    await assertReaches(node, two, [...addressesOf(first), ...gateways]);
    await assertReaches(node, "node", [...addressesOf(first), ...addressesOf(second)]);
    await delOk(node, one, network);
    await delOk(node, two, network);
  });

  for (const [family, subnet] of [
    ["IPv4", "10.200.0.0/24"],
    ["IPv6", "fd00:200::/64"],
  ] as const) {
    test(`ADD (${plugin}) on a network of ${family} alone`, { skip }, async () => {
      const network = makeNetwork(plugin, { ipam: { ranges: [[{ subnet }]] } });
      const [one, two] = await pods(2);
      const first = await addOk(node, one, network);
      const second = await addOk(node, two, network);
      assert.equal(first.ips.length, 1);
      assert.equal(first.routes.length, 1);
      await assertReaches(node, one, [...addressesOf(second), first.ips[0]?.gateway ?? ""]);
      const inside = await node.readKernel(one.netns);
      const other = family === "IPv4" ? ":" : ".";
      const onEth0 = inside.addresses.filter((line) => line.startsWith("eth0"));
      assert.deepEqual(
        onEth0.filter((line) => line.includes(other)),
        [],
      );
      await delOk(node, one, network);
      await delOk(node, two, network);
    });
  }

  test(`ADD (${plugin}) twice gives the same answer and changes nothing`, { skip }, async () => {
    const network = makeNetwork(plugin);
    const [pod] = await pods(1);
    const first = await addOk(node, pod, network);
    const state = await readState(node, host);
    const inside = await node.readKernel(pod.netns);
    assert.deepEqual(await addOk(node, pod, network), first);
    assert.deepEqual(await readState(node, host), state);
    assert.deepEqual(await node.readKernel(pod.netns), inside);
    await delOk(node, pod, network);
  });

  test(`ADD (${plugin}) where ifname exists: error 105, and nothing is left`, {
    skip,
  }, async () => {
    const network = makeNetwork(plugin);
    const [warm, pod] = await pods(2);
    await addOk(node, warm, network);
    await node.runInPod(pod, ["ip", "link", "add", "eth0", "type", "bridge"]);
    const inside = await node.readKernel(pod.netns);
    const state = withoutCooling(await readState(node, host));
    const error = errorOf(await add(node, pod, network));
    assert.equal(error.code, 105);
    assert.match(error.msg, /eth0.*\[INTERFACE_EXISTS\]/);
    assert.deepEqual(withoutCooling(await readState(node, host)), state);
    assert.deepEqual(await node.readKernel(pod.netns), inside);
    await delOk(node, warm, network);
  });

  test(`ADD (${plugin}) in a namespace with IPv6 switched off switches it on for ifname`, {
    skip,
  }, async () => {
    const network = makeNetwork(plugin);
    const [pod, other] = await pods(2);
    const script =
      "for name in all default; do echo 1 > /proc/sys/net/ipv6/conf/$name/disable_ipv6; done";
    const off = await node.runInPod(pod, ["sh", "-c", script]);
    assert.equal(off.exitCode, 0, off.stderr);
    const result = await addOk(node, pod, network);
    const peer = await addOk(node, other, network);
    await assertReaches(node, pod, addressesOf(peer));
    const inside = await node.readKernel(pod.netns);
    for (const address of addressesOf(result)) {
      assert.ok(inside.addresses.includes(`eth0 ${address}`), inside.addresses.join("\n"));
    }
    const lo = await node.runInPod(pod, ["cat", "/proc/sys/net/ipv6/conf/lo/disable_ipv6"]);
    assert.equal(lo.stdout.trim(), "1", "other interfaces stay as they were");
    await delOk(node, pod, network);
    await delOk(node, other, network);
  });

  test(`ADD (${plugin}) takes MTU and MAC as asked`, { skip }, async () => {
    const mac = "02:aa:bb:cc:dd:ee";
    const network = makeNetwork(plugin, { mtu: 1400 });
    const [byArgs, byCapability] = await pods(2);
    const first = await addOk(node, byArgs, network, { args: `MAC=${mac.toUpperCase()}` });
    const other = "02:aa:bb:cc:dd:ef";
    const second = await addOk(node, byCapability, { ...network, runtimeConfig: { mac: other } });
    for (const [pod, result, expected] of [
      [byArgs, first, mac],
      [byCapability, second, other],
    ] as const) {
      const eth0 = result.interfaces.at(-1);
      assert.deepEqual(
        { name: eth0?.name, mac: eth0?.mac, mtu: eth0?.mtu, sandbox: eth0?.sandbox },
        { name: "eth0", mac: expected, mtu: 1400, sandbox: pod.netns },
      );
      const link = await node.kernel.findLink("eth0", pod.netns);
      assert.deepEqual({ mac: link?.mac, mtu: link?.mtu }, { mac: expected, mtu: 1400 });
    }
    await assertReaches(node, byArgs, addressesOf(second));
    await delOk(node, byArgs, network);
    await delOk(node, byCapability, network);
  });

  test(`ADD (${plugin}) sets the routes of ipam.routes`, { skip }, async () => {
    const base = makeNetwork(plugin);
    const network = {
      ...base,
      ipam: {
        ...(base["ipam"] as object),
        routes: [
          { dst: "192.0.2.0/24" },
          { dst: "198.51.100.0/24", mtu: 1300, advmss: 1200, priority: 77 },
          { dst: "2001:db8::/32", table: 100 },
        ],
      },
    };
    const [pod] = await pods(1);
    const result = await addOk(node, pod, network);
    const [v4, v6] = result.ips.map((ip) => ip.gateway);
    assert.deepEqual(result.routes, [
      { dst: "0.0.0.0/0", gw: v4 },
      { dst: "::/0", gw: v6 },
      { dst: "192.0.2.0/24", gw: v4 },
      { dst: "198.51.100.0/24", gw: v4, mtu: 1300, advmss: 1200, priority: 77 },
      { dst: "2001:db8::/32", gw: v6, table: 100 },
    ]);
    const { routes } = await node.readKernel(pod.netns);
    for (const line of [
      `192.0.2.0/24 via ${v4} dev eth0 table 254`,
      `198.51.100.0/24 via ${v4} dev eth0 table 254 metric 77 mtu 1300 advmss 1200`,
      `2001:db8::/32 via ${v6} dev eth0 table 100 metric 1024`,
      `0.0.0.0/0 via ${v4} dev eth0 table 254`,
      `::/0 via ${v6} dev eth0 table 254 metric 1024`,
    ]) {
      assert.ok(routes.includes(line), `${line} is not in\n${routes.join("\n")}`);
    }
    await delOk(node, pod, network);
  });

  test(`ADD (${plugin}) lets a configured default route replace its own`, { skip }, async () => {
    const base = makeNetwork(plugin);
    const routes = [{ dst: "0.0.0.0/0", gw: "10.0.0.77" }];
    const network = { ...base, ipam: { ...(base["ipam"] as object), routes } };
    const [pod] = await pods(1);
    const result = await addOk(node, pod, network);
    const defaults = result.routes.filter((route) => route.dst === "0.0.0.0/0");
    assert.deepEqual(defaults, [{ dst: "0.0.0.0/0", gw: "10.0.0.77" }]);
    await delOk(node, pod, network);
  });

  test(`ADD (${plugin}) on subnets of two addresses: /31 and /127 whole, /30 without its gateway`, {
    skip,
  }, async () => {
    const pairs = makeNetwork(plugin, {
      ipam: { ranges: [[{ subnet: "10.201.0.0/31" }], [{ subnet: "fd00:201::/127" }]] },
    });
    const [one, two, three] = await pods(3);
    const first = await addOk(node, one, pairs);
    const second = await addOk(node, two, pairs);
    assert.deepEqual([...addressesOf(first), ...addressesOf(second)].map(bare).sort(), [
      "10.201.0.0",
      "10.201.0.1",
      "fd00:201::",
      "fd00:201::1",
    ]);
    if (plugin === "routed") await assertReaches(node, one, addressesOf(second));
    const error = errorOf(await add(node, three, pairs));
    assert.equal(error.code, 11);
    assert.match(error.msg, /\[POOL_EMPTY\]/);
    assert.match(error.details, /no IPv4 and IPv6 address is free or cooling/);

    const small = makeNetwork(plugin, { ipam: { ranges: [[{ subnet: "10.202.0.0/30" }]] } });
    const only = await addOk(node, three, small, { ifname: "eth1" });
    assert.deepEqual(addressesOf(only).map(bare), ["10.202.0.2"]);
    assert.equal(errorOf(await add(node, one, small, { ifname: "eth1" })).code, 11);
    await delOk(node, three, small, { ifname: "eth1" });
    const again = await addOk(node, one, small, { ifname: "eth1" });
    assert.deepEqual(
      addressesOf(again),
      addressesOf(only),
      "a cooling address is better than none",
    );
    await delOk(node, one, small, { ifname: "eth1" });
    await delOk(node, one, pairs);
    await delOk(node, two, pairs);
  });

  test(`ADD (${plugin}) serves further ranges and families once the first is full`, {
    skip,
  }, async () => {
    const network = makeNetwork(plugin, {
      ipam: {
        ranges: [
          [{ subnet: "10.203.0.0/30" }, { subnet: "10.203.1.0/29" }],
          [{ subnet: "fd00:203::/64" }],
        ],
      },
    });
    const [one, two, three] = await pods(3);
    const results = [];
    for (const pod of [one, two, three]) results.push(await addOk(node, pod, network));
    const gateways = results.map((result) => result.ips[0]?.gateway);
    assert.deepEqual(gateways, ["10.203.0.1", "10.203.1.1", "10.203.1.1"]);
    await assertReaches(node, two, ["10.203.1.1", ...addressesOf(results[2] ?? results[0]!)]);
    await assertReaches(node, one, addressesOf(results[1]!));
    for (const pod of [one, two, three]) await delOk(node, pod, network);
  });
}

for (const plugin of PLUGINS) {
  test(`ADD (${plugin}) with ipMasq lets pods out with the node's address, and without it does not`, {
    skip,
  }, async () => {
    const outside = await node.createPod();
    const uplink = `up-${plugin}`;
    const [number, node4, node6] =
      plugin === "routed"
        ? ["1", "192.0.2.1", "2001:db8:1::1"]
        : ["2", "198.51.100.1", "2001:db8:2::1"];
    const there = [node4.replace(/1$/, "2"), `2001:db8:${number}::2`];
    for (const command of [
      `link add ${uplink} type veth peer name eth0 netns ${outside.name}`,
      `link set ${uplink} up`,
      `addr add ${node4}/24 dev ${uplink}`,
      `addr add ${node6}/64 dev ${uplink} nodad`,
    ]) {
      assert.equal((await node.run(["ip", ...command.split(" ")])).exitCode, 0, command);
    }
    for (const command of [
      "link set eth0 up",
      `addr add ${there[0]}/24 dev eth0`,
      `addr add ${there[1]}/64 dev eth0 nodad`,
    ]) {
      assert.equal((await node.runInPod(outside, ["ip", ...command.split(" ")])).exitCode, 0);
    }
    const network = makeNetwork(plugin, { ipMasq: true });
    const pod = await node.createPod();
    await addOk(node, pod, network);
    // The world outside knows no way back to the pod.
    await assertReaches(node, pod, there);
    await delOk(node, pod, network);
    await addOk(node, pod, { ...network, ipMasq: false });
    const ping = await node.runInPod(pod, ["ping", "-n", "-c", "1", "-W", "0.5", there[0] ?? ""]);
    assert.equal(ping.exitCode, 1, ping.stdout);
    await delOk(node, pod, network);
    await node.run(["ip", "link", "del", uplink]);
  });
}

test("ADD (bridge) after somebody deleted the bridge makes it anew", { skip }, async () => {
  const network = makeNetwork("bridge");
  const [one, two] = await pods(2);
  await addOk(node, one, network);
  await delOk(node, one, network);
  const before = withoutCooling(await readState(node, host));
  await node.run(["ip", "link", "del", String(network["bridge"])]);
  const result = await addOk(node, two, network);
  await assertReaches(
    node,
    two,
    result.ips.map((ip) => ip.gateway ?? ""),
  );
  await delOk(node, two, network);
  assert.deepEqual(withoutCooling(await readState(node, host)), before);
});

test("ADD gives both families or none: one empty family fails it and frees the other", {
  skip,
}, async () => {
  const network = makeNetwork("routed", {
    ipam: { ranges: [[{ subnet: "10.204.0.0/24" }], [{ subnet: "fd00:204::1/128" }]] },
  });
  const [one, two] = await pods(2);
  await addOk(node, one, network);
  const state = await readState(node, host);
  assert.equal(errorOf(await add(node, two, network)).code, 11);
  assert.deepEqual(await readState(node, host), state);
  await delOk(node, one, network);
});

test("ADD under PreferDual goes on with one family, and takes the other up again", {
  skip,
}, async () => {
  const network = makeNetwork("bridge", {
    ipam: {
      policy: "PreferDual",
      cooldownSeconds: 0,
      ranges: [[{ subnet: "10.205.0.0/24" }], [{ subnet: "fd00:205::/126" }]],
    },
  });
  const all = await pods(4);
  const counts = [];
  for (const pod of all) counts.push((await addOk(node, pod, network)).ips.length);
  // ::1 is the gateway; ::2 and ::3 are for pods.
  assert.deepEqual(counts, [2, 2, 1, 1]);
  for (const pod of all) await delOk(node, pod, network);
});

const REQUESTS: readonly [what: string, ask: (addresses: string[]) => Ask][] = [
  ["CNI_ARGS IP", (addresses) => ({ args: `IP=${addresses.join(",")}` })],
  ["args.cni.ips", (ips) => ({ keys: { args: { cni: { ips } } } })],
  ["runtimeConfig.ips", (ips) => ({ keys: { runtimeConfig: { ips } } })],
  [
    "all three at once, with prefix lengths",
    (ips) => ({
      args: `IgnoreUnknown=1;IP=${ips.join(",")};FOO=bar`,
      keys: {
        args: { cni: { ips: ips.map((ip) => `${ip}${ip.includes(":") ? "/64" : "/24"}`) } },
        runtimeConfig: { ips },
      },
    }),
  ],
];

interface Ask {
  readonly args?: string;
  readonly keys?: Record<string, unknown>;
}

for (const [what, ask] of REQUESTS) {
  test(`ADD gives the addresses asked for by ${what}`, { skip }, async () => {
    const network = makeNetwork("routed", {
      ipam: { ranges: [[{ subnet: "10.206.0.0/24" }], [{ subnet: "fd00:206::/64" }]] },
    });
    const [pod, other] = await pods(2);
    const wanted = ["10.206.0.99", "fd00:206::99"];
    const { args, keys } = ask(wanted);
    const call = args === undefined ? {} : { args };
    const result = await addOk(node, pod, { ...network, ...keys }, call);
    assert.deepEqual(addressesOf(result).map(bare), wanted);

    const taken = errorOf(await add(node, other, { ...network, ...keys }, call));
    assert.equal(taken.code, 11);
    assert.match(taken.details, /10\.206\.0\.99 is held by container .*pod/);
    await delOk(node, pod, network);
    const after = await addOk(node, other, { ...network, ...keys }, call);
    assert.deepEqual(addressesOf(after).map(bare), wanted, "asked for, a cooling address is given");
    await delOk(node, other, network);
  });
}

const REFUSED: readonly [ip: string, code: number, details: RegExp][] = [
  ["10.207.0.1", 102, /10\.207\.0\.1 is the gateway of ipam\.ranges\[0\]\[0\]/],
  ["10.207.0.7", 102, /is excluded by/],
  ["10.207.0.8", 102, /is reserved by/],
  ["192.0.2.1", 102, /lies in none of the ranges/],
  ["10.207.0.0", 102, /lies in none of the ranges/],
  ["10.207.0.255", 102, /lies in none of the ranges/],
  ["10.207.0.20,10.207.0.21", 102, /more than one IPv4 address/],
  ["fd00:999::1", 102, /lies in none of the ranges/],
];

test("ADD refuses requested addresses that the pool never gives", { skip }, async () => {
  const network = makeNetwork("routed", {
    ipam: {
      ranges: [
        [{ subnet: "10.207.0.0/24", exclude: ["10.207.0.7"], reserved: ["10.207.0.8"] }],
        [{ subnet: "fd00:207::/64" }],
      ],
    },
  });
  const [pod] = await pods(1);
  await addOk(node, pod, network);
  await delOk(node, pod, network);
  const state = await readState(node, host);
  for (const [ip, code, details] of REFUSED) {
    const error = errorOf(await add(node, pod, network, { args: `IP=${ip}` }));
    assert.equal(error.code, code, `${ip}: ${error.msg}`);
    assert.match(error.details, details, ip);
  }
  assert.deepEqual(await readState(node, host), state);
});

for (const cniVersion of CNI_VERSIONS) {
  for (const plugin of PLUGINS) {
    test(`ADD (${plugin}) answers in the words of CNI ${cniVersion}`, { skip }, async () => {
      const dns = {
        nameservers: ["10.0.0.53"],
        domain: "cluster.local",
        search: ["svc"],
        options: [],
      };
      const network = {
        ...makeNetwork(plugin, { cniVersion, dns, mtu: 1420 }),
        ipam: {
          ranges: [[{ subnet: "10.208.0.0/24" }], [{ subnet: "fd00:208::/64" }]],
          routes: [{ dst: "192.0.2.0/24", mtu: 1300, advmss: 1200, priority: 5, table: 99 }],
        },
      };
      const [pod] = await pods(1);
      const result = await addOk(node, pod, network);
      assert.deepEqual(result, expectedResult({ cniVersion, network, pod, result, dns }));
      await delOk(node, pod, network);
    });
  }
}

/** The result that the specification's schema of each version asks for. */
function expectedResult(given: {
  cniVersion: string;
  network: NetworkJson;
  pod: { name: string; netns: string };
  result: { ips: readonly { address: string }[] };
  dns: object;
}): object {
  const { cniVersion, network, pod, result, dns } = given;
  const isNewest = cniVersion === "1.1.0";
  const isOld = cniVersion.startsWith("0.");
  const isBridge = network["plugin"] === "bridge";
  const names = linkNamesOf(
    attachmentIdOf({ network: network.name, containerId: pod.name, ifname: "eth0" }),
  );
  const mtu = isNewest ? { mtu: 1420 } : {};
  const bridge = network["bridge"] as string;
  const [v4 = "", v6 = ""] = result.ips.map((ip) => ip.address);
  assert.match(v4, isBridge ? /^10\.208\.0\.\d+\/24$/ : /^10\.208\.0\.\d+\/32$/);
  assert.match(v6, isBridge ? /^fd00:208::[0-9a-f]+\/64$/ : /^fd00:208::[0-9a-f]+\/128$/);
  const position = isBridge ? 2 : 1;
  return {
    cniVersion,
    interfaces: [
      ...(isBridge ? [{ name: bridge, mac: macOfName(bridge), ...mtu }] : []),
      { name: names.hostIfname, mac: names.hostMac, ...mtu },
      { name: "eth0", mac: names.podMac, ...mtu, sandbox: pod.netns },
    ],
    ips: [
      {
        ...(isOld ? { version: "4" } : {}),
        interface: position,
        address: v4,
        gateway: "10.208.0.1",
      },
      {
        ...(isOld ? { version: "6" } : {}),
        interface: position,
        address: v6,
        gateway: "fd00:208::1",
      },
    ],
    routes: [
      { dst: "0.0.0.0/0", gw: "10.208.0.1" },
      { dst: "::/0", gw: "fd00:208::1" },
      {
        dst: "192.0.2.0/24",
        gw: "10.208.0.1",
        ...(isNewest ? { mtu: 1300, advmss: 1200, priority: 5, table: 99 } : {}),
      },
    ],
    dns,
  };
}

async function pods(count: number): Promise<[Pod, Pod, Pod]> {
  return (await node.createPods(count)) as [Pod, Pod, Pod];
}
