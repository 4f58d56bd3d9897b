import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { say } from "./step.js";

/**
 * Waits until no other set-up holds the lock file, and returns what releases it. The lock is
 * flock(2)'s on the open file, which util-linux's `flock` takes on a descriptor that it shares with
 * this process: the kernel drops it when this process ends, however it ends, so it is never stale.
 * The file holds the owner's pid, for people. Without `flock` there is no lock.
 */
export function acquireLock(file, subject) {
  const descriptor = openSync(file, "a+");
  const flock = (...options) =>
    spawnSync("flock", [...options, "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  const first = flock("--exclusive", "--nonblock");
  if (first.status === 1) {
    say(`Waiting for another set-up of ${subject} (pid ${readFileSync(file, "utf8").trim()})`);
    flock("--exclusive");
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`);
  return () => closeSync(descriptor);
}
