import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planWrite, rememberWrite, type WriteMemory, type WritePlan } from "./rewrites.ts";

const HOUR = 3_600_000;

/** Writes of "a" at these times. */
function memoryOf(...timesMs: readonly number[]): WriteMemory | undefined {
  let memory: WriteMemory | undefined;
  for (const timeMs of timesMs) memory = rememberWrite(memory, "a", timeMs);
  return memory;
}

const MANY = [0, 20_000, 40_000, 60_000];

const CASES: readonly {
  readonly name: string;
  readonly observed: string | undefined;
  readonly memory?: WriteMemory | undefined;
  readonly nowMs: number;
  readonly plan: WritePlan;
}[] = [
  { name: "what is there", observed: "a", nowMs: 0, plan: { kind: "settled" } },
  { name: "what is missing", observed: undefined, nowMs: 0, plan: { kind: "write" } },
  { name: "what says otherwise", observed: "b", nowMs: 0, plan: { kind: "write" } },
  {
    name: "what the watch does not show yet",
    observed: undefined,
    memory: memoryOf(1_000),
    nowMs: 1_500,
    plan: { kind: "wait", untilMs: 11_000 },
  },
  {
    name: "what was undone",
    observed: undefined,
    memory: memoryOf(1_000),
    nowMs: 11_000,
    plan: { kind: "write" },
  },
  {
    name: "what is undone again and again",
    observed: undefined,
    memory: memoryOf(...MANY),
    nowMs: 80_000,
    plan: { kind: "fought", untilMs: HOUR },
  },
  {
    name: "what was undone again and again an hour ago",
    observed: undefined,
    memory: memoryOf(...MANY),
    nowMs: HOUR,
    plan: { kind: "write" },
  },
  {
    name: "what was another text when it was undone",
    observed: "a",
    memory: rememberWrite(memoryOf(...MANY), "b", 60_000),
    nowMs: 80_000,
    plan: { kind: "settled" },
  },
];

describe("planWrite()", () => {
  for (const { name, observed, memory, nowMs, plan } of CASES) {
    it(`of ${name} says ${plan.kind}`, () => {
      assert.deepEqual(planWrite({ wanted: "a", observed, memory, nowMs }), plan);
    });
  }
});

describe("rememberWrite()", () => {
  it("begins a new hour with another text, and after an hour", () => {
    assert.equal(memoryOf(...MANY)?.writes, 4);
    assert.equal(rememberWrite(memoryOf(...MANY), "b", 70_000).writes, 1);
    assert.deepEqual(memoryOf(...MANY, HOUR), {
      text: "a",
      writtenMs: HOUR,
      sinceMs: HOUR,
      writes: 1,
    });
  });
});
