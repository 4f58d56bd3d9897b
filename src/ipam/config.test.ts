import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from "../ip/address.ts";
import { DEFAULT_RANGES, DEFAULT_SUBNET4, DEFAULT_SUBNET6, parseIpamConfig } from "./config.ts";
import { IpamConfigError } from "./ipam-error.ts";
import { ipamLimits } from "./limits.ts";
import { formatRange } from "./range.ts";

/** What each range of a config comes to: "first-last gateway". */
function rangesOf(json: unknown): string[] {
  return parseIpamConfig(json, "ipam").ranges.map((range) => {
    const gateway = range.gateway === undefined ? "none" : formatAddress(range.gateway);
    return `${formatRange(range)} ${gateway}`;
  });
}

const RANGES: readonly [range: Record<string, unknown>, expected: string][] = [
  [{ subnet: "10.1.0.0/16" }, "10.1.0.1-10.1.255.254 10.1.0.1"],
  [{ subnet: "10.1.0.0/30" }, "10.1.0.1-10.1.0.2 10.1.0.1"],
  [{ subnet: "10.1.0.0/31" }, "10.1.0.0-10.1.0.1 none"],
  [{ subnet: "10.1.0.0/31", gateway: "10.1.0.0" }, "10.1.0.0-10.1.0.1 10.1.0.0"],
  [{ subnet: "10.1.0.7/32" }, "10.1.0.7-10.1.0.7 none"],
  [{ subnet: "0.0.0.0/0" }, "0.0.0.1-255.255.255.254 0.0.0.1"],
  [{ subnet: "fd00::/64" }, "fd00::1-fd00::ffff:ffff:ffff:ffff fd00::1"],
  [{ subnet: "fd00::/126" }, "fd00::1-fd00::3 fd00::1"],
  [{ subnet: "fd00::/127" }, "fd00::-fd00::1 none"],
  [{ subnet: "fd00::7/128" }, "fd00::7-fd00::7 none"],
  [{ subnet: "fd00::/64", rangeStart: "fd00::" }, "fd00::-fd00::ffff:ffff:ffff:ffff fd00::1"],
  [{ subnet: "fd00::/48" }, "fd00::1-fd00:0:0:1:: fd00::1"],
  [
    { subnet: "fd00::/48", rangeStart: "fd00:0:0:5::" },
    "fd00:0:0:5::-fd00::5:ffff:ffff:ffff:ffff fd00::1",
  ],
  [{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.10" }, "10.1.0.10-10.1.0.254 10.1.0.1"],
  [{ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.20" }, "10.1.0.1-10.1.0.20 10.1.0.1"],
  [
    { subnet: "10.1.0.0/24", rangeStart: "10.1.0.0", rangeEnd: "10.1.0.255" },
    "10.1.0.1-10.1.0.254 10.1.0.1",
  ],
  [{ subnet: "10.1.0.0/24", rangeStart: "", rangeEnd: "" }, "10.1.0.1-10.1.0.254 10.1.0.1"],
  [{ subnet: "10.1.0.0/24", gateway: null }, "10.1.0.1-10.1.0.254 none"],
  [{ subnet: "10.1.0.0/24", gateway: "" }, "10.1.0.1-10.1.0.254 none"],
  [{ subnet: "10.1.0.0/24", gateway: "169.254.1.1" }, "10.1.0.1-10.1.0.254 169.254.1.1"],
];

test("parseIpamConfig() finds first, last and gateway of a range", () => {
  for (const [range, expected] of RANGES) {
    assert.deepEqual(rangesOf({ ranges: [[range]] }), [expected], JSON.stringify(range));
  }
});

test("parseIpamConfig() takes the default pool where no range is named", () => {
  for (const json of [undefined, null, {}, { ranges: [] }, { type: "patchbay", ranges: null }]) {
    const config = parseIpamConfig(json, "ipam");
    assert.deepEqual(
      config.ranges.map(({ subnet }) => formatPrefix(subnet)),
      [DEFAULT_SUBNET4, DEFAULT_SUBNET6],
    );
    assert.deepEqual(config.families, [4, 6]);
    assert.equal(config.policy, "RequireDual");
    assert.equal(config.cooldownMs, ipamLimits.defaultCooldownSeconds * 1000);
    assert.deepEqual(config.routes, []);
  }
  assert.deepEqual(rangesOf({ ranges: DEFAULT_RANGES }), rangesOf(undefined));
});

test("parseIpamConfig() puts host-local's single subnet in front", () => {
  const json = {
    type: "host-local",
    dataDir: "/var/lib/cni/networks",
    resolvConf: "/etc/resolv.conf",
    subnet: "10.2.0.0/24",
    rangeStart: "10.2.0.9",
    gateway: "10.2.0.254",
    ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "10.1.1.0/24" }], [{ subnet: "fd00::/64" }]],
  };
  assert.deepEqual(rangesOf(json), [
    "10.2.0.9-10.2.0.254 10.2.0.254",
    "10.1.0.1-10.1.0.254 10.1.0.1",
    "10.1.1.1-10.1.1.254 10.1.1.1",
    "fd00::1-fd00::ffff:ffff:ffff:ffff fd00::1",
  ]);
  const config = parseIpamConfig(json, "ipam");
  assert.equal(config.dataDir, "/var/lib/cni/networks");
  assert.equal(config.resolvConf, "/etc/resolv.conf");
});

test("parseIpamConfig() keeps the order of the families and defaults the policy by it", () => {
  const four = [{ subnet: "10.1.0.0/24" }];
  const six = [{ subnet: "fd00::/64" }];
  for (const [ranges, families, policy] of [
    [[four], [4], "Single"],
    [[six], [6], "Single"],
    [[four, six], [4, 6], "RequireDual"],
    [[six, four], [6, 4], "RequireDual"],
  ] as const) {
    const config = parseIpamConfig({ ranges }, "ipam");
    assert.deepEqual([config.families, config.policy], [families, policy]);
  }
});

test("parseIpamConfig() reads excludes as address, subnet and range", () => {
  const exclude = ["10.1.0.5", "10.1.0.8/29", "10.1.0.100 - 10.1.0.110"];
  const [range] = parseIpamConfig(
    { ranges: [[{ subnet: "10.1.0.0/24", exclude }]] },
    "ipam",
  ).ranges;
  const text = (value: bigint): string => formatAddress({ family: 4, value });
  assert.deepEqual(
    range!.excludes.map(({ first, last }) => `${text(first)} ${text(last)}`),
    ["10.1.0.5 10.1.0.5", "10.1.0.8 10.1.0.15", "10.1.0.100 10.1.0.110"],
  );
});

test("parseIpamConfig() reads routes", () => {
  const routes = [
    { dst: "0.0.0.0/0" },
    {
      dst: "fd01::/32",
      gw: "fd00::1",
      mtu: 1400,
      advmss: 1360,
      priority: 5,
      table: 100,
      scope: 253,
    },
  ];
  assert.deepEqual(parseIpamConfig({ routes }, "ipam").routes, [
    { dst: parsePrefix("0.0.0.0/0") },
    {
      dst: parsePrefix("fd01::/32"),
      gw: parseAddress("fd00::1"),
      mtu: 1400,
      advmss: 1360,
      priority: 5,
      table: 100,
      scope: 253,
    },
  ]);
});

const one = (range: unknown): unknown => ({ ranges: [[range]] });
const BAD: readonly [json: unknown, field: string, message: RegExp][] = [
  ["10.1.0.0/24", "ipam", /expected an object, got "10\.1\.0\.0\/24"/],
  [[], "ipam", /expected an object/],
  [{ range: [] }, "ipam.range", /expected one of the keys type, ranges, /],
  [{ type: "dhcp" }, "ipam.type", /expected one of patchbay, host-local, got "dhcp"/],
  [{ ranges: {} }, "ipam.ranges", /expected a list, got \{\}/],
  [{ ranges: [{}] }, "ipam.ranges[0]", /expected a list, got \{\}/],
  [{ ranges: [[]] }, "ipam.ranges[0]", /expected a list of at least one range/],
  [one({}), "ipam.ranges[0][0].subnet", /expected a subnet such as .*, got nothing/],
  [one({ subnet: "10.1.0.0" }), "ipam.ranges[0][0].subnet", /got "10\.1\.0\.0"/],
  [one({ subnet: 10 }), "ipam.ranges[0][0].subnet", /got 10$/],
  [
    one({ subnet: "10.1.0.1/24" }),
    "ipam.ranges[0][0].subnet",
    /a subnet without host bits: 10\.1\.0\.0\/24, got "10\.1\.0\.1\/24"/,
  ],
  [one({ subnet: "fd00::1/64" }), "ipam.ranges[0][0].subnet", /without host bits: fd00::\/64/],
  [
    one({ subnet: "10.1.0.0/24", rangeBegin: "10.1.0.5" }),
    "ipam.ranges[0][0].rangeBegin",
    /expected one of the keys subnet, rangeStart/,
  ],
  [
    one({ subnet: "10.1.0.0/24", rangeStart: "10.1.1.1" }),
    "ipam.ranges[0][0].rangeStart",
    /expected an address in 10\.1\.0\.0\/24/,
  ],
  [
    one({ subnet: "10.1.0.0/24", rangeEnd: "fd00::1" }),
    "ipam.ranges[0][0].rangeEnd",
    /expected an IPv4 address/,
  ],
  [
    one({ subnet: "10.1.0.0/24", rangeStart: "10.1.0.9", rangeEnd: "10.1.0.8" }),
    "ipam.ranges[0][0]",
    /at least one usable address between rangeStart and rangeEnd in 10\.1\.0\.0\/24/,
  ],
  [
    one({ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.0" }),
    "ipam.ranges[0][0]",
    /at least one usable address/,
  ],
  [
    one({ subnet: "10.1.0.0/24", gateway: "fd00::1" }),
    "ipam.ranges[0][0].gateway",
    /expected an IPv4 address, got "fd00::1"/,
  ],
  [one({ subnet: "10.1.0.0/24", gateway: "x" }), "ipam.ranges[0][0].gateway", /IPv4 address/],
  [
    one({ subnet: "10.1.0.0/24", exclude: "10.1.0.5" }),
    "ipam.ranges[0][0].exclude",
    /expected a list/,
  ],
  [
    one({ subnet: "10.1.0.0/24", exclude: ["10.1.0.5", "10.2.0.5"] }),
    "ipam.ranges[0][0].exclude[1]",
    /an address, subnet or range "first-last" inside 10\.1\.0\.0\/24, got "10\.2\.0\.5"/,
  ],
  [
    one({ subnet: "10.1.0.0/24", exclude: ["10.1.0.9-10.1.0.5"] }),
    "ipam.ranges[0][0].exclude[0]",
    /first-last/,
  ],
  [
    one({ subnet: "10.1.0.0/24", exclude: ["10.1.0.9-"] }),
    "ipam.ranges[0][0].exclude[0]",
    /first-last/,
  ],
  [
    one({ subnet: "10.1.0.0/24", exclude: ["fd00::1"] }),
    "ipam.ranges[0][0].exclude[0]",
    /first-last/,
  ],
  [one({ subnet: "10.1.0.0/24", exclude: [5] }), "ipam.ranges[0][0].exclude[0]", /got 5$/],
  [
    one({ subnet: "10.1.0.0/24", reserved: ["10.1.0.0/30"] }),
    "ipam.ranges[0][0].reserved[0]",
    /IPv4 address/,
  ],
  [
    one({ subnet: "10.1.0.0/24", reserved: [""] }),
    "ipam.ranges[0][0].reserved[0]",
    /an address in 10\.1\.0\.0\/24/,
  ],
  [
    { ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "fd00::/64" }]] },
    "ipam.ranges[0][1].subnet",
    /expected an IPv4 subnet as in ipam\.ranges\[0\]\[0\], got "fd00::"/,
  ],
  [
    { ranges: [[{ subnet: "10.1.0.0/16" }], [{ subnet: "10.1.5.0/24" }]] },
    "ipam.ranges[1][0]",
    /does not overlap ipam\.ranges\[0\]\[0\] \(10\.1\.0\.1-10\.1\.255\.254\), got "10\.1\.5\.1-10\.1\.5\.254"/,
  ],
  [
    { subnet: "10.1.0.0/16", ranges: [[{ subnet: "10.1.0.0/16" }]] },
    "ipam.ranges[0][0]",
    /does not overlap ipam \(/,
  ],
  [{ gateway: "10.1.0.1" }, "ipam.gateway", /expected nothing without ipam\.subnet/],
  [{ policy: "Dual" }, "ipam.policy", /one of RequireDual, PreferDual, Single, got "Dual"/],
  [
    { subnet: "10.1.0.0/24", policy: "RequireDual" },
    "ipam.policy",
    /ranges of both families, or another policy: only IPv4 has any/,
  ],
  [{ cooldownSeconds: -1 }, "ipam.cooldownSeconds", /a whole number from 0 to 86400, got -1/],
  [{ cooldownSeconds: 1.5 }, "ipam.cooldownSeconds", /whole number/],
  [{ cooldownSeconds: "120" }, "ipam.cooldownSeconds", /got "120"/],
  [{ cooldownSeconds: 86_401 }, "ipam.cooldownSeconds", /whole number/],
  [{ dataDir: 5 }, "ipam.dataDir", /expected a string, got 5/],
  [{ routes: [{}] }, "ipam.routes[0].dst", /expected a subnet such as/],
  [{ routes: [{ dst: "10.0.0.1/8" }] }, "ipam.routes[0].dst", /without host bits/],
  [{ routes: [{ dst: "10.0.0.0/8", gw: "fd00::1" }] }, "ipam.routes[0].gw", /an IPv4 address/],
  [{ routes: [{ dst: "10.0.0.0/8", scope: 256 }] }, "ipam.routes[0].scope", /from 0 to 255/],
  [{ routes: [{ dst: "10.0.0.0/8", metric: 1 }] }, "ipam.routes[0].metric", /one of the keys dst/],
  [
    { ranges: Array.from({ length: ipamLimits.rangeSets + 1 }, () => []) },
    "ipam.ranges",
    /expected at most 64 entries, got 65/,
  ],
];

test("parseIpamConfig() names the field, what it must be and what it is", () => {
  for (const [json, field, message] of BAD) {
    assert.throws(
      () => parseIpamConfig(json, "ipam"),
      (error: unknown) => {
        assert.ok(error instanceof IpamConfigError, JSON.stringify(json));
        assert.equal(error.field, field, JSON.stringify(json));
        assert.match(error.message, message);
        return true;
      },
      JSON.stringify(json),
    );
  }
});

test("parseIpamConfig() takes ranges of one subnet that share no address", () => {
  const ranges = [
    [
      { subnet: "10.1.0.0/24", rangeEnd: "10.1.0.99" },
      { subnet: "10.1.0.0/24", rangeStart: "10.1.0.100" },
    ],
  ];
  assert.deepEqual(rangesOf({ ranges }), [
    "10.1.0.1-10.1.0.99 10.1.0.1",
    "10.1.0.100-10.1.0.254 10.1.0.1",
  ]);
});
