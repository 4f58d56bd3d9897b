import { errno } from "./errno.ts";
import type { KernelError } from "./kernel-error.ts";
import { recordBytes } from "./nf-runs.ts";
import type { ElementCounter, ElementDump, ElementRun } from "./nfnetlink.ts";

/** A set or map as it is made. */
export interface FakeSetShape {
  readonly name: string;
  readonly keyBytes: number;
  /** 0: a set. */
  readonly dataBytes: number;
  readonly interval?: "single" | "concatenated";
  /** "concatenated": bytes of each field, without padding to 4. Default: fields of 4. */
  readonly fieldBytes?: readonly number[];
  /** Elements carry a counter. */
  readonly counter?: boolean;
}

interface FakeElement {
  readonly key: Uint8Array;
  /** Last key of a range; `key` without. */
  readonly last: Uint8Array;
  readonly data: Uint8Array;
  packets: bigint;
}

/** One set of the fake: elements by first key. */
export class FakeSet {
  readonly #shape: FakeSetShape;
  readonly #elements = new Map<string, FakeElement>();

  constructor(shape: FakeSetShape) {
    this.#shape = shape;
  }

  /** Applies a run; what takes each change back is added to `undo`. */
  apply(
    run: ElementRun,
    options: {
      readonly undo: (() => void)[];
      readonly fail: (value: number, element?: number) => KernelError;
    },
  ): void {
    const { undo, fail } = options;
    if (run.kind === "flush") {
      for (const [id, element] of [...this.#elements]) this.#delete(id, element, undo);
      return;
    }
    const { keyBytes, dataBytes, interval } = this.#shape;
    const isShape = run.keyBytes === keyBytes && run.interval === interval;
    if (!isShape || (run.kind === "add" && run.dataBytes !== dataBytes))
      throw fail(errno.EINVAL, 0);
    const step = recordBytes(run);
    for (let at = 0, index = 0; at < run.records.length; at += step, index++) {
      const value = this.#applyRecord(run, run.records.slice(at, at + step), undo);
      if (value !== 0) throw fail(value, index);
    }
  }

  find(key: Uint8Array): Uint8Array | undefined {
    return this.#at(key)?.data.slice();
  }

  count(key: Uint8Array, packets: bigint): void {
    const element = this.#at(key);
    if (element) element.packets += packets;
  }

  counters(): ElementCounter[] {
    if (this.#shape.counter !== true) return [];
    return [...this.#elements.values()].map(({ key, packets }) => ({ key: key.slice(), packets }));
  }

  dump(): ElementDump {
    const { keyBytes, dataBytes, interval } = this.#shape;
    const elements = [...this.#elements.values()];
    if (interval === "single") elements.sort((a, b) => Buffer.compare(a.key, b.key));
    const parts = elements.flatMap(({ key, last, data }) =>
      interval === undefined ? [key, data] : [key, last, data],
    );
    return { keyBytes, dataBytes, records: new Uint8Array(Buffer.concat(parts)) };
  }

  lines(): string[] {
    return [...this.#elements.values()]
      .map(({ key, last, data }) => {
        const keys =
          this.#shape.interval === undefined ? words(key) : `${words(key)} - ${words(last)}`;
        return data.length === 0 ? keys : `${keys} : ${words(data)}`;
      })
      .sort();
  }

  /** errno, 0 for success. */
  #applyRecord(run: ElementRun, record: Uint8Array, undo: (() => void)[]): number {
    const { keyBytes, interval } = this.#shape;
    const key = record.subarray(0, keyBytes);
    const last = interval === undefined ? key : record.subarray(keyBytes, keyBytes * 2);
    const id = words(key);
    const known = this.#elements.get(id);
    const isSame = known !== undefined && Buffer.compare(known.last, last) === 0;
    if (run.kind === "delete") {
      if (!isSame) return errno.ENOENT;
      this.#delete(id, known, undo);
      return 0;
    }
    const data = record.subarray(record.length - run.dataBytes);
    if (isSame) return Buffer.compare(known.data, data) === 0 ? 0 : errno.EEXIST;
    if (known !== undefined || (interval !== undefined && this.#overlaps(key, last))) {
      return errno.EEXIST;
    }
    this.#elements.set(id, { key, last, data, packets: 0n });
    undo.push(() => this.#elements.delete(id));
    return 0;
  }

  #delete(id: string, element: FakeElement, undo: (() => void)[]): void {
    this.#elements.delete(id);
    undo.push(() => this.#elements.set(id, element));
  }

  /** The element with this key, or the range that it lies in. */
  #at(key: Uint8Array): FakeElement | undefined {
    if (this.#shape.interval === undefined) return this.#elements.get(words(key));
    return [...this.#elements.values()].find((element) => this.#meets(element, key, key));
  }

  #overlaps(first: Uint8Array, last: Uint8Array): boolean {
    return this.#elements.values().some((element) => this.#meets(element, first, last));
  }

  /** Ranges meet when they do in each field. */
  #meets(element: FakeElement, first: Uint8Array, last: Uint8Array): boolean {
    const { keyBytes, interval, fieldBytes } = this.#shape;
    const fields =
      interval === "single"
        ? [keyBytes]
        : (fieldBytes ?? Array.from({ length: Math.ceil(keyBytes / 4) }, () => 4));
    let at = 0;
    for (const field of fields) {
      const part = (bytes: Uint8Array): Uint8Array => bytes.subarray(at, at + field);
      if (Buffer.compare(part(element.key), part(last)) > 0) return false;
      if (Buffer.compare(part(first), part(element.last)) > 0) return false;
      at += (field + 3) & ~3;
    }
    return true;
  }
}

/** "0a000001 00500000". */
function words(bytes: Uint8Array): string {
  return (
    Buffer.from(bytes)
      .toString("hex")
      .match(/.{1,8}/g) ?? []
  ).join(" ");
}
