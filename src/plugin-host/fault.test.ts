import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { STEP_NAMES } from "./core/steps.ts";
import { faultFromEnvironment } from "./fault.ts";

test("faultFromEnvironment() does nothing where nothing is asked for", () => {
  assert.equal(faultFromEnvironment(undefined), undefined);
  assert.equal(faultFromEnvironment(""), undefined);
});

test("faultFromEnvironment() refuses a step that does not exist, and names those that do", () => {
  assert.throws(
    () => faultFromEnvironment("add.recorde"),
    (error) =>
      error instanceof RangeError && STEP_NAMES.every((step) => error.message.includes(step)),
  );
});

test("faultFromEnvironment() passes over other steps", () => {
  const onStep = faultFromEnvironment("add.recorded");
  for (const step of STEP_NAMES.filter((step) => step !== "add.recorded")) onStep?.(step);
});

for (const [text, survived] of [
  ["add.recorded", 0],
  ["add.recorded:1", 0],
  ["add.recorded:3", 2],
] as const) {
  test(`PATCHBAY_FAULT=${text} kills the process after ${survived} times, before the next line`, () => {
    const script = `
      import { faultFromEnvironment } from ${JSON.stringify(join(import.meta.dirname, "fault.ts"))};
      import { writeSync } from "node:fs";
      const onStep = faultFromEnvironment(${JSON.stringify(text)});
      for (;;) { onStep("add.recorded"); writeSync(1, "survived\\n"); }
    `;
    const args = ["--input-type=module", "--eval", script];
    const { signal, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(signal, "SIGKILL");
    assert.equal(stdout, "survived\n".repeat(survived));
  });
}
