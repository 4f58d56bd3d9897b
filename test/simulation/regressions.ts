/** An episode that failed once, and what it found. */
export interface Regression {
  readonly seed: number;
  readonly episode: number;
  /** The invariant that it broke. */
  readonly invariant: string;
  readonly found: string;
}

/**
 * Episodes that break without the fix beside them. When the simulator changes, the same seed gives
 * another course of events: then find a new one by taking the fix back.
 */
export const REGRESSIONS: readonly Regression[] = [
  {
    seed: 11,
    episode: 0,
    invariant: "nothing attached without a record",
    found:
      "Two Attach calls of one attachment overlapped after a deadline; Detach waited for the younger " +
      "only, and the older one made the link anew. Calls past their deadline were not waited for by " +
      "Attach at all, so that a late Detach cut off a living pod (core/plugin-calls.ts).",
  },
  {
    seed: 11,
    episode: 274,
    invariant: "a living pod is never freed",
    found:
      "A DEL was journaled, could not be replayed while the disk was full, the pod was added again " +
      "and had its answer, then the DEL was replayed (attachAgain in core/add.ts).",
  },
  {
    seed: 11,
    episode: 2,
    invariant: "answers are valid CNI",
    found:
      "A kernel or plugin that failed while it was only looked at made ADD, CHECK and STATUS answer " +
      "INTERNAL, as if the host had a bug (core/netns.ts, core/check.ts, core/status.ts).",
  },
  {
    seed: 11,
    episode: 62,
    invariant: "a repeated ADD answers the same",
    found:
      "After the network's configuration named another plugin, a repeated ADD went to the new one " +
      "with the attachment of the old one (attachAgain in core/add.ts).",
  },
  {
    seed: 686467673,
    episode: 8,
    invariant: "CHECK of a living pod finds no drift",
    found:
      "Another pod's ADD brought a configuration without masquerade while CHECK looked for the table " +
      "that it removed (core/check.ts).",
  },
  {
    seed: 1125043665,
    episode: 56,
    invariant: "CHECK of a living pod finds no drift",
    found:
      "CHECK took a network whose detach from the running pod had failed half-way for drift of the " +
      "pod, which the runtime would have killed for it (core/check.ts).",
  },
  {
    seed: 4,
    episode: 58,
    invariant: "CHECK of a living pod finds no drift",
    found:
      "ADD again of a pod of an older configuration, which did not masquerade, took the table away that " +
      "pods of the newer one need: Attach is told the network's wish of today (core/attach.ts).",
  },
];
