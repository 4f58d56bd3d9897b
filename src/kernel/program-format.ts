/**
 * What apply() sends to the worker: finished netlink messages, and numbers that say what is to be
 * done around them. Encoding on the main thread keeps the worker small, and costs no more
 * than a structured clone of the operations would.
 *
 * `code` is read from left to right:
 *   batch:    string index of the namespace path or -1, number of steps, then the steps
 *   message:  STEP_MESSAGE, operation, start, end, tolerated errors (isTolerated()),
 *             name learnt from the echo or -1, peer's name or -1, peer's namespace or -1,
 *             number of references, then for each: offset, string index, REFERENCE_*
 *   sysctl:   STEP_SYSCTL, operation, string index of the path below /proc/sys, of the value
 * `operation` counts over all batches.
 */
export interface ApplyProgram {
  readonly bytes: Uint8Array;
  readonly code: Int32Array;
  readonly strings: readonly string[];
}

export const STEP_MESSAGE = 1;
export const STEP_SYSCTL = 2;
export const REFERENCE_LINK = 1;
export const REFERENCE_NETNS = 2;

/** Whether an errno is one of those packed by toleratedErrors(). */
export function isTolerated(tolerated: number, value: number): boolean {
  for (let rest = tolerated; rest !== 0; rest >>>= 8) if ((rest & 0xff) === value) return true;
  return false;
}
