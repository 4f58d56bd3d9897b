import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostEvent } from "./core/ports.ts";
import { EventLog, type TimedEvent } from "./event-log.ts";

function event(subject: string): HostEvent {
  return { kind: "attached", subject, message: "" };
}

function subjects(events: readonly TimedEvent[]): string[] {
  return events.map(({ subject }) => subject);
}

test("EventLog keeps the last events, oldest first, with their times", () => {
  let now = 100;
  const log = new EventLog({ max: 3, now: () => now++ });
  for (const subject of ["a", "b", "c", "d"]) log.emit(event(subject));
  assert.deepEqual(subjects(log.last(10)), ["b", "c", "d"]);
  assert.deepEqual(subjects(log.last(2)), ["c", "d"]);
  assert.deepEqual(log.last(0), []);
  assert.deepEqual(
    log.last(10).map(({ timeMs }) => timeMs),
    [101, 102, 103],
  );
});

test("EventLog tells listeners until they have enough", () => {
  const log = new EventLog({ max: 3, now: () => 0 });
  const heard: string[] = [];
  const stop = log.listen(({ subject }) => heard.push(`one ${subject}`));
  const stopOther = log.listen(({ subject }) => {
    heard.push(`other ${subject}`);
    stopOther();
  });
  log.emit(event("a"));
  log.emit(event("b"));
  stop();
  stop();
  log.emit(event("c"));
  assert.deepEqual(heard, ["one a", "other a", "one b"]);
});

test("EventLog keeps no more of a message than a person reads", () => {
  const log = new EventLog({ max: 3, now: () => 0 });
  log.emit({ ...event("a"), message: "x".repeat(1_000_000) });
  assert.equal(log.last(1)[0]?.message, `${"x".repeat(4_093)}...`);
});

test("EventLog tells what each round says again once in ten minutes, and all else each time", () => {
  let now = 0;
  const log = new EventLog({ max: 100, now: () => now });
  const rounds = 130;
  for (let round = 0; round < rounds; round++) {
    now += 10_000;
    log.emit({ kind: "reconcile-failed", subject: "blue", message: "no parent" });
    log.emit({ kind: "reconcile-failed", subject: "red", message: "no parent" });
    if (round % 50 === 0)
      log.emit({ kind: "attach-failed", subject: "blue", message: "no parent" });
  }
  const told = log.last(100).map(({ kind, subject }) => `${kind} ${subject}`);
  assert.deepEqual(told.toSorted(), [
    ...Array.from({ length: 3 }, () => "attach-failed blue"),
    ...Array.from({ length: 3 }, () => "reconcile-failed blue"),
    ...Array.from({ length: 3 }, () => "reconcile-failed red"),
  ]);
});
