import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  statSync,
} from "node:fs";

/** What a file is, without reading it: changes when it is written or replaced. */
export type FileIdentity = string & { readonly __brand: "FileIdentity" };

export type ReadFile =
  | { readonly kind: "absent" }
  /** Not readable as text; `identity` to know when to look again. */
  | { readonly kind: "refused"; readonly identity: FileIdentity; readonly message: string }
  | {
      readonly kind: "text";
      readonly identity: FileIdentity;
      readonly text: string;
      readonly bytes: number;
      /** Of the content. */
      readonly digest: string;
    };

/**
 * Reads a file of the folder. At once and not in the thread pool: that would take longer than
 * reading a small file does, which is in the page cache when somebody has just written it.
 */
export function readFile(path: string, options: { readonly bytesMax: number }): ReadFile {
  let descriptor: number;
  try {
    // Not opened at all when it is a FIFO or a device: opening those can do something.
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return { kind: "absent" };
    if (!stat.isFile()) return refused(stat, "is not a plain file");
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return failed(error);
  }
  try {
    return readOpen(descriptor, options.bytesMax);
  } catch (error) {
    return failed(error);
  } finally {
    closeSync(descriptor);
  }
}

/** undefined: no such file, or none that can be looked at. */
export function identify(path: string): FileIdentity | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat && identityOf(stat);
  } catch {
    return undefined;
  }
}

function readOpen(descriptor: number, bytesMax: number): ReadFile {
  const stat = fstatSync(descriptor, { bigint: true });
  if (!stat.isFile()) return refused(stat, "is not a plain file");
  if (stat.size > bytesMax) {
    return refused(stat, `has ${stat.size} bytes, expected at most ${bytesMax}`);
  }
  // It may grow while it is read: one byte more than it had shows that.
  const buffer = Buffer.allocUnsafe(Number(stat.size) + 1);
  let bytes = 0;
  for (;;) {
    const count = readSync(descriptor, buffer, bytes, buffer.length - bytes, null);
    bytes += count;
    if (count === 0 || bytes === buffer.length) break;
  }
  const content = buffer.subarray(0, bytes);
  if (!isUtf8(content)) return refused(stat, "is not UTF-8 text");
  const text = content.toString("utf8");
  return {
    kind: "text",
    identity: identityOf(stat),
    text: text.startsWith("\ufeff") ? text.slice(1) : text,
    bytes,
    digest: hash("sha1", content, "base64url"),
  };
}

function refused(stat: BigIntStats, message: string): ReadFile {
  return { kind: "refused", identity: identityOf(stat), message };
}

function failed(error: unknown): ReadFile {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
  const identity = (code ?? "unreadable") as FileIdentity;
  return { kind: "refused", identity, message: `cannot be read: ${code ?? String(error)}` };
}

function identityOf(stat: BigIntStats): FileIdentity {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` as FileIdentity;
}
