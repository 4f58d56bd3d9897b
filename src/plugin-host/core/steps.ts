/**
 * The steps of each verb, in order; "add.joined", "del.detached" and "del.released" once for each network.
 * PLUG is the attachment of a running pod to one more network; taking it away is a DEL. A step is reached
 * when everything before it is done: it ends a bucket of the metrics' histogram, and it is a fault point where tests kill the host.
 */
export const STEPS = {
  ADD: [
    "add.admitted",
    "add.planned",
    "add.recorded",
    "add.joined",
    "add.attached",
    "add.published",
    "add.confirmed",
  ],
  PLUG: [
    "plug.admitted",
    "plug.planned",
    "plug.recorded",
    "plug.attached",
    "plug.published",
    "plug.confirmed",
  ],
  DEL: ["del.admitted", "del.marked", "del.detached", "del.released"],
  ROLLBACK: ["rollback.detached", "rollback.released"],
} as const;

export type StepName = (typeof STEPS)[keyof typeof STEPS][number];

/** Every step by name. */
export const STEP_NAMES: readonly StepName[] = Object.values(STEPS).flat();
