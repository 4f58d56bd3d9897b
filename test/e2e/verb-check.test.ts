import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { attachmentIdOf } from "../../src/plugin-host/core/attachment.ts";
import { linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import { findSkipReason, openNode, type Pod, type TestNode } from "./harness.ts";
import {
  addOk,
  assertSilentSuccess,
  bare,
  check,
  type CniResult,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  PLUGINS,
  type PluginName,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
let node: TestNode;

before(async () => {
  if (skip) return;
  node = await openNode();
  await node.startHost();
});

after(() => node?.[Symbol.asyncDispose]());

interface Attached {
  readonly pod: Pod;
  readonly network: NetworkJson;
  readonly result: CniResult;
  readonly hostIfname: string;
}

type Drift = readonly [
  what: string,
  /** A command of `ip`, inside the pod or on the node. */
  where: "pod" | "node",
  command: (attached: Attached) => string,
  /** What CHECK must say. */
  findings: (attached: Attached) => readonly (string | RegExp)[],
];

const DRIFTS: Readonly<Record<PluginName | "both", readonly Drift[]>> = {
  both: [
    [
      "link down in the pod",
      "pod",
      () => "link set eth0 down",
      () => ["link-down eth0: expected up, found down"],
    ],
    [
      "link down on the node",
      "node",
      ({ hostIfname }) => `link set ${hostIfname} down`,
      ({ hostIfname }) => [`link-down ${hostIfname}: expected up, found down`],
    ],
    [
      "IPv4 address removed",
      "pod",
      ({ result }) => `addr del ${result.ips[0]?.address} dev eth0`,
      ({ result }) => [`address-missing eth0: expected ${result.ips[0]?.address}, found nothing`],
    ],
    [
      "IPv6 address removed",
      "pod",
      ({ result }) => `addr del ${result.ips[1]?.address} dev eth0`,
      ({ result }) => [`address-missing eth0: expected ${result.ips[1]?.address}, found nothing`],
    ],
    [
      "IPv4 default route removed",
      "pod",
      () => "route del default",
      () => [/route-missing 0\.0\.0\.0\/0: expected via \S+ by link \d+, found nothing/],
    ],
    [
      "IPv6 default route removed",
      "pod",
      () => "-6 route del default",
      () => [/route-missing ::\/0: expected via \S+ by link \d+, found nothing/],
    ],
    [
      "default route led elsewhere",
      "pod",
      () => "route replace default via 192.0.2.9 dev eth0 onlink",
      () => [
        /route-missing 0\.0\.0\.0\/0: expected via \S+ by link \d+, found via 192\.0\.2\.9 by link \d+/,
      ],
    ],
    [
      "MTU changed in the pod",
      "pod",
      () => "link set eth0 mtu 1300",
      () => ["mtu eth0: expected 1500, found 1300"],
    ],
    [
      "MTU changed on the node",
      "node",
      ({ hostIfname }) => `link set ${hostIfname} mtu 1301`,
      ({ hostIfname }) => [`mtu ${hostIfname}: expected 1500, found 1301`],
    ],
    [
      "MAC changed",
      "pod",
      () => "link set eth0 address 02:00:00:00:00:01",
      () => [/mac eth0: expected 02:\S+, found 02:00:00:00:00:01/],
    ],
    [
      "link deleted",
      "node",
      ({ hostIfname }) => `link del ${hostIfname}`,
      ({ hostIfname }) => [
        `link-missing ${hostIfname}: expected present, found nothing`,
        "link-missing eth0: expected present, found nothing",
      ],
    ],
    [
      "link renamed in the pod",
      "pod",
      () => "link set eth0 name eth7",
      () => ["link-missing eth0: expected present, found nothing"],
    ],
  ],
  routed: [
    [
      "host route removed",
      "node",
      ({ result }) => `route del ${bare(result.ips[0]?.address ?? "")}/32`,
      ({ result }) => [
        new RegExp(
          `route-missing ${bare(result.ips[0]?.address ?? "")}/32: expected by link \\d+, found nothing`,
        ),
      ],
    ],
  ],
  bridge: [
    [
      "taken off the bridge",
      "node",
      ({ hostIfname }) => `link set ${hostIfname} nomaster`,
      ({ hostIfname }) => [new RegExp(`master ${hostIfname}: expected link \\d+, found nothing`)],
    ],
    [
      "bridge down",
      "node",
      ({ network }) => `link set ${network["bridge"]} down`,
      ({ network }) => [`link-down ${network["bridge"]}: expected up, found down`],
    ],
  ],
};

for (const plugin of PLUGINS) {
  for (const [what, where, command, findings] of [...DRIFTS.both, ...DRIFTS[plugin]]) {
    test(`CHECK (${plugin}) names the drift: ${what}`, { skip }, async () => {
      await withAttachment(plugin, async (attached) => {
        const argv = ["ip", ...command(attached).split(" ")];
        const { pod, network } = attached;
        const done = where === "pod" ? await node.runInPod(pod, argv) : await node.run(argv);
        assert.equal(done.exitCode, 0, `${argv.join(" ")}: ${done.stderr}`);
        const error = errorOf(await check(node, pod, network));
        assert.equal(error.code, 103);
        assert.match(error.msg, /^eth0 of container \S+ is not as recorded \[DRIFT\]$/);
        for (const expected of findings(attached)) {
          if (typeof expected === "string")
            assert.ok(error.details.includes(expected), error.details);
          else assert.match(error.details, expected);
        }
      });
    });
  }

  test(`CHECK (${plugin}) is content right after ADD, with and without prevResult`, {
    skip,
  }, async () => {
    await withAttachment(plugin, async ({ pod, network, result }) => {
      assertSilentSuccess(await check(node, pod, network));
      assertSilentSuccess(await check(node, pod, { ...network, prevResult: result }));
      for (const cniVersion of ["0.4.0", "1.0.0"]) {
        assertSilentSuccess(await check(node, pod, { ...network, cniVersion, prevResult: result }));
      }
    });
  });

  test(`CHECK (${plugin}) tolerates what later members of a chain add`, { skip }, async () => {
    await withAttachment(plugin, async ({ pod, network, result }) => {
      const [, , eth0 = result.interfaces[1]] = result.interfaces;
      const prevResult = {
        ...result,
        interfaces: [...result.interfaces, { ...eth0, name: "tuned0" }],
        ips: [...result.ips, { address: "192.0.2.5/24", interface: 1 }],
      };
      for (const command of [
        "addr add 192.0.2.5/24 dev eth0",
        "route add 198.51.100.0/24 dev eth0",
      ]) {
        assert.equal((await node.runInPod(pod, ["ip", ...command.split(" ")])).exitCode, 0);
      }
      assertSilentSuccess(await check(node, pod, { ...network, prevResult }));
    });
  });

  test(`CHECK (${plugin}) misses its addresses in a prevResult without them`, {
    skip,
  }, async () => {
    await withAttachment(plugin, async ({ pod, network, result }) => {
      const error = errorOf(
        await check(node, pod, { ...network, prevResult: { ...result, ips: [] } }),
      );
      assert.equal(error.code, 103);
      for (const ip of result.ips) {
        assert.ok(
          error.details.includes(`prev-result eth0: expected ${ip.address}, found nothing`),
        );
      }
    });
  });

  test(`CHECK (${plugin}) names every drift at once`, { skip }, async () => {
    await withAttachment(plugin, async ({ pod, network }) => {
      await node.runInPod(pod, ["ip", "link", "set", "eth0", "mtu", "1280"]);
      await node.runInPod(pod, ["ip", "addr", "flush", "dev", "eth0"]);
      const { details } = errorOf(await check(node, pod, network));
      for (const kind of ["mtu eth0", "address-missing eth0", "route-missing 0.0.0.0/0"]) {
        assert.ok(details.includes(kind), details);
      }
    });
  });
}

test("CHECK of what was never attached: error 104", { skip }, async () => {
  const pod = await node.createPod();
  const network = makeNetwork("routed");
  assert.equal(errorOf(await check(node, pod, network)).code, 104);
});

test("CHECK where another namespace stands in the place of the pod's", { skip }, async () => {
  await withAttachment("routed", async ({ pod, network }) => {
    await node.deletePod(pod);
    await node.createPod(pod.name);
    const error = errorOf(await check(node, pod, network));
    assert.equal(error.code, 103);
    assert.match(error.details, /netns \S+: expected \d+:\d+, found \d+:\d+/);
  });
});

test("CHECK needs cniVersion 0.4.0", { skip }, async () => {
  await withAttachment("routed", async ({ pod, network }) => {
    for (const cniVersion of ["0.3.0", "0.3.1"]) {
      const error = errorOf(await check(node, pod, { ...network, cniVersion }));
      assert.equal(error.code, 1);
      assert.match(error.msg, /CHECK needs cniVersion 0\.4\.0 or newer/);
      assert.equal(error.cniVersion, cniVersion);
    }
  });
});

async function withAttachment(
  plugin: PluginName,
  work: (attached: Attached) => Promise<void>,
): Promise<void> {
  const network = makeNetwork(plugin);
  const pod = await node.createPod();
  const result = await addOk(node, pod, network);
  const key = { network: network.name, containerId: pod.name, ifname: "eth0" };
  const { hostIfname } = linkNamesOf(attachmentIdOf(key));
  try {
    await work({ pod, network, result, hostIfname });
  } finally {
    await delOk(node, pod, network);
  }
}
