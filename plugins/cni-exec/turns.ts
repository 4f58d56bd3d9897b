/** Work for the same key, one at a time, in the order in which it came. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const running = before ? before.then(work, work) : work();
    const ended = running.then(
      () => {},
      () => {},
    );
    this.#last.set(key, ended);
    try {
      return await running;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}

/** GC of a CNI network excludes its ADDs and DELs (CNI 1.1, "Lifecycle and ordering"); these do not exclude each other. */
export class NetworkGate {
  readonly #sharing = new Map<string, number>();
  readonly #closed = new Map<string, Promise<void>>();

  /** ADD and DEL: begins when no GC runs. */
  async share<T>(name: string, work: () => Promise<T>): Promise<T> {
    while (this.#closed.has(name)) await this.#closed.get(name);
    this.#sharing.set(name, (this.#sharing.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#sharing.get(name) ?? 1) - 1;
      if (left > 0) this.#sharing.set(name, left);
      else this.#sharing.delete(name);
    }
  }

  /** GC: undefined when something else is under way. */
  async close<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#closed.has(name) || this.#sharing.has(name)) return undefined;
    const working = Promise.try(work);
    const ended = working.then(
      () => {},
      () => {},
    );
    this.#closed.set(
      name,
      ended.then(() => {
        this.#closed.delete(name);
      }),
    );
    return working;
  }
}
