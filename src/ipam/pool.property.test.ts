import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Family, IpAddress } from "../ip/address.ts";
import { type FamilyPolicy, parseIpamConfig } from "./config.ts";
import { IpamError } from "./ipam-error.ts";
import type { Lease } from "./lease.ts";
import { Pool } from "./pool.ts";
import { type ModelConfig, type ModelLease, type ModelResult, PoolModel } from "./pool-model.ts";

const BASE: Readonly<Record<Family, bigint>> = { 4: 0x0a00_0000n, 6: 0xfd00n << 112n };

const span = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Small on purpose: pressure, wrap-around and full pools must happen all the time. */
const CONFIGS: readonly ModelConfig[] = [
  {
    json: {
      ranges: [
        [{ subnet: "10.0.0.0/29", reserved: ["10.0.0.4"] }, { subnet: "10.0.0.32/30" }],
        [{ subnet: "fd00::/125" }],
      ],
      cooldownSeconds: 1,
    },
    families: [4, 6],
    policy: "RequireDual",
    cooldownMs: 1000,
    order: { 4: [2, 3, 5, 6, 34], 6: span(2, 7) },
  },
  {
    json: {
      ranges: [
        [{ subnet: "fd00::8/126", gateway: null }],
        [
          { subnet: "10.0.0.32/28", rangeStart: "10.0.0.40" },
          { subnet: "10.0.0.0/28", exclude: ["10.0.0.3-10.0.0.5"], gateway: "10.0.0.14" },
        ],
      ],
      policy: "PreferDual",
      cooldownSeconds: 2,
    },
    families: [6, 4],
    policy: "PreferDual",
    cooldownMs: 2000,
    order: { 4: [...span(40, 46), 1, 2, ...span(6, 13)], 6: [9, 10, 11] },
  },
  {
    json: { subnet: "10.0.0.0/31", cooldownSeconds: 1 },
    families: [4],
    policy: "Single",
    cooldownMs: 1000,
    order: { 4: [0, 1], 6: [] },
  },
  {
    json: {
      ranges: [[{ subnet: "10.0.0.0/29" }], [{ subnet: "fd00::/127" }]],
      cooldownSeconds: 0,
      policy: "Single",
    },
    families: [4, 6],
    policy: "Single",
    cooldownMs: 0,
    order: { 4: span(2, 6), 6: [0, 1] },
  },
];

interface RequestedNumber {
  family: Family;
  address: number;
}

type Step =
  | {
      kind: "allocate";
      attachment: number;
      requested: RequestedNumber[];
      policy: FamilyPolicy | undefined;
      isCancelled: boolean;
    }
  | { kind: "release"; pick: number }
  | { kind: "release again"; pick: number }
  | { kind: "adopt"; attachment: number; family: Family; address: number }
  | { kind: "wait"; ms: number }
  | { kind: "restart" }
  | { kind: "reconfigure"; config: number };

const anyFamily = fc.constantFrom<Family>(4, 6);
const anyNumber = fc.nat(47);
const anyAttachment = fc.nat(14);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("allocate" as const),
      attachment: anyAttachment,
      requested: fc.oneof(
        { weight: 3, arbitrary: fc.constant<RequestedNumber[]>([]) },
        {
          weight: 1,
          arbitrary: fc.array(fc.record({ family: anyFamily, address: anyNumber }), {
            maxLength: 2,
          }),
        },
      ),
      policy: fc.oneof(
        { weight: 5, arbitrary: fc.constant(undefined) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<FamilyPolicy>("RequireDual", "PreferDual", "Single"),
        },
      ),
      isCancelled: fc.oneof(
        { weight: 5, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("release" as const), pick: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("release again" as const), pick: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("adopt" as const),
      attachment: anyAttachment,
      family: anyFamily,
      address: anyNumber,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(900) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("reconfigure" as const),
      config: fc.nat(CONFIGS.length - 1),
    }),
  },
);

test("Pool does what the model does over random steps", () => {
  fc.assert(
    fc.property(
      fc.nat(CONFIGS.length - 1),
      fc.array(step, { maxLength: 150, size: "max" }),
      (start, steps) => {
        const harness = new Harness(CONFIGS[start]!);
        for (const next of steps) harness.run(next);
        harness.finish();
      },
    ),
    { numRuns: 2000 },
  );
});

/** Runs each step on a pool and on the model, and compares the two after it. */
class Harness {
  readonly #model: PoolModel;
  #pool: Pool;
  /** The pool's clock starts anew with each restart, as a monotonic one does. */
  #clockStart = 0;
  readonly #history: ModelLease[] = [];

  constructor(config: ModelConfig) {
    this.#model = new PoolModel(config);
    this.#pool = new Pool("blue", parseIpamConfig(config.json, "ipam"));
  }

  run(next: Step): void {
    switch (next.kind) {
      case "allocate":
        this.#allocate(next);
        break;
      case "release":
        if (this.#model.held.length > 0) {
          this.#release(this.#model.held[next.pick % this.#model.held.length]!);
        }
        break;
      case "release again":
        if (this.#history.length > 0) {
          this.#release(this.#history[next.pick % this.#history.length]!);
        }
        break;
      case "adopt":
        this.#adopt(next);
        break;
      case "wait":
        this.#model.step(next.ms);
        break;
      case "restart":
        this.#restart();
        break;
      case "reconfigure": {
        const config = CONFIGS[next.config]!;
        this.#pool.counts(4, this.#nowMs);
        this.#model.reconfigure(config);
        this.#pool.reconfigure(parseIpamConfig(config.json, "ipam"));
        break;
      }
    }
    this.#compare();
  }

  /** Every release frees in the end. */
  finish(): void {
    for (const lease of [...this.#model.held]) this.#release(lease);
    this.#model.step(10_000);
    this.#compare();
    for (const family of [4, 6] as const) {
      const counts = this.#pool.counts(family, this.#nowMs);
      assert.equal(counts.free, counts.capacity);
    }
  }

  get #nowMs(): number {
    return this.#model.now - this.#clockStart;
  }

  #allocate({ attachment, requested, policy, isCancelled }: Step & { kind: "allocate" }): void {
    const owner = ownerOf(`a${attachment}`);
    const isHeld = this.#pool.leasesOf(owner.attachmentId).length > 0;
    const expected = this.#model.allocate(owner.attachmentId, requested, policy);
    let leases: Lease[] = [];
    const actual = resultOf(() => {
      leases = this.#pool.allocate({
        owner,
        requested: requested.map((request) => toAddress(request.family, request.address)),
        ...(policy && { policy }),
        nowMs: this.#nowMs,
      });
      return leases;
    });
    assert.deepEqual(actual, expected);
    this.#history.push(...leases.map(toModelLease));
    if (isCancelled && !isHeld && expected.kind === "given") {
      this.#model.cancel();
      this.#pool.cancel(leases);
    }
  }

  #release(lease: ModelLease): void {
    const { sequence } = lease;
    const isReleased = this.#pool.release(
      { address: toAddress(lease.family, lease.address), sequence },
      this.#nowMs,
    );
    assert.equal(isReleased, this.#model.release(lease));
  }

  #adopt({ attachment, family, address }: Step & { kind: "adopt" }): void {
    const owner = ownerOf(`a${attachment}`);
    const expected = this.#model.adopt(family, address, owner.attachmentId);
    const adopted = toAddress(family, address);
    const actual = resultOf(() => [this.#pool.adopt(adopted, owner, this.#nowMs)]);
    assert.deepEqual(actual, expected);
  }

  #restart(): void {
    this.#pool.counts(4, this.#nowMs);
    const leases = JSON.parse(JSON.stringify([...this.#pool.leases()], bigintToText), textToBigint);
    const cooling = [...this.#pool.cooling()].map((entry) => ({
      address: entry.address,
      sequence: entry.sequence,
      owner: entry.lastOwner,
      remainingMs: entry.untilMs - this.#nowMs,
    }));
    const cursor = JSON.parse(JSON.stringify(this.#pool.cursor()));
    const before = [...this.#pool.leases()];
    this.#clockStart = this.#model.now - 7;
    this.#pool = new Pool("blue", this.#pool.config);
    this.#pool.restore({ leases, cooling, cursor, nowMs: this.#nowMs });
    assert.deepEqual([...this.#pool.leases()], before);
    assert.deepEqual(this.#pool.cursor(), cursor);
  }

  #compare(): void {
    for (const family of [4, 6] as const) {
      assert.deepEqual(this.#pool.counts(family, this.#nowMs), this.#model.counts(family));
    }
    const leases = [...this.#pool.leases()];
    const bySequence = (one: ModelLease, other: ModelLease): number =>
      one.sequence - other.sequence;
    assert.deepEqual(
      leases.map(toModelLease).toSorted(bySequence),
      this.#model.held.toSorted(bySequence),
    );
    const addresses = leases.map((lease) => lease.address.value);
    assert.equal(new Set(addresses).size, addresses.length, "an address has two owners");
    assert.deepEqual(
      [...this.#pool.cooling()]
        .map(({ sequence, untilMs }) => [sequence, untilMs])
        .toSorted(compare),
      this.#model.cooling
        .map(({ sequence, releasedAt }) => [
          sequence,
          releasedAt + this.#model.config.cooldownMs - this.#clockStart,
        ])
        .toSorted(compare),
    );
    assert.equal(this.#pool.cursor().nextSequence, this.#model.nextSequence);
  }
}

function compare(one: number[], other: number[]): number {
  return one[0]! - other[0]!;
}

function ownerOf(attachmentId: string): Lease["owner"] {
  return { attachmentId, containerId: `c-${attachmentId}`, ifname: "eth0", podUid: "" };
}

function toAddress(family: Family, number: number): IpAddress {
  return { family, value: BASE[family] + BigInt(number) };
}

function toModelLease({ address: { family, value }, sequence, owner }: Lease): ModelLease {
  const number = Number(value - BASE[family]);
  return { family, address: number, attachment: owner.attachmentId, sequence };
}

function resultOf(call: () => Lease[]): ModelResult {
  try {
    return { kind: "given", leases: call().map(toModelLease) };
  } catch (error) {
    if (!(error instanceof IpamError)) throw error;
    const isOutside = error.code === "address-outside" || error.code === "address-reserved";
    return { kind: "refused", code: isOutside ? "not given out" : error.code };
  }
}

function bigintToText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `bigint ${value}` : value;
}

function textToBigint(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.startsWith("bigint ") ? BigInt(value.slice(7)) : value;
}
