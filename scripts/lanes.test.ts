import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCargo, parseTap, withExitCode } from "./lanes.ts";

const tap = `TAP version 13
# Subtest: a
ok 1 - a
# Subtest: suite
    # Subtest: needs a kernel
    ok 1 - needs a kernel # SKIP no macvlan here
    1..1
ok 2 - suite
1..2
# tests 9
# suites 1
# pass 4
# fail 2
# cancelled 1
# skipped 1
# todo 1
`;

const cargo = `running 3 tests
test a::b ... ok
test slow ... ignored, takes an hour
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.2s
`;

describe("parseTap()", () => {
  it("reads the summary; cancelled is failed, todo is skipped", () => {
    assert.deepEqual(parseTap(tap), {
      passed: 4,
      failed: 3,
      skipped: 2,
      skips: ["needs a kernel: no macvlan here"],
    });
  });
});

describe("parseCargo()", () => {
  it("adds up all test programs", () => {
    assert.deepEqual(parseCargo(cargo), {
      passed: 7,
      failed: 1,
      skipped: 1,
      skips: ["slow: takes an hour"],
    });
  });
});

describe("withExitCode()", () => {
  const none = { passed: 0, failed: 0, skipped: 0, skips: [] };
  it("is a failure when no test ran", () => {
    assert.equal(withExitCode(none, 0).failed, 1);
  });
  it("is a failure when the program failed though its tests passed", () => {
    assert.equal(withExitCode({ ...none, passed: 3 }, 1).failed, 1);
  });
  it("counts a failed test once", () => {
    assert.equal(withExitCode({ ...none, passed: 3, failed: 2 }, 1).failed, 2);
  });
});
