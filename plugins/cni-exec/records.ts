import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import type { AttachmentArgs } from "./plan.ts";
import type { CniResult } from "./result.ts";

/** What is remembered of an attachment from before its first execution until its DEL succeeded. */
export interface AttachmentFile {
  readonly attachmentId: string;
  /** Name of the network in Patchbay. */
  readonly network: string;
  /** Name of the CNI network: other definitions may have the same one. */
  readonly cniName: string;
  /** "bridge+portmap" */
  readonly chain: string;
  /** Exactly as at ADD. */
  readonly configJson: string;
  readonly args: AttachmentArgs;
  /** "device:inode" of the pod's namespace. */
  readonly netnsIdentity: string;
  /** How many members of the chain, from the first, an ADD was begun for. */
  readonly begun: number;
  /** Members that a DEL has removed already: not every plugin takes a second one for success. */
  readonly removed: readonly number[];
  /** DELs that failed, by the member's index. Absent: none. */
  readonly failed?: Readonly<Record<number, number>>;
  /** True: made by a DEL of which nothing was remembered; what it says of the ADD is assumed. */
  readonly isAssumed?: boolean;
  /** Absent: the ADD has not come to its end. */
  readonly done?: { readonly result: CniResult; readonly response: AttachResponse };
}

/** The part that is kept in memory. */
export type AttachmentEntry = Pick<
  AttachmentFile,
  "attachmentId" | "network" | "cniName" | "chain"
> & { readonly sandboxId: string; readonly ifname: string };

/**
 * A file for each attachment, replaced by rename. Nothing is synced to disk: the page cache
 * survives kill -9, and after a power loss no pod of before is there (docs/decisions/0017).
 */
export class AttachmentRecords {
  readonly #folder: string;
  readonly #entries = new Map<string, AttachmentEntry>();
  readonly #seen = new Set<string>();
  #isOpen = false;
  #isComplete = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Every attachment that is remembered. */
  entries(): readonly AttachmentEntry[] {
    this.#open();
    return [...this.#entries.values()];
  }

  /** Undefined: it is not remembered, or its file is no record any more. */
  find(attachmentId: string): AttachmentFile | undefined {
    this.#open();
    if (!this.#entries.has(attachmentId)) return undefined;
    return this.#read(fileNameOf(attachmentId));
  }

  has(attachmentId: string): boolean {
    this.#open();
    return this.#entries.has(attachmentId);
  }

  /** Container of an attachment; "" when it is not remembered. */
  sandboxOf(attachmentId: string): string {
    this.#open();
    return this.#entries.get(attachmentId)?.sandboxId ?? "";
  }

  write(file: AttachmentFile): void {
    this.#open();
    const name = fileNameOf(file.attachmentId);
    const path = join(this.#folder, name);
    writeFileSync(`${path}.tmp`, JSON.stringify(file), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
    this.#entries.set(file.attachmentId, entryOf(file));
  }

  remove(attachmentId: string): void {
    this.#open();
    rmSync(join(this.#folder, fileNameOf(attachmentId)), { force: true, recursive: true });
    this.#entries.delete(attachmentId);
    this.#seen.delete(attachmentId);
  }

  /** To be called before an attachment is written for the first time. */
  begin(attachmentId: string): void {
    this.#open();
    if (!this.#isComplete) this.#seen.add(attachmentId);
  }

  /**
   * True when nothing was executed for an attachment that is not remembered: its file is written
   * before, and removed only after a DEL that succeeded. Where the folder was not there at the
   * start it may have been lost, and what was not begun since then is uncertain.
   */
  wasNeverMade(attachmentId: string): boolean {
    this.#open();
    return this.#isComplete || this.#seen.has(attachmentId);
  }

  #open(): void {
    if (this.#isOpen) return;
    const marker = join(this.#folder, COMPLETE_MARKER);
    this.#isComplete = existsSync(marker);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(".tmp")) rmSync(join(this.#folder, name), { force: true, recursive: true });
      if (!name.endsWith(SUFFIX)) continue;
      const attachmentId = idOfFileName(name);
      if (attachmentId === undefined) continue;
      const file = this.#read(name);
      // Whoever takes it for an orphan removes what is left of it.
      this.#entries.set(attachmentId, file ? entryOf(file) : unreadable(attachmentId));
    }
    writeFileSync(marker, "", { mode: 0o600 });
    this.#isOpen = true;
  }

  #read(name: string): AttachmentFile | undefined {
    try {
      const file = JSON.parse(readFileSync(join(this.#folder, name), "utf8")) as AttachmentFile;
      return isRecord(file) ? file : undefined;
    } catch {
      return undefined;
    }
  }
}

/** As far as a DEL needs it. Throws TypeError for what is no object. */
function isRecord({ configJson, args, begun, removed }: AttachmentFile): boolean {
  const isText = typeof configJson === "string" && typeof args?.sandboxId === "string";
  return isText && Number.isInteger(begun) && Array.isArray(removed);
}

/** Says that every attachment since the folder was made has its file in it. */
const COMPLETE_MARKER = ".complete";
const SUFFIX = ".json";

/** True when there are attachments below a folder. For those who need no more than that. */
export function hasRecords(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith(SUFFIX));
  } catch {
    return false;
  }
}

function fileNameOf(attachmentId: string): string {
  return `${encodeURIComponent(attachmentId)}${SUFFIX}`;
}

function idOfFileName(name: string): string | undefined {
  try {
    return decodeURIComponent(name.slice(0, -SUFFIX.length));
  } catch {
    return undefined;
  }
}

function entryOf({ attachmentId, network, cniName, chain, args }: AttachmentFile): AttachmentEntry {
  const { sandboxId, ifname } = args;
  return { attachmentId, network, cniName, chain, sandboxId, ifname };
}

function unreadable(attachmentId: string): AttachmentEntry {
  const chain = "a file that cannot be read";
  return { attachmentId, network: "", cniName: "", chain, sandboxId: "", ifname: "" };
}
