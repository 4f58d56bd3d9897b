import { hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An attachment whose link lies in the pod alone: where to find it again. */
export interface HeldAttachment<Detail> {
  readonly attachmentId: string;
  readonly network: string;
  readonly netns: string;
  /** "device:inode": at the same path there may be another namespace by now. */
  readonly netnsIdentity: string;
  readonly ifname: string;
  readonly mac: string;
  /** What only this plugin needs. */
  readonly detail: Detail;
}

/**
 * What a plugin holds inside pods. A veth has an end on the node, whose alias tells whose it is; a
 * macvlan or a moved device has none. So a small file for each attachment is written before the
 * kernel is touched and removed after the kernel has let go: a link without a file never is, a file
 * without a link may be, and Detach removes it. The folder lies below /run: it goes with the links
 * at a reboot. The link's alias says the same, so that a lost file is no lost link.
 */
export class HeldAttachments<Detail = null> {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws the error of node:fs. */
  write(held: HeldAttachment<Detail>): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(held.attachmentId);
    // A name that list() passes by: whoever dies in between leaves the old file or none.
    writeFileSync(`${path}.new`, JSON.stringify(held), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** Undefined: not held. */
  find(attachmentId: string): HeldAttachment<Detail> | undefined {
    return this.#read(this.#path(attachmentId));
  }

  /** Absent is success. */
  remove(attachmentId: string): void {
    rmSync(this.#path(attachmentId), { force: true });
  }

  list(): HeldAttachment<Detail>[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
    return names
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => this.#read(join(this.#folder, name)) ?? []);
  }

  #read(path: string): HeldAttachment<Detail> | undefined {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    try {
      const held = JSON.parse(text) as HeldAttachment<Detail> | null;
      return typeof held?.attachmentId === "string" ? held : undefined;
    } catch {
      // Not ours: what we rename is whole.
      return undefined;
    }
  }

  /** An id may have characters that a file's name may not. */
  #path(attachmentId: string): string {
    return join(this.#folder, `${hash("sha256", attachmentId, "hex").slice(0, 32)}.json`);
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
