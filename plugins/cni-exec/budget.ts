import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";

export interface BudgetOptions {
  /** How many may run at once, asked when nobody runs and again with each storm. */
  readonly capacity: () => number;
}

/**
 * How many chains of delegates run at the same time: each is a program of tens of MiB, and a
 * hundred of them at once are what kills a node that reboots (multus-cni#1346). The rest wait in
 * the order in which they came, each until its own deadline.
 */
export class ExecBudget {
  readonly #options: BudgetOptions;
  readonly #waiting = new Set<() => void>();
  #running = 0;
  #capacity = 1;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs the work when its turn comes. Throws PluginError transient when that is not within `limitMs`. */
  async run<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    await this.#enter(limitMs);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(limitMs: number): Promise<void> | void {
    if (this.#running === 0) this.#capacity = Math.max(1, this.#options.capacity());
    if (this.#running < this.#capacity) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(admit);
        const what = `Waited ${Math.round(limitMs)} ms for one of ${this.#capacity} places to execute CNI plugins in`;
        reject(new PluginError("transient", what));
      }, limitMs);
      this.#waiting.add(admit);
    });
  }

  /** The place goes to the next without being free in between. */
  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
