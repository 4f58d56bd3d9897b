import type { PodNetworkAddresses } from "../../../services/pod-networks.ts";
import type { AttachmentId, AttachmentRecord } from "../../core/attachment.ts";
import { describePod } from "../../core/detach.ts";
import { addressTextsOf } from "../pod-addresses.ts";

/** What takes them: ServicesCore. */
export interface PodNetworkSink {
  changePodNetworks(change: {
    readonly put: readonly PodNetworkAddresses[];
    readonly remove: readonly string[];
  }): void;
}

/** A network that a Service can name: a definition, "namespace/name". The names of CNI lists have no slash. */
export function isOnOwnNetwork({ network }: Pick<AttachmentRecord, "network">): boolean {
  return network.includes("/");
}

/** Where the pods of this node are on networks, told to the table of Services. */
export class PodNetworkFacts {
  readonly #sink: PodNetworkSink;
  readonly #told = new Set<string>();

  constructor(sink: PodNetworkSink) {
    this.#sink = sink;
  }

  /** After a start: what stands. */
  restore(records: Iterable<AttachmentRecord>): void {
    this.#put([...records].flatMap(factsOf));
  }

  add(record: AttachmentRecord): void {
    this.#put(factsOf(record));
  }

  /** Whatever was told of it before. */
  remove(id: AttachmentId): void {
    if (this.#told.delete(id)) this.#sink.changePodNetworks({ put: [], remove: [id] });
  }

  #put(put: readonly PodNetworkAddresses[]): void {
    if (put.length === 0) return;
    for (const { id } of put) this.#told.add(id);
    this.#sink.changePodNetworks({ put, remove: [] });
  }
}

function factsOf(record: AttachmentRecord): PodNetworkAddresses[] {
  const { id, network, ifname, state } = record;
  const isThere = state.kind === "attached" || state.kind === "adopted";
  if (!isThere || !isOnOwnNetwork(record)) return [];
  return [{ id, pod: describePod(record), network, ifname, addresses: addressTextsOf(record) }];
}
