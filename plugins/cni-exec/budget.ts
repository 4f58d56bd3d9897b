import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";

export interface BudgetOptions {
  /** How many may run at once, asked when nobody runs. */
  readonly capacity: () => number;
  /** Time without an end after which a network that has no place gets one beside, ms. */
  readonly stuckMs?: number;
}

interface Waiter {
  readonly network: string;
  readonly admit: () => void;
}

/**
 * How many chains of delegates run at the same time: each is a program of tens of MiB, and a
 * hundred of them at once are what kills a node that reboots (multus-cni#1346). The rest wait in
 * the order in which they came, each until its own deadline. Delegates that hang keep their own
 * network waiting, not the others: when nothing ends for a while, a network of which none runs gets
 * one place more.
 */
export class ExecBudget {
  readonly #capacityNow: () => number;
  readonly #stuckMs: number;
  readonly #waiting = new Set<Waiter>();
  readonly #running = new Map<string, number>();
  #capacity = 1;
  #stuckTimer: NodeJS.Timeout | undefined;

  constructor({ capacity, stuckMs = 1_000 }: BudgetOptions) {
    this.#capacityNow = capacity;
    this.#stuckMs = stuckMs;
  }

  get running(): number {
    return this.#running.values().reduce((sum, count) => sum + count, 0);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs the work when its turn comes. Throws PluginError transient when that is not within `limitMs`. */
  async run<T>(network: string, limitMs: number, work: () => Promise<T>): Promise<T> {
    if (this.running === 0) this.#capacity = Math.max(1, this.#capacityNow());
    if (this.running < this.#capacity) this.#count(network, 1);
    else await this.#wait(network, limitMs);
    try {
      return await work();
    } finally {
      this.#leave(network);
    }
  }

  #wait(network: string, limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        network,
        admit: () => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          this.#count(network, 1);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        const what = `Waited ${Math.round(limitMs)} ms for one of ${this.#capacity} places to execute CNI plugins in`;
        reject(new PluginError("transient", what));
      }, limitMs);
      this.#waiting.add(waiter);
      this.#watch();
    });
  }

  /** The place goes to the next in the same moment: nobody can come in between. */
  #leave(network: string): void {
    this.#count(network, -1);
    const [next] = this.#waiting;
    if (next && this.running < this.#capacity) next.admit();
    clearTimeout(this.#stuckTimer);
    this.#stuckTimer = undefined;
    this.#watch();
  }

  #watch(): void {
    if (this.#waiting.size === 0) return;
    this.#stuckTimer ??= setTimeout(() => {
      this.#stuckTimer = undefined;
      const starving = this.#waiting.values().find(({ network }) => !this.#running.has(network));
      starving?.admit();
      this.#watch();
    }, this.#stuckMs);
  }

  #count(network: string, change: 1 | -1): void {
    const count = (this.#running.get(network) ?? 0) + change;
    if (count > 0) this.#running.set(network, count);
    else this.#running.delete(network);
  }
}
