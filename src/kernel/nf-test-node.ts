import { execFileSync } from "node:child_process";
import { lastErrno, unshare } from "./libc.ts";
import { privateNodeSkip } from "./private-node-skip.ts";
import { CLONE_NEWNET } from "./rtnetlink-constants.ts";

/**
 * Moves this test process into a network namespace of its own: what it empties (`nft flush ruleset`)
 * is nobody else's. For threads and programs started from now on; so, before anything is opened.
 */
export function enterOwnNetns(): void {
  if (privateNodeSkip !== false) throw new Error(privateNodeSkip);
  if (unshare(CLONE_NEWNET) !== 0) throw new Error(`unshare: errno ${lastErrno()}`);
  execFileSync("ip", ["link", "set", "lo", "up"]);
}
