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

  /** Whether two records of so many bytes have the same key. */
  hasRepeats(record: { readonly bytes: number; readonly keyBytes: number }): boolean {
    const count = this.#length / record.bytes;
    const mask = 2 ** Math.ceil(Math.log2(count + 1) + 1) - 1;
    // Open addressing; 0 is free.
    const slots = new Int32Array(mask + 1);
    for (let index = 0; index < count; index++) {
      const at = index * record.bytes;
      let slot = this.#hash(at, record.keyBytes) & mask;
      for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const other = ((slots[slot] ?? 0) - 1) * record.bytes;
        if (this.#isEqual(at, other, record.keyBytes)) return true;
      }
      slots[slot] = index + 1;
    }
    return false;
  }

  /** What there is, in memory of its own. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** FNV-1a, stirred at the end: keys differ in few bits. */
  #hash(at: number, byteCount: number): number {
    let hash = 0x811c9dc5;
    for (let index = at; index < at + byteCount; index++) {
      hash = Math.imul(hash ^ (this.#bytes[index] ?? 0), 0x01000193);
    }
    return hash ^ (hash >>> 15);
  }

  #isEqual(one: number, other: number, byteCount: number): boolean {
    for (let index = 0; index < byteCount; index++) {
      if (this.#bytes[one + index] !== this.#bytes[other + index]) return false;
    }
    return true;
  }
}
