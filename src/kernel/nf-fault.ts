import type { NfFailure } from "./nf-protocol.ts";
import { failureOf, WorkerFault } from "./worker-fault.ts";

/** A failure inside the nfnetlink worker; see WorkerFault. */
export class NfFault extends WorkerFault {
  /** Set by commit: which run, and which record of it. */
  run: number | undefined;
  element: number | undefined;
}

export function nfFailureOf(error: unknown): NfFailure {
  const { errno, text } = failureOf(error);
  if (!(error instanceof NfFault) || error.run === undefined) return { errno, text };
  const { run, element } = error;
  return element === undefined ? { errno, text, run } : { errno, text, run, element };
}
