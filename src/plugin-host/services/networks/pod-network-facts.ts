import type { PodNetworkAddresses } from "../../../services/pod-networks.ts";
import type { AttachmentRecord } from "../../core/attachment.ts";
import { describePod } from "../../core/detach.ts";
import type { HostEvent } from "../../core/ports.ts";
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

  constructor(sink: PodNetworkSink) {
    this.#sink = sink;
  }

  /** After a start: what stands. */
  restore(records: Iterable<AttachmentRecord>): void {
    const put = [...records].flatMap(factsOf);
    if (put.length > 0) this.#sink.changePodNetworks({ put, remove: [] });
  }

  onEvent({ kind, attachment }: HostEvent): void {
    if (!attachment || !isOnOwnNetwork(attachment)) return;
    if (kind === "attached") {
      this.#sink.changePodNetworks({ put: factsOf(attachment), remove: [] });
    } else if (kind === "detached") {
      this.#sink.changePodNetworks({ put: [], remove: [attachment.id] });
    }
  }
}

function factsOf(record: AttachmentRecord): PodNetworkAddresses[] {
  const { id, network, ifname, state } = record;
  const isThere = state.kind === "attached" || state.kind === "adopted";
  if (!isThere || !isOnOwnNetwork(record)) return [];
  return [{ id, pod: describePod(record), network, ifname, addresses: addressTextsOf(record) }];
}
