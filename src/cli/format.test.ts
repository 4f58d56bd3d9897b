import assert from "node:assert/strict";
import { it } from "node:test";
import { formatCount, formatDuration, formatNumber, formatTime } from "./format.ts";

it("formatDuration() gives the two largest units", () => {
  const table: readonly [number, string][] = [
    [-5, "0 s"],
    [999, "0 s"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [3_601_000, "1 h"],
    [90_061_000, "1 d 1 h"],
  ];
  for (const [milliseconds, text] of table) assert.equal(formatDuration(milliseconds), text);
});

it("formatCount() shortens what nobody would count", () => {
  assert.equal(formatCount("65534"), "65534");
  assert.equal(formatCount("18446744073709551615"), "1.84e19");
});

it("formatNumber() has a plural", () => {
  assert.equal(formatNumber(1, "lease"), "1 lease");
  assert.equal(formatNumber(0, "lease"), "0 leases");
});

it("formatTime() is the machine's local time", () => {
  const date = new Date(2026, 10, 21, 9, 5, 7);
  assert.equal(formatTime(date.getTime()), "2026-11-21 09:05:07");
});
