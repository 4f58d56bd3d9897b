import { STEP_NAMES, type StepName } from "./core/steps.ts";

/**
 * Kills this process with SIGKILL at a step, for tests: "add.recorded" at the first time,
 * "add.recorded:3" at the third. Undefined when nothing is asked for. Throws RangeError for a step
 * that does not exist.
 */
export function faultFromEnvironment(
  text: string | undefined,
): ((step: StepName) => void) | undefined {
  if (!text) return undefined;
  const [name = "", times = "1"] = text.split(":");
  if (!STEP_NAMES.some((step) => step === name)) {
    throw new RangeError(`PATCHBAY_FAULT names no step: ${name}; known: ${STEP_NAMES.join(", ")}`);
  }
  let left = Number(times);
  return (step) => {
    if (step !== name || --left > 0) return;
    process.kill(process.pid, "SIGKILL");
    // The signal is delivered before kill returns to user code, or never will be: stop here.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}
