import type { NetnsPath } from "../../kernel/kernel.ts";
import { type ErrorCode, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { HostContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";

/**
 * "device:inode" of the network namespace at the path; undefined when none is there. Throws the
 * code given when nobody can say, DEADLINE_EXCEEDED when nobody does.
 */
export async function identifyNetns(
  context: HostContext,
  path: NetnsPath,
  onFailure: ErrorCode,
): Promise<string | undefined> {
  const { netns, clock } = context.ports;
  const what = `Looking at network namespace ${path}`;
  try {
    const limitMs = LIMITS.checkMs;
    const identity = await withDeadline(netns.identify(path), { clock, limitMs, what });
    return identity && `${identity.device}:${identity.inode}`;
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    throw new PatchbayError(onFailure, `${what} failed`, { cause });
  }
}
