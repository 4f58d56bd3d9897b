import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkOperation } from "../../src/kernel/operation-check.ts";
import { describeBucket, planBucket, sameBucket } from "./bucket.ts";

const TABLE: readonly (readonly [
  what: string,
  rateBits: number,
  burstBits: number,
  mtu: number,
  expected: string,
])[] = [
  [
    "a default burst of 4 ms",
    1e9,
    0,
    1500,
    "1000000000 bit/s, burst 500000 bytes, queue 3256072 bytes",
  ],
  [
    "a default burst of ten packets at least",
    1e7,
    0,
    1500,
    "10000000 bit/s, burst 15180 bytes, queue 46430 bytes",
  ],
  [
    "a burst that is given",
    1e7,
    800_000,
    1500,
    "10000000 bit/s, burst 100000 bytes, queue 131250 bytes",
  ],
  [
    "a burst below two packets",
    1e7,
    8,
    1500,
    "10000000 bit/s, burst 3036 bytes, queue 34286 bytes",
  ],
  // What containerd writes where the pod names a rate alone.
  [
    "a burst of 32 bits",
    1e6,
    0xffff_ffff,
    1500,
    "1000000 bit/s, burst 31250000 bytes, queue 134197 bytes",
  ],
  ["the slowest rate", 1000, 0, 1500, "1000 bit/s, burst 15180 bytes, queue 15183 bytes"],
  [
    "the fastest rate",
    1e15,
    0,
    9000,
    "1000000000000000 bit/s, burst 4294967295 bytes, queue 4294967295 bytes",
  ],
];

for (const [what, rateBits, burstBits, mtu, expected] of TABLE) {
  test(`planBucket() has ${what}`, () => {
    assert.equal(describeBucket(planBucket({ rateBits, burstBits, mtu })), expected);
  });
}

test("planBucket() makes what the kernel takes and tells of, and room for a packet", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 1e15 }),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 68, max: 65_535 }),
      (rateBits, burstBits, mtu) => {
        const bucket = planBucket({ rateBits, burstBits, mtu });
        checkOperation({ kind: "add-qdisc", link: "x", qdisc: bucket });
        assert.ok(bucket.burstBytes >= mtu + 18);
        assert.ok(bucket.limitBytes >= mtu + 18);
        assert.ok(sameBucket(bucket, bucket));
        const faster = { ...bucket, rateBytesPerSecond: bucket.rateBytesPerSecond + 1 };
        assert.ok(!sameBucket(bucket, faster));
        assert.ok(!sameBucket(bucket, undefined));
      },
    ),
  );
});
