import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Puts a file in place so that whoever looks sees the old or the new one, whole, whatever happens:
 * written beside it, made durable, renamed over it. A running program keeps its file ("text busy"
 * does not arise). The same bytes and mode: nothing is written.
 */
export function placeFile(
  target: string,
  content: Uint8Array,
  mode: number,
): "new" | "replaced" | "unchanged" {
  const before = existsSync(target) ? "replaced" : "new";
  if (before === "replaced" && isSame(target, content, mode)) return "unchanged";
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    writeDurably(temporary, content, mode);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(target));
  return before;
}

/** Removes a file; absent is success. */
export function removeFile(target: string): "removed" | "absent" {
  if (!existsSync(target)) return "absent";
  rmSync(target);
  syncFolder(dirname(target));
  return "removed";
}

/** What placeFile() left behind when it was killed: paths of temporary files whose process is gone. */
export function findAbandoned(target: string): string[] {
  const folder = dirname(target);
  if (!existsSync(folder)) return [];
  const prefix = `.${basename(target)}.`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^\d+\.tmp$/.test(name.slice(prefix.length)))
    .filter((name) => !existsSync(`/proc/${Number.parseInt(name.slice(prefix.length), 10)}`))
    .map((name) => join(folder, name));
}

function isSame(target: string, content: Uint8Array, mode: number): boolean {
  return (statSync(target).mode & 0o777) === mode && readFileSync(target).equals(content);
}

function writeDurably(file: string, content: Uint8Array, mode: number): void {
  const descriptor = openSync(file, "w", mode);
  try {
    let offset = 0;
    while (offset < content.length) offset += writeSync(descriptor, content, offset);
    // The umask may have taken bits away.
    chmodSync(file, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
