import type { Store, StoreChange, StoredState } from "../../src/plugin-host/core/ports.ts";
import { PatchbayError } from "../../src/plugin-host/errors.ts";
import type { FakeStore } from "../../src/plugin-host/fake-store.ts";
import type { CallOwner, PortCalls } from "./port-calls.ts";

/** What the store of one host process does besides storing. */
export interface StoreHooks {
  /** Before a change is written; may kill the process by throwing. */
  beforeCommit(changes: readonly StoreChange[]): void;
  /** After it was written. */
  afterCommit(changes: readonly StoreChange[]): void;
  /** True: nothing can be written now. */
  isFull(): boolean;
  /** True: flushes fail now. */
  isUnsyncable(): boolean;
  flushed(): void;
}

/** Mistakes that a test puts in, to see that they are found. */
export interface StoreBugs {
  /** Every so many commits one is forgotten. */
  readonly dropsCommit?: number;
  /** Flush answers and does nothing. */
  readonly flushesNothing?: boolean;
}

/** The surviving store as one host process sees it. */
export class SimStore implements Store {
  readonly #disk: FakeStore;
  readonly #owner: CallOwner;
  readonly #calls: PortCalls;
  readonly #hooks: StoreHooks;
  readonly #bugs: StoreBugs;
  #commits = 0;

  constructor(
    disk: FakeStore,
    deps: { owner: CallOwner; calls: PortCalls; hooks: StoreHooks; bugs: StoreBugs },
  ) {
    this.#disk = disk;
    this.#owner = deps.owner;
    this.#calls = deps.calls;
    this.#hooks = deps.hooks;
    this.#bugs = deps.bugs;
  }

  load(): StoredState {
    return this.#disk.load();
  }

  commit(changes: readonly StoreChange[]): void {
    if (!this.#owner.alive) throw new Error("Killed");
    if (this.#hooks.isFull()) throw new PatchbayError("IO_FAILURE", "Cannot write: disk full");
    this.#hooks.beforeCommit(changes);
    this.#commits++;
    const { dropsCommit } = this.#bugs;
    if (dropsCommit === undefined || this.#commits % dropsCommit !== 0) this.#disk.commit(changes);
    this.#hooks.afterCommit(changes);
  }

  flush(): Promise<void> {
    const mark = this.#disk.mark();
    return this.#calls.submit({
      label: "store.flush",
      owner: this.#owner,
      work: () => {
        if (this.#hooks.isUnsyncable()) throw new Error("EIO: fdatasync");
        if (!this.#bugs.flushesNothing) this.#disk.flushUntil(mark);
        this.#hooks.flushed();
      },
      error: () => new Error("EIO: fdatasync"),
    });
  }
}
