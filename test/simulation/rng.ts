/** Splitmix32 over a mixed key: small, fast, and the same on every machine. */
export class Rng {
  #state: number;

  /** The same key gives the same numbers; keys that differ anywhere give others. */
  constructor(...key: readonly number[]) {
    this.#state = key.reduce(
      (state, part) => mix(mix(state ^ part) + Math.floor(part / 2 ** 32)),
      1,
    );
  }

  /** 0 to 2^32-1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(this.#state) >>> 0;
  }

  /** 0 to below - 1. */
  below(below: number): number {
    return Math.floor((this.next() / 2 ** 32) * below);
  }

  /** first to last, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() / 2 ** 32 < probability;
  }

  /** Undefined of an empty list. */
  pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.below(list.length)];
  }

  /** One of the values, at least one. */
  oneOf<T>(...values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] as T;
  }
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** FNV-1a of text, for the hash of a trace. */
export function hashText(hash: number, text: string): number {
  let value = hash;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
