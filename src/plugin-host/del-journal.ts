import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { InvokeRequest__Output } from "../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { decodeInvokeRequest } from "../rpc/services.ts";
import type { DelJournal, DelJournalEntry } from "./core/ports.ts";
import { LIMITS } from "./limits.ts";

const ENTRY_NAME = /^[0-9a-f]{16}\.del$/;

/**
 * The kernel stamps files with the time of its last tick, up to 10 ms ago (HZ=100). Without this an
 * entry could seem older than the attachment that it ends.
 */
const CLOCK_TICK_MS = 10;

/** A temporary file of the shim: the entry's name between a dot and a process id. */
const ABANDONED_NAME = /^\.[0-9a-f]{16}\.del\.\d+$/;

/**
 * The folder into which the shim writes DELs while the host is away: one file for each, the bytes
 * of a patchbay.shim.v1.InvokeRequest (src/cni-shim/src/journal.rs).
 */
export class FolderDelJournal implements DelJournal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Removes what shims that were killed while writing left. Called before shims can be about. What
   * cannot be removed stays: it is nothing that a host must not start for.
   */
  async removeAbandoned(): Promise<void> {
    const names = await this.#list((name) => ABANDONED_NAME.test(name)).catch(() => []);
    await Promise.allSettled(names.map((name) => this.remove(name)));
  }

  async read(): Promise<readonly DelJournalEntry[]> {
    const found = await this.#list((name) => ENTRY_NAME.test(name));
    const names = found.slice(0, LIMITS.journalBatchMax);
    const entries = await Promise.all(names.map((name) => this.#readEntry(name)));
    return entries
      .filter((entry) => entry !== undefined)
      .sort((left, right) => left.writtenWallMs - right.writtenWallMs);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
  }

  async setAside(name: string): Promise<void> {
    const aside = join(this.#folder, "unreadable");
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await rename(join(this.#folder, name), join(aside, name));
  }

  async #list(fits: (name: string) => boolean): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter(fits);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  async #readEntry(name: string): Promise<DelJournalEntry | undefined> {
    try {
      const { bytes, mtimeMs } = await readSmallFile(join(this.#folder, name));
      return { name, writtenWallMs: mtimeMs + CLOCK_TICK_MS, request: findRequest(bytes) };
    } catch (error) {
      // The shim replaces entries by rename, an operator may delete them.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      // One bad entry must not keep the others from being replayed, or the host from starting.
      return { name, writtenWallMs: 0, request: undefined };
    }
  }
}

/** Undefined bytes: not a plain file, or too long for an entry. */
async function readSmallFile(
  path: string,
): Promise<{ bytes: Buffer | undefined; mtimeMs: number }> {
  // Nonblocking: the open of a FIFO would wait for its writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stat = await file.stat();
  const isEntry = stat.isFile() && stat.size <= LIMITS.journalEntryBytesMax;
  return { bytes: isEntry ? await file.readFile() : undefined, mtimeMs: stat.mtimeMs };
}

/** An empty message names no command, and is no request. */
function findRequest(bytes: Buffer | undefined): InvokeRequest__Output | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return decodeInvokeRequest(bytes);
  } catch {
    return undefined;
  }
}
