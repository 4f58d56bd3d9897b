import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parsePrefix } from "../ip/address.ts";
import type { Link, LinkAddress, Neighbour, Route } from "../kernel/kernel.ts";
import {
  compareAddresses,
  compareLink,
  compareNeighbours,
  compareRoutes,
  MAIN_TABLE,
} from "./findings.ts";

const LINK: Link = {
  ifindex: 5,
  name: "eth0",
  type: "veth",
  mac: "02:00:00:00:00:01",
  mtu: 1500,
  up: true,
  running: true,
  masterIfindex: 9,
  alias: "",
  group: 0,
  txQueueLength: 1000,
  promisc: false,
  allMulticast: false,
  unknown: new Map(),
};
const EXPECTED = { name: "eth0", mac: LINK.mac, mtu: 1500, masterIfindex: 9 };

/** "kind object: expected / found" */
function textOf(findings: ReturnType<typeof compareLink>): string[] {
  return findings.map(
    ({ kind, object, expected, found }) => `${kind} ${object}: ${expected} / ${found}`,
  );
}

const { masterIfindex: _, ...FREE } = LINK;
const LINKS: readonly [found: Link | undefined, findings: string[]][] = [
  [LINK, []],
  [undefined, ["link-missing eth0: present / "]],
  [{ ...LINK, up: false }, ["link-down eth0: up / down"]],
  [{ ...LINK, running: false }, []],
  [{ ...LINK, mac: "02:00:00:00:00:02" }, ["mac eth0: 02:00:00:00:00:01 / 02:00:00:00:00:02"]],
  [{ ...LINK, mtu: 1400 }, ["mtu eth0: 1500 / 1400"]],
  [{ ...LINK, masterIfindex: 8 }, ["master eth0: link 9 / link 8"]],
  [FREE, ["master eth0: link 9 / "]],
  [
    { ...FREE, up: false, mtu: 1 },
    ["link-down eth0: up / down", "mtu eth0: 1500 / 1", "master eth0: link 9 / "],
  ],
];

test("compareLink() names each difference", () => {
  for (const [found, findings] of LINKS) {
    assert.deepEqual(textOf(compareLink(EXPECTED, found)), findings);
  }
  assert.deepEqual(compareLink({ name: "eth0" }, { ...FREE, mtu: 7 }), [], "what is not asked for");
});

function addressOn(ifindex: number, text: string): LinkAddress {
  return { ifindex, address: parsePrefix(text), scope: 0, flags: 0, unknown: new Map() };
}

test("compareAddresses() misses addresses that are elsewhere or have another prefix", () => {
  const expected = ["10.0.0.5/24", "10.0.0.6/24", "fd00::5/64"].map(parsePrefix);
  const found = [
    addressOn(5, "10.0.0.5/24"),
    addressOn(5, "10.0.0.9/24"),
    addressOn(6, "10.0.0.6/24"),
    addressOn(5, "fd00::5/128"),
  ];
  assert.deepEqual(textOf(compareAddresses(expected, LINK, found)), [
    "address-missing eth0: 10.0.0.6/24 / ",
    "address-missing eth0: fd00::5/64 / ",
  ]);
});

function route(text: string, change: Partial<Route> = {}): Route {
  return {
    destination: parsePrefix(text),
    ifindex: 5,
    table: MAIN_TABLE,
    protocol: 3,
    scope: 0,
    type: 1,
    onlink: false,
    unknown: new Map(),
    ...change,
  };
}

test("compareRoutes() tells a route that is gone from one that leads elsewhere", () => {
  const gateway = parseAddress("10.0.0.1");
  const expected = {
    destination: parsePrefix("0.0.0.0/0"),
    gateway,
    ifindex: 5,
    table: MAIN_TABLE,
  };
  const cases: readonly [found: Route[], text: string[]][] = [
    [[route("0.0.0.0/0", { gateway })], []],
    [
      [route("0.0.0.0/0", { gateway: parseAddress("10.0.0.2") }), route("0.0.0.0/0", { gateway })],
      [],
    ],
    [[], ["route-missing 0.0.0.0/0: via 10.0.0.1 by link 5 / "]],
    [
      [route("0.0.0.0/0", { gateway, table: 100 }), route("10.0.0.0/8", { gateway })],
      ["route-missing 0.0.0.0/0: via 10.0.0.1 by link 5 / "],
    ],
    [
      [route("0.0.0.0/0", { gateway, ifindex: 6 })],
      ["route-missing 0.0.0.0/0: via 10.0.0.1 by link 5 / via 10.0.0.1 by link 6"],
    ],
    [[route("0.0.0.0/0")], ["route-missing 0.0.0.0/0: via 10.0.0.1 by link 5 / by link 5"]],
  ];
  for (const [found, text] of cases) {
    assert.deepEqual(textOf(compareRoutes([expected], found)), text);
  }
});

test("compareNeighbours() wants permanent entries of this link with that MAC address", () => {
  const address = parseAddress("10.0.0.1");
  const entry: Neighbour = {
    ifindex: 5,
    address,
    mac: "02:00:00:00:00:09",
    state: 0x80,
    proxy: false,
    forwarding: false,
    unknown: new Map(),
  };
  const gone = "neighbour-missing 10.0.0.1 on eth0: 02:00:00:00:00:09 / ";
  const cases: readonly [found: Partial<Neighbour>[], text: string[]][] = [
    [[{}], []],
    [[], [gone]],
    [[{ ifindex: 6 }], [gone]],
    [[{ address: parseAddress("10.0.0.2") }], [gone]],
    [[{ proxy: true, mac: "" }], [gone]],
    [[{ mac: "02:00:00:00:00:08" }], [`${gone}02:00:00:00:00:08`]],
    // NUD_STALE: the kernel learnt it, and may forget it.
    [[{ state: 0x04 }], [`${gone}02:00:00:00:00:09 not permanent`]],
  ];
  for (const [found, text] of cases) {
    const entries = found.map((change) => ({ ...entry, ...change }));
    const expected = [{ address, mac: entry.mac }];
    assert.deepEqual(textOf(compareNeighbours(expected, LINK, entries)), text);
  }
});
