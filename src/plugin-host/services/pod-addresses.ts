import { parsePrefix, formatAddress } from "../../ip/address.ts";
import type { AddressText } from "../../services/model.ts";
import type { AttachmentRecord } from "../core/attachment.ts";
import type { HostEvent } from "../core/ports.ts";

/** What takes them: ServicesCore. */
export interface PodAddressSink {
  changePodAddresses(change: {
    readonly add: readonly AddressText[];
    readonly remove: readonly AddressText[];
  }): void;
}

/**
 * Addresses of attached pods, for "is this source a pod". Told of later than the events that
 * brought them: the ADD under way is answered first.
 */
export class PodAddresses {
  readonly #sink: PodAddressSink;
  /** How many attachments have an address: after an ADD of the next pod the DEL of the last may come. */
  readonly #holders = new Map<AddressText, number>();
  readonly #known = new Set<AddressText>();
  readonly #changed = new Set<AddressText>();
  #isScheduled = false;

  constructor(sink: PodAddressSink) {
    this.#sink = sink;
  }

  /** After a start: what stands. */
  restore(records: Iterable<AttachmentRecord>): void {
    for (const record of records) if (isThere(record)) this.#count(record, 1);
  }

  onEvent({ kind, attachment }: HostEvent): void {
    if (!attachment) return;
    if (kind === "attached") this.#count(attachment, 1);
    else if (kind === "detached") this.#count(attachment, -1);
  }

  #count(record: AttachmentRecord, change: 1 | -1): void {
    for (const address of addressTextsOf(record)) {
      this.#holders.set(address, Math.max(0, (this.#holders.get(address) ?? 0) + change));
      this.#changed.add(address);
    }
    if (this.#isScheduled || this.#changed.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const add: AddressText[] = [];
    const remove: AddressText[] = [];
    for (const address of this.#changed) {
      const isHeld = (this.#holders.get(address) ?? 0) > 0;
      if (!isHeld) this.#holders.delete(address);
      if (isHeld === this.#known.has(address)) continue;
      if (isHeld) {
        this.#known.add(address);
        add.push(address);
      } else {
        this.#known.delete(address);
        remove.push(address);
      }
    }
    this.#changed.clear();
    if (add.length + remove.length > 0) this.#sink.changePodAddresses({ add, remove });
  }
}

function isThere({ state }: AttachmentRecord): boolean {
  return state.kind === "attached" || state.kind === "adopted";
}

/** Addresses of an attachment, as the plugin set them where it said so. */
export function addressTextsOf(record: AttachmentRecord): AddressText[] {
  const response = record.state.kind === "attached" ? record.state.response : undefined;
  const { addresses } = response ?? record.request;
  return addresses.map(({ address }) => {
    const { family, value } = parsePrefix(address);
    return formatAddress({ family, value }) as AddressText;
  });
}
