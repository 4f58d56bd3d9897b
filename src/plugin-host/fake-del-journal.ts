import type { InvokeRequest__Output } from "../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import type { DelJournal, DelJournalEntry } from "./core/ports.ts";

/** A journal in memory; write() is what the shim does. */
export class FakeDelJournal implements DelJournal {
  readonly #entries = new Map<string, DelJournalEntry>();
  readonly #aside = new Set<string>();

  /** The same name replaces, as the shim's rename does. */
  write(name: string, writtenWallMs: number, request: InvokeRequest__Output | undefined): void {
    this.#entries.set(name, { name, writtenWallMs, request });
  }

  get size(): number {
    return this.#entries.size;
  }

  get aside(): ReadonlySet<string> {
    return this.#aside;
  }

  async read(): Promise<readonly DelJournalEntry[]> {
    return [...this.#entries.values()].sort(
      (left, right) => left.writtenWallMs - right.writtenWallMs,
    );
  }

  async remove(name: string): Promise<void> {
    this.#entries.delete(name);
  }

  async setAside(name: string): Promise<void> {
    if (this.#entries.delete(name)) this.#aside.add(name);
  }

  toString(): string {
    return [...this.#entries.keys()].sort().join("\n");
  }
}
