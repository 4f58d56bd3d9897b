/**
 * Ranges of a set of one field, from what the kernel holds of them: the first key, and, marked, the
 * first key behind. They come in no promised order, and a range up to the last key of all has no end.
 */
export class RangeEnds {
  readonly #keyBytes: number;
  readonly #dataBytes: number;
  #ends: { readonly key: Uint8Array; readonly data: Uint8Array; readonly isEnd: boolean }[] = [];

  constructor(keyBytes: number, dataBytes: number) {
    this.#keyBytes = keyBytes;
    this.#dataBytes = dataBytes;
  }

  reset(): void {
    this.#ends = [];
  }

  add(
    bytes: Uint8Array,
    key: number,
    options: { readonly data: number | undefined; readonly isEnd: boolean },
  ): void {
    const { data, isEnd } = options;
    this.#ends.push({
      key: bytes.slice(key, key + this.#keyBytes),
      data:
        data === undefined
          ? new Uint8Array(this.#dataBytes)
          : bytes.slice(data, data + this.#dataBytes),
      isEnd,
    });
  }

  /** first key, last key, value; by first key. */
  records(): Uint8Array {
    const ends = this.#ends.toSorted(
      (a, b) => Buffer.compare(a.key, b.key) || Number(b.isEnd) - Number(a.isEnd),
    );
    const step = this.#keyBytes * 2 + this.#dataBytes;
    const records = new Uint8Array(step * ends.filter(({ isEnd }) => !isEnd).length);
    let at = 0;
    for (const [index, { key, data, isEnd }] of ends.entries()) {
      if (isEnd) continue;
      const next = ends[index + 1]?.key;
      records.set(key, at);
      records.set(
        next ? before(next) : new Uint8Array(this.#keyBytes).fill(0xff),
        at + this.#keyBytes,
      );
      records.set(data, at + this.#keyBytes * 2);
      at += step;
    }
    return records;
  }
}

function before(key: Uint8Array): Uint8Array {
  const result = key.slice();
  for (let at = result.length - 1; at >= 0; at--) {
    const digit = result[at] ?? 0;
    result[at] = digit === 0 ? 0xff : digit - 1;
    if (digit !== 0) break;
  }
  return result;
}
