import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../ip/address.ts";
import { parseIpamConfig } from "./config.ts";
import { IpamError, type IpamErrorCode } from "./ipam-error.ts";
import type { Lease, LeaseOwner } from "./lease.ts";
import { ipamLimits } from "./limits.ts";
import type { AllocateRequest } from "./plan-allocation.ts";
import { Pool } from "./pool.ts";

const COOLDOWN_MS = 120_000;

function poolOf(json: unknown): Pool {
  return new Pool("blue", parseIpamConfig(json, "ipam"));
}

function ownerOf(name: string): LeaseOwner {
  return {
    attachmentId: `blue/${name}/eth0`,
    containerId: name,
    ifname: "eth0",
    podUid: `u-${name}`,
  };
}

function allocate(pool: Pool, name: string, options: Partial<AllocateRequest> = {}): Lease[] {
  return pool.allocate({ owner: ownerOf(name), nowMs: 0, ...options });
}

function textOf(leases: Iterable<Lease>): string[] {
  return [...leases].map(({ address }) => formatAddress(address));
}

function refusal(code: IpamErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof IpamError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

/** What a pool gives out until it is empty. */
function drain(pool: Pool): string[] {
  const all: string[] = [];
  for (let count = 0; ; count++) {
    try {
      all.push(...textOf(allocate(pool, `drain-${count}`)));
    } catch (error) {
      assert.ok(error instanceof IpamError && error.code === "pool-empty");
      return all;
    }
  }
}

const WHOLE: readonly [range: Record<string, unknown>, addresses: string[]][] = [
  [{ subnet: "10.0.0.0/30" }, ["10.0.0.2"]],
  [{ subnet: "10.0.0.0/30", gateway: null }, ["10.0.0.1", "10.0.0.2"]],
  [{ subnet: "10.0.0.0/31" }, ["10.0.0.0", "10.0.0.1"]],
  [{ subnet: "10.0.0.0/31", gateway: "10.0.0.0" }, ["10.0.0.1"]],
  [{ subnet: "10.0.0.9/32" }, ["10.0.0.9"]],
  [{ subnet: "10.0.0.9/32", gateway: "169.254.1.1" }, ["10.0.0.9"]],
  [{ subnet: "fd00::/126" }, ["fd00::2", "fd00::3"]],
  [{ subnet: "fd00::/126", rangeStart: "fd00::" }, ["fd00::", "fd00::2", "fd00::3"]],
  [{ subnet: "fd00::/126", gateway: "" }, ["fd00::1", "fd00::2", "fd00::3"]],
  [{ subnet: "fd00::/127" }, ["fd00::", "fd00::1"]],
  [{ subnet: "fd00::9/128" }, ["fd00::9"]],
  [
    { subnet: "10.0.0.0/28", exclude: ["10.0.0.4/30", "10.0.0.12"], reserved: ["10.0.0.9"] },
    ["10.0.0.2", "10.0.0.3", "10.0.0.8", "10.0.0.10", "10.0.0.11", "10.0.0.13", "10.0.0.14"],
  ],
  [{ subnet: "10.0.0.0/29", exclude: ["10.0.0.0/29"] }, []],
  [{ subnet: "255.255.255.252/30", gateway: null }, ["255.255.255.253", "255.255.255.254"]],
  [
    { subnet: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ],
];

test("allocate() gives every usable address of a small pool, in order, and no other", () => {
  for (const [range, addresses] of WHOLE) {
    const pool = poolOf({ ranges: [[range]] });
    const family = addresses[0]?.includes(":") ? 6 : 4;
    assert.equal(pool.counts(family, 0).capacity, BigInt(addresses.length), JSON.stringify(range));
    assert.deepEqual(drain(pool), addresses, JSON.stringify(range));
    assert.equal(pool.counts(family, 0).free, 0n);
  }
});

test("allocate() gives one address of each family with prefix length, gateway and sequence", () => {
  const pool = poolOf(undefined);
  assert.deepEqual(allocate(pool, "a"), [
    {
      network: "blue",
      address: parseAddress("10.88.0.2"),
      prefixLength: 16,
      gateway: parseAddress("10.88.0.1"),
      sequence: 1,
      owner: ownerOf("a"),
    },
    {
      network: "blue",
      address: parseAddress("fd00:88::2"),
      prefixLength: 64,
      gateway: parseAddress("fd00:88::1"),
      sequence: 2,
      owner: ownerOf("a"),
    },
  ]);
  assert.deepEqual(pool.cursor(), { nextSequence: 3, last4: "10.88.0.2", last6: "fd00:88::2" });
});

test("allocate() answers a repeat with the same leases, and leasesOf() too", () => {
  const pool = poolOf(undefined);
  const leases = allocate(pool, "a");
  assert.deepEqual(allocate(pool, "a", { requested: [parseAddress("10.88.0.77")] }), leases);
  assert.deepEqual(pool.leasesOf(ownerOf("a").attachmentId), leases);
  assert.deepEqual([...pool.leases()], leases);
  assert.deepEqual(pool.leasesOf("another"), []);
  assert.equal(pool.counts(4, 0).used, 1n);
});

test("allocate() walks the ranges in order, goes on after the last address and wraps", () => {
  const pool = poolOf({
    ranges: [[{ subnet: "10.0.9.0/31" }, { subnet: "10.0.1.0/31" }], [{ subnet: "10.0.5.4/32" }]],
    cooldownSeconds: 0,
  });
  const order = ["10.0.9.0", "10.0.9.1", "10.0.1.0", "10.0.1.1", "10.0.5.4"];
  for (const round of [1, 2]) {
    for (const [index, address] of order.entries()) {
      const [lease] = allocate(pool, `${round}-${index}`);
      assert.equal(formatAddress(lease!.address), address);
      assert.ok(pool.release(lease!, 0));
    }
  }
});

test("allocate() never gives a gateway or reserved address of another range", () => {
  const subnet = "10.0.0.0/29";
  const pool = poolOf({
    ranges: [
      [
        { subnet, rangeEnd: "10.0.0.3", gateway: "10.0.0.5", reserved: ["10.0.0.6"] },
        { subnet, rangeStart: "10.0.0.4" },
      ],
    ],
  });
  assert.deepEqual(drain(pool), ["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
});

test("allocate() gives the requested addresses and leaves the round where it is", () => {
  const pool = poolOf(undefined);
  const requested = [parseAddress("fd00:88::ffff:0:0:1"), parseAddress("10.88.7.7")];
  assert.deepEqual(textOf(allocate(pool, "a", { requested })), [
    "10.88.7.7",
    "fd00:88::ffff:0:0:1",
  ]);
  assert.deepEqual(textOf(allocate(pool, "b", { requested: [parseAddress("10.88.0.2")] })), [
    "10.88.0.2",
    "fd00:88::2",
  ]);
  assert.deepEqual(textOf(allocate(pool, "c")), ["10.88.0.3", "fd00:88::3"]);
});

const REFUSED: readonly [requested: string[], code: IpamErrorCode, message: RegExp][] = [
  [
    ["10.0.0.1"],
    "address-reserved",
    /network blue: 10\.0\.0\.1 is the gateway of ipam\.ranges\[0\]\[0\]/,
  ],
  [["10.0.0.9"], "address-reserved", /10\.0\.0\.9 is reserved by ipam\.ranges\[0\]\[0\]/],
  [["10.0.0.11"], "address-reserved", /10\.0\.0\.11 is excluded by ipam\.ranges\[0\]\[0\]/],
  [["10.0.0.0"], "address-outside", /10\.0\.0\.0 lies in none of the ranges/],
  [["10.0.0.15"], "address-outside", /10\.0\.0\.15/],
  [["10.0.1.1"], "address-outside", /10\.0\.1\.1/],
  [["fd00::1"], "family-missing", /fd00::1 is requested, and IPv6 has no ranges/],
  [["10.0.0.2"], "address-taken", /10\.0\.0\.2 is held by container first, interface eth0/],
  [["10.0.0.3", "10.0.0.4"], "request-invalid", /more than one IPv4 address/],
];

test("allocate() says why a requested address cannot be given, and gives nothing", () => {
  const subnet = "10.0.0.0/28";
  const pool = poolOf({
    ranges: [[{ subnet, reserved: ["10.0.0.9"], exclude: ["10.0.0.10-10.0.0.12"] }]],
  });
  allocate(pool, "first");
  for (const [texts, code, message] of REFUSED) {
    const requested = texts.map(parseAddress);
    assert.throws(() => allocate(pool, "second", { requested }), refusal(code, message));
  }
  assert.equal(pool.counts(4, 0).used, 1n);
  assert.equal(pool.cursor().nextSequence, 2);
});

test("allocate() keeps to the policy when one family has no room", () => {
  const ranges = [[{ subnet: "10.0.0.1/32" }], [{ subnet: "fd00::/64" }]];
  const pool = poolOf({ ranges });
  allocate(pool, "a");
  assert.throws(() => allocate(pool, "b"), refusal("pool-empty", /no IPv4 address is free/));
  assert.throws(() => allocate(pool, "b", { policy: "Single" }), refusal("pool-empty", /IPv4/));
  assert.equal(pool.counts(6, 0).used, 1n);
  assert.deepEqual(textOf(allocate(pool, "b", { policy: "PreferDual" })), ["fd00::3"]);
  assert.deepEqual(
    textOf(allocate(pool, "c", { policy: "Single", requested: [parseAddress("fd00::9")] })),
    ["fd00::9"],
  );
  const both = [parseAddress("fd00::8"), parseAddress("10.0.0.1")];
  assert.throws(
    () => allocate(poolOf({ ranges }), "d", { policy: "Single", requested: both }),
    refusal("request-invalid", /both families are requested under the policy Single/),
  );
  assert.throws(
    () => allocate(poolOf({ subnet: "10.0.0.0/24" }), "d", { policy: "RequireDual" }),
    refusal("family-missing", /only IPv4 has ranges/),
  );
});

test("release() refuses an old sequence: a late DEL cannot free the new holder", () => {
  const pool = poolOf({ subnet: "10.0.0.1/32" });
  const [old] = allocate(pool, "web-0");
  assert.equal(pool.release(old!, 0), true);
  assert.equal(pool.release(old!, 0), false);
  const [current] = allocate(pool, "web-0-again");
  assert.deepEqual(current!.address, old!.address);
  assert.equal(pool.release(old!, 1), false);
  assert.deepEqual([...pool.leases()], [current]);
  assert.equal(pool.release({ address: parseAddress("10.9.9.9"), sequence: 1 }, 1), false);
});

test("release() lets an address cool until the cooldown is over", () => {
  const pool = poolOf({ subnet: "10.0.0.0/29" });
  const [lease] = allocate(pool, "a");
  pool.release(lease!, 1000);
  assert.deepEqual(
    [...pool.cooling()],
    [
      {
        address: lease!.address,
        sequence: 1,
        lastOwner: ownerOf("a"),
        releasedAtMs: 1000,
        untilMs: 1000 + COOLDOWN_MS,
      },
    ],
  );
  const counts = { capacity: 5n, used: 0n, cooling: 1n, free: 4n };
  assert.deepEqual(pool.counts(4, 1000 + COOLDOWN_MS - 1), counts);
  assert.deepEqual(pool.counts(4, 1000 + COOLDOWN_MS), { ...counts, cooling: 0n, free: 5n });
});

test("counts() and release() do not go back in time with a late caller", () => {
  const pool = poolOf({ subnet: "10.0.0.0/29" });
  const [first] = allocate(pool, "a");
  const [second] = allocate(pool, "b");
  pool.release(first!, 5000);
  pool.release(second!, 4000);
  assert.deepEqual(
    [...pool.cooling()].map(({ sequence, releasedAtMs }) => [sequence, releasedAtMs]),
    [
      [1, 5000],
      [2, 5000],
    ],
  );
});

test("allocate() takes the longest cooled address only when no other is free", () => {
  const pool = poolOf({ subnet: "10.0.0.0/29" });
  const leases = [0, 1, 2, 3, 4].flatMap((index) => allocate(pool, `old-${index}`));
  for (const [time, index] of [3, 1, 0].entries()) pool.release(leases[index]!, time);
  assert.deepEqual(textOf(allocate(pool, "x", { nowMs: 10 })), ["10.0.0.5"]);
  pool.release(leases[4]!, 20);
  assert.deepEqual(textOf(allocate(pool, "y", { nowMs: 30 })), ["10.0.0.3"]);
  // Address 10.0.0.2 is free from here on, 10.0.0.6 still cools.
  assert.deepEqual(textOf(allocate(pool, "z", { nowMs: 2 + COOLDOWN_MS })), ["10.0.0.2"]);
  assert.deepEqual(textOf(allocate(pool, "w", { nowMs: 2 + COOLDOWN_MS })), ["10.0.0.6"]);
});

test("N pods restarted together in a pool of N addresses all get one", () => {
  const pool = poolOf({ ranges: [[{ subnet: "10.0.0.0/24" }], [{ subnet: "fd00::/120" }]] });
  const count = 253;
  for (let round = 0; round < 5; round++) {
    const nowMs = round;
    for (let pod = 0; pod < count; pod++) {
      for (const lease of pool.leasesOf(ownerOf(`${round - 1}-${pod}`).attachmentId)) {
        assert.ok(pool.release(lease, nowMs));
      }
      assert.equal(allocate(pool, `${round}-${pod}`, { nowMs }).length, 2);
    }
    assert.equal(pool.counts(4, nowMs).used, BigInt(count));
  }
});

test("cancel() undoes an allocation at once, the cooldown that it cut short included", () => {
  const pool = poolOf({ subnet: "10.0.0.0/31" });
  const [first] = allocate(pool, "a");
  allocate(pool, "b");
  pool.release(first!, 5);
  const cooling = [...pool.cooling()];
  const taken = allocate(pool, "c", { nowMs: 6 });
  assert.deepEqual([...pool.cooling()], []);
  pool.cancel(taken);
  assert.deepEqual([...pool.cooling()], cooling);
  pool.cancel(taken);
  assert.deepEqual([...pool.cooling()], cooling);
  assert.equal(allocate(pool, "d", { nowMs: 7 })[0]!.sequence, 4);
});

test("cancel() makes an address free without cooldown", () => {
  const pool = poolOf(undefined);
  pool.cancel(allocate(pool, "a"));
  assert.deepEqual([...pool.leases()], []);
  assert.deepEqual(pool.counts(4, 0), { capacity: 65_533n, used: 0n, cooling: 0n, free: 65_533n });
});

test("adopt() holds an address wherever it lies, and never gives it out again", () => {
  const pool = poolOf({ subnet: "10.0.0.0/29" });
  const inside = pool.adopt(parseAddress("10.0.0.2"), ownerOf("a"), 0);
  const gateway = pool.adopt(parseAddress("10.0.0.1"), ownerOf("b"), 0);
  const outside = pool.adopt(parseAddress("192.168.0.9"), ownerOf("c"), 0);
  const otherFamily = pool.adopt(parseAddress("fd00::9"), ownerOf("d"), 0);
  assert.deepEqual([inside.prefixLength, gateway.prefixLength], [29, 29]);
  assert.deepEqual([outside.prefixLength, outside.gateway], [32, undefined]);
  assert.equal(otherFamily.prefixLength, 128);
  assert.deepEqual(pool.adopt(inside.address, ownerOf("a"), 0), inside);
  assert.throws(
    () => pool.adopt(inside.address, ownerOf("e"), 0),
    refusal("address-taken", /10\.0\.0\.2 is held by container a/),
  );
  assert.deepEqual(pool.counts(4, 0), { capacity: 5n, used: 1n, cooling: 0n, free: 4n });
  for (const lease of [gateway, outside, otherFamily]) assert.ok(pool.release(lease, 0));
  assert.equal([...pool.cooling()].length, 3);
  assert.deepEqual(drain(pool), ["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
  pool.counts(4, COOLDOWN_MS);
  assert.equal([...pool.cooling()].length, 0);
});

test("restore() goes on where the pool was, also without a cursor", () => {
  const before = poolOf({ subnet: "10.0.0.0/29" });
  const leases = ["a", "b", "c"].flatMap((name) => allocate(before, name));
  before.release(leases[1]!, 1000);
  const state = {
    leases: [...before.leases()],
    cooling: [{ ...leases[1]!, remainingMs: COOLDOWN_MS - 500 }],
    nowMs: 7,
  };
  const after = poolOf({ subnet: "10.0.0.0/29" });
  after.restore({ ...state, cursor: before.cursor() });
  assert.deepEqual([...after.leases()], [leases[0], leases[2]]);
  assert.deepEqual(textOf(allocate(after, "d", { nowMs: 7 })), ["10.0.0.5"]);
  assert.equal(after.counts(4, 7 + COOLDOWN_MS - 501).cooling, 1n);
  assert.equal(after.counts(4, 7 + COOLDOWN_MS - 500).cooling, 0n);

  const blind = poolOf({ subnet: "10.0.0.0/29" });
  blind.restore(state);
  assert.deepEqual(
    allocate(blind, "d", { nowMs: 7 }).map(({ sequence }) => sequence),
    [4],
  );
});

test("restore() keeps leases outside of today's ranges and frees them properly", () => {
  const before = poolOf({ subnet: "10.0.0.0/29" });
  const [lease] = allocate(before, "a");
  const after = poolOf({ subnet: "10.9.0.0/29" });
  after.restore({ leases: before.leases(), cooling: [], cursor: before.cursor(), nowMs: 0 });
  assert.deepEqual(allocate(after, "a"), [lease]);
  assert.deepEqual(textOf(allocate(after, "b")), ["10.9.0.2"]);
  assert.equal(after.release(lease!, 0), true);
  assert.equal(after.release(lease!, 0), false);
});

test("restore() cuts a cooldown to the one of today, and lets a lease win over a cooling row", () => {
  const pool = poolOf({ subnet: "10.0.0.0/29", cooldownSeconds: 1 });
  const owner = ownerOf("a");
  const lease = { address: parseAddress("10.0.0.2"), prefixLength: 29, gateway: undefined, owner };
  pool.restore({
    leases: [{ ...lease, sequence: 5 }],
    cooling: [
      { address: parseAddress("10.0.0.2"), sequence: 4, owner, remainingMs: 100 },
      { address: parseAddress("10.0.0.3"), sequence: 9, owner, remainingMs: 60_000 },
      { address: parseAddress("10.0.0.4"), sequence: 3, owner, remainingMs: 0 },
    ],
    nowMs: 0,
  });
  assert.deepEqual(
    [...pool.cooling()].map(({ sequence, untilMs }) => [sequence, untilMs]),
    [[9, 1000]],
  );
  assert.equal(pool.cursor().nextSequence, 10);
  assert.throws(
    () =>
      pool.restore({
        leases: [1, 2].map((sequence) => ({ ...lease, sequence })),
        cooling: [],
        nowMs: 0,
      }),
    /two leases of 10\.0\.0\.2 in network blue/,
  );
});

test("reconfigure() keeps what is held and gives by the new ranges", () => {
  const pool = poolOf({ subnet: "10.0.0.0/29" });
  const [kept] = allocate(pool, "a");
  const [released] = allocate(pool, "b");
  pool.release(released!, 0);
  pool.reconfigure(parseIpamConfig({ subnet: "10.0.0.0/30", gateway: null }, "ipam"));
  assert.deepEqual(allocate(pool, "a"), [kept]);
  assert.deepEqual(textOf(allocate(pool, "c")), ["10.0.0.1"]);
  assert.throws(() => allocate(pool, "d"), refusal("pool-empty", /IPv4/));
  pool.reconfigure(parseIpamConfig({ ranges: [[{ subnet: "fd00::/64" }]] }, "ipam"));
  assert.deepEqual(textOf(allocate(pool, "d")), ["fd00::2"]);
  assert.equal(pool.release(kept!, 0), true);
  pool.reconfigure(parseIpamConfig({ subnet: "10.0.0.0/29" }, "ipam"));
  assert.deepEqual(pool.counts(4, 0), { capacity: 5n, used: 0n, cooling: 2n, free: 3n });
});

test("a whole /64 gives 100000 addresses, half of it excluded, and forgets them again", () => {
  const json = { ranges: [[{ subnet: "fd00::/64", exclude: ["fd00::/65"] }]] };
  const pool = poolOf(json);
  assert.equal(pool.counts(6, 0).capacity, 1n << 63n);
  const leases = Array.from({ length: 100_000 }, (_, index) => allocate(pool, `${index}`)[0]!);
  assert.equal(formatAddress(leases[0]!.address), "fd00::8000:0:0:0");
  assert.equal(formatAddress(leases.at(-1)!.address), "fd00::8000:0:1:869f");
  assert.equal(new Set(leases.map(({ address }) => address.value)).size, leases.length);
  for (const lease of leases) assert.ok(pool.release(lease, 0));
  assert.deepEqual(textOf(allocate(pool, "next", { nowMs: COOLDOWN_MS })), ["fd00::8000:0:1:86a0"]);
  assert.deepEqual(pool.counts(6, COOLDOWN_MS), {
    capacity: 1n << 63n,
    used: 1n,
    cooling: 0n,
    free: (1n << 63n) - 1n,
  });
});

test("the last address of a whole /64 is followed by the first", () => {
  const pool = poolOf({ ranges: [[{ subnet: "fd00::/64" }]] });
  const last = "fd00::ffff:ffff:ffff:ffff";
  pool.restore({ leases: [], cooling: [], cursor: { nextSequence: 8, last6: last }, nowMs: 0 });
  assert.deepEqual(textOf(allocate(pool, "a")), ["fd00::2"]);
  assert.deepEqual(textOf(allocate(pool, "b", { requested: [parseAddress(last)] })), [last]);
});

test("release() remembers at most so many cooling addresses of a family", () => {
  const pool = poolOf({ ranges: [[{ subnet: "fd00::/64" }]] });
  const owner = ownerOf("a");
  for (let count = 0; count <= ipamLimits.coolingAddresses; count++) {
    pool.release(pool.allocate({ owner, nowMs: 0 })[0]!, 0);
  }
  assert.equal(pool.counts(6, 0).cooling, BigInt(ipamLimits.coolingAddresses));
});

test("transfer() gives an owner's leases to another, as they are, and nothing where there are none", () => {
  const pool = new Pool("net", parseIpamConfig({ subnet: "10.0.0.0/29" }, "ipam"));
  const owner = (attachmentId: string) => ({
    attachmentId,
    containerId: "",
    ifname: "",
    podUid: "",
  });
  const [lease] = pool.allocate({ owner: owner("a"), nowMs: 0 });
  assert.deepEqual(pool.transfer("a", owner("b")), [{ ...lease, owner: owner("b") }]);
  assert.deepEqual(pool.leasesOf("a"), []);
  assert.deepEqual(pool.leasesOf("b"), [{ ...lease, owner: owner("b") }]);
  assert.deepEqual(pool.transfer("a", owner("c")), []);
  assert.equal(pool.counts(4, 0).used, 1n);
});
