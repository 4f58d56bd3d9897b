/** Packed records that grow as they come. */
export class RecordWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  /** Copies; from `undefined` come zeros. */
  put(from: Uint8Array, start: number | undefined, byteCount: number): void {
    const end = this.#length + byteCount;
    if (end > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    const to = this.#bytes;
    for (let index = 0, at = this.#length; index < byteCount; index++, at++) {
      to[at] = start === undefined ? 0 : (from[start + index] ?? 0);
    }
    this.#length = end;
  }

  /** What there is, in memory of its own. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
