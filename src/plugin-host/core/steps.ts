/**
 * The steps of each verb, in order. A step is reached when everything before it is done: it ends
 * a bucket of the metrics' histogram, and it is a fault point where tests kill the host.
 */
export const STEPS = {
  ADD: [
    "add.admitted",
    "add.planned",
    "add.recorded",
    "add.attached",
    "add.published",
    "add.confirmed",
  ],
  DEL: ["del.admitted", "del.marked", "del.detached", "del.released"],
  ROLLBACK: ["rollback.detached", "rollback.released"],
} as const;

export type StepName = (typeof STEPS)[keyof typeof STEPS][number];

/** Every step by name. */
export const STEP_NAMES: readonly StepName[] = Object.values(STEPS).flat();
