import type { PlannedEndpoint, PlannedList } from "../../../services/plan-types.ts";
import type { Clock } from "../../core/ports.ts";
import { invariant } from "../../errors.ts";

/** Lists whose affinity is remembered at the same time; the one unused longest is forgotten. */
const AFFINITIES_MAX = 4_096;

interface Affinity {
  readonly endpoint: PlannedEndpoint;
  readonly untilMs: number;
}

/**
 * Picks an endpoint for a process of this node: random by weight; the same one as before while
 * ClientIP affinity lasts and the list still has it; the same one always for consistent hashing.
 * Whoever comes over loopback counts as one client.
 */
export class EndpointPicker {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #affinities = new Map<string, Affinity>();

  /** `random`: 0 inclusive to 1 exclusive. */
  constructor(options: { readonly clock: Clock; readonly random: () => number }) {
    this.#clock = options.clock;
    this.#random = options.random;
  }

  pick(list: PlannedList): PlannedEndpoint {
    if (list.affinity === undefined) return this.#choose(list);
    const key = affinityKey(list);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#affinities.get(key);
    const isUsable =
      known !== undefined && nowMs < known.untilMs && hasEndpoint(list, known.endpoint);
    const endpoint = isUsable ? known.endpoint : this.#choose(list);
    // Deleted first: a Map is in the order of insertion, so the first is the one unused longest.
    this.#affinities.delete(key);
    this.#affinities.set(key, { endpoint, untilMs: nowMs + list.affinity.seconds * 1000 });
    const [oldest] = this.#affinities.keys();
    if (this.#affinities.size > AFFINITIES_MAX && oldest !== undefined) {
      this.#affinities.delete(oldest);
    }
    return endpoint;
  }

  /** The endpoint did not answer: a client that tries again is not bound to it (k/k#110302). */
  forget(list: PlannedList): void {
    if (list.affinity !== undefined) this.#affinities.delete(affinityKey(list));
  }

  #choose(list: PlannedList): PlannedEndpoint {
    return list.pick === "random"
      ? pickByWeight(list.endpoints, this.#random())
      : pickByHash(list.endpoints);
  }
}

/** True when the list has this address and port, of whatever weight. */
function hasEndpoint(list: PlannedList, wanted: PlannedEndpoint): boolean {
  return list.endpoints.some(
    ({ address, port }) => address === wanted.address && port === wanted.port,
  );
}

/** `share`: 0 inclusive to 1 exclusive. */
function pickByWeight(endpoints: readonly PlannedEndpoint[], share: number): PlannedEndpoint {
  let rest = share * endpoints.reduce((sum, { weight }) => sum + weight, 0);
  for (const endpoint of endpoints) {
    rest -= endpoint.weight;
    if (rest < 0) return endpoint;
  }
  // Rounding only.
  return atLeastOne(endpoints.at(-1));
}

/**
 * Rendezvous hashing with weights: each endpoint draws a number from its own name alone, the
 * highest wins, so one that comes or goes moves nobody else.
 */
function pickByHash(endpoints: readonly PlannedEndpoint[]): PlannedEndpoint {
  let best: PlannedEndpoint | undefined;
  let bestScore = -1;
  for (const endpoint of endpoints) {
    const share = (hash32(`${endpoint.address}|${endpoint.port}`) + 0.5) / 2 ** 32;
    const score = -endpoint.weight / Math.log(share);
    if (score > bestScore) {
      best = endpoint;
      bestScore = score;
    }
  }
  return atLeastOne(best);
}

/** FNV-1a, then the last step of murmur3: FNV alone spreads short texts badly in the high bits. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function affinityKey(list: PlannedList): string {
  return `${list.family}|${list.affinity?.key ?? ""}`;
}

/** PlannedList: "at least one". */
function atLeastOne(endpoint: PlannedEndpoint | undefined): PlannedEndpoint {
  invariant(endpoint !== undefined, "a list has at least one endpoint");
  return endpoint;
}
