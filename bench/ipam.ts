import { parseAddress } from "../src/ip/address.ts";
import { parseIpamConfig } from "../src/ipam/config.ts";
import type { LeaseOwner } from "../src/ipam/lease.ts";
import { Pool } from "../src/ipam/pool.ts";
import type { BenchRow, Target } from "./rows.ts";

interface Case {
  readonly name: string;
  readonly json: unknown;
  readonly fill: Fill;
  /** Time between two pairs: it says how many addresses cool at any time. */
  readonly stepMs: number;
  readonly note: string;
  /** Runs only with --full: it needs 4 GB (--max-old-space-size=12000) and a minute. */
  readonly isHuge?: boolean;
}

/** Of `size` addresses from `from` on, so many in every hundred are held while the pairs run. */
interface Fill {
  readonly from: string;
  readonly size: number;
  readonly percent: number;
}

const TARGET: Target = { kind: "above", value: 500_000 };
const PAIRS_PER_ROUND = 200_000;
/** The best round counts: a machine that does other work besides only ever adds time. */
const ROUNDS = 9;
const OWNERS = 1000;
/** 120 s of cooldown over this is 300 addresses that cool. */
const CHURN_STEP_MS = 400;
const CHURN = "300 addresses cool at any time";
const PRESSURE = "nothing is free but what cools: the longest cooled is taken";

const subnet = (text: string): unknown => ({ ranges: [[{ subnet: text }]] });

const CASES: readonly Case[] = [
  ...fills("10.0.0.0/16", 65_533),
  ...fills("10.0.0.0/12", 1_048_573),
  ...fills("10.0.0.0/8", 16_777_213),
  {
    name: "fd00::/64, empty",
    json: subnet("fd00::/64"),
    fill: { from: "fd00::2", size: 0, percent: 0 },
    stepMs: CHURN_STEP_MS,
    note: CHURN,
  },
  {
    name: "fd00::/64, 1000000 held",
    json: subnet("fd00::/64"),
    fill: { from: "fd00::2", size: 100_000_000, percent: 1 },
    stepMs: CHURN_STEP_MS,
    note: CHURN,
  },
  {
    name: "10.0.0.0/16, pressure",
    json: subnet("10.0.0.0/16"),
    fill: { from: "10.0.0.2", size: 65_533, percent: 99 },
    stepMs: 0.01,
    note: PRESSURE,
  },
  {
    name: "dual stack, /16 and /64",
    json: undefined,
    fill: { from: "10.88.0.2", size: 0, percent: 0 },
    stepMs: CHURN_STEP_MS,
    note: `a pair gives and takes back both addresses; ${CHURN} in each family`,
  },
];

/** Pairs of allocate and release in one second, in memory, for pools small and huge, empty and full. */
export async function benchIpam(options: { full?: boolean } = {}): Promise<BenchRow[]> {
  const owners = Array.from({ length: OWNERS }, (_, index) => ownerOf(`bench/${index}`));
  warmUp(owners);
  const rows: BenchRow[] = [];
  for (const { isHuge, ...each } of CASES) {
    if (isHuge && !options.full) continue;
    rows.push(measure(each, owners));
    // Lets the event loop breathe, and the collector drop the pool.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rows;
}

function measure(
  { name, json, fill, stepMs, note }: Case,
  owners: readonly LeaseOwner[],
): BenchRow {
  const pool = filledPool(json, fill);
  const clock = { nowMs: 0, stepMs };
  const seconds = Array.from({ length: ROUNDS }, () => runPairs(pool, owners, clock));
  return {
    name: `ipam: allocate and release, ${name}`,
    ours: Math.round(PAIRS_PER_ROUND / Math.min(...seconds)),
    unit: "pairs/s",
    target: TARGET,
    note,
  };
}

/** Seconds that a round takes. */
function runPairs(
  pool: Pool,
  owners: readonly LeaseOwner[],
  clock: { nowMs: number; stepMs: number },
): number {
  const startMs = performance.now();
  for (let pair = 0; pair < PAIRS_PER_ROUND; pair++) {
    const nowMs = (clock.nowMs += clock.stepMs);
    const leases = pool.allocate({ owner: owners[pair % OWNERS]!, nowMs });
    for (const lease of leases) pool.release(lease, nowMs);
  }
  return (performance.now() - startMs) / 1000;
}

/** Held addresses come by adoption, many of them under one owner: the cheapest way to fill. */
function filledPool(json: unknown, { from, size, percent }: Fill): Pool {
  const pool = new Pool("bench", parseIpamConfig(json, "ipam"));
  const { family, value } = parseAddress(from);
  let owner = ownerOf("fill/0");
  for (let index = 0; index < size; index++) {
    if (index % 64 === 0) owner = ownerOf(`fill/${index}`);
    if (index % 100 >= percent) continue;
    pool.adopt({ family, value: value + BigInt(index) }, owner, 0);
  }
  return pool;
}

/** So that the first case is not the one that pays for the compiler. */
function warmUp(owners: readonly LeaseOwner[]): void {
  for (const json of [subnet("10.0.0.0/16"), subnet("fd00::/64"), undefined]) {
    runPairs(new Pool("warm-up", parseIpamConfig(json, "ipam")), owners, { nowMs: 0, stepMs: 1 });
  }
}

function fills(text: string, size: number): Case[] {
  return [1, 99].map((percent) => ({
    name: `${text}, ${percent} % full`,
    json: subnet(text),
    fill: { from: "10.0.0.2", size, percent },
    stepMs: CHURN_STEP_MS,
    note: CHURN,
    isHuge: size * percent > 1e9,
  }));
}

function ownerOf(attachmentId: string): LeaseOwner {
  return { attachmentId, containerId: "0123456789abcdef", ifname: "eth0", podUid: "" };
}

if (import.meta.main) {
  const rows = await benchIpam({ full: process.argv.includes("--full") });
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(rows.map(({ name, ours, unit }) => ({ name, value: ours, unit }))));
  } else {
    for (const { name, ours, unit, note } of rows) {
      console.log(`${name.padEnd(56)} ${String(ours).padStart(9)} ${unit}  ${note}`);
    }
  }
}
