import type { Rng } from "./rng.ts";

/** Whoever made a call: one life of the host process. */
export interface CallOwner {
  readonly alive: boolean;
}

/** A call of the host to a port that answers later. */
export interface PortCall {
  readonly label: string;
  readonly owner: CallOwner;
  readonly startedMs: number;
  /** Not to be touched before: late. */
  notBeforeMs: number;
  /** True once the call has had its effect and only the answer is missing. */
  isDone: boolean;
  /** Does the work, or a first part of it, and keeps what came out. */
  work(partly?: boolean): Promise<void>;
  /** Gives the answer that work() kept. */
  answer(): void;
  /** Answers with a failure of weather. */
  fail(rng: Rng): void;
}

export interface PortCallSpec<T> {
  readonly label: string;
  readonly owner: CallOwner;
  /** The effect; `partly`: only a first part of it, whose answer nobody sees. */
  work(partly: boolean): Promise<T> | T;
  /** What this port fails with. */
  error(rng: Rng): Error;
}

/** Calls whose answers are outstanding, in the order in which they were made. */
export class PortCalls {
  readonly #list: PortCall[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get list(): readonly PortCall[] {
    return this.#list;
  }

  /** The answer comes when the scheduler says so; never when the owner is dead by then. */
  submit<T>(spec: PortCallSpec<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!spec.owner.alive) return;
      let settle = (): void => {};
      const call: PortCall = {
        label: spec.label,
        owner: spec.owner,
        startedMs: this.#now(),
        notBeforeMs: 0,
        isDone: false,
        work: async (partly = false) => {
          try {
            const value = await spec.work(partly);
            settle = () => resolve(value);
          } catch (error) {
            settle = () => reject(error);
          }
          call.isDone = true;
        },
        answer: () => {
          this.#remove(call);
          if (spec.owner.alive) settle();
        },
        fail: (rng) => {
          this.#remove(call);
          if (spec.owner.alive) reject(spec.error(rng));
        },
      };
      this.#list.push(call);
    });
  }

  /** The owner died: nobody waits for its calls. Returns those that had no effect yet. */
  drop(owner: CallOwner): PortCall[] {
    const dropped = this.#list.filter((call) => call.owner === owner);
    for (const call of dropped) this.#remove(call);
    return dropped.filter((call) => !call.isDone);
  }

  #remove(call: PortCall): void {
    const index = this.#list.indexOf(call);
    if (index >= 0) this.#list.splice(index, 1);
  }
}
