import type { Family } from "../ip/address.ts";
import type { FamilyPolicy } from "./config.ts";

/** A config and, written by hand, what it must give out, in order. The tests hold Pool to it. */
export interface ModelConfig {
  readonly json: unknown;
  readonly families: readonly Family[];
  readonly policy: FamilyPolicy;
  readonly cooldownMs: number;
  /** Addresses of a family as plain numbers above the family's base. */
  readonly order: Readonly<Record<Family, readonly number[]>>;
}

export interface ModelLease {
  readonly family: Family;
  readonly address: number;
  readonly sequence: number;
  readonly attachment: string;
}

interface ModelCooling extends ModelLease {
  readonly releasedAt: number;
}

interface ModelTaken {
  readonly lease: ModelLease;
  readonly displaced: ModelCooling | undefined;
}

export type ModelResult =
  | { readonly kind: "given"; readonly leases: readonly ModelLease[] }
  | { readonly kind: "refused"; readonly code: string };

/** What a pool must do, with lists and linear searches: slow, and short enough to be read as the rule. */
export class PoolModel {
  config: ModelConfig;
  now = 0;
  nextSequence = 1;
  held: ModelLease[] = [];
  cooling: ModelCooling[] = [];
  readonly #last = new Map<Family, number>();
  #taken: ModelTaken[] = [];

  constructor(config: ModelConfig) {
    this.config = config;
  }

  step(ms: number): void {
    this.now += ms;
    this.#expire();
  }

  allocate(
    attachment: string,
    requested: readonly { family: Family; address: number }[],
    policy: FamilyPolicy = this.config.policy,
  ): ModelResult {
    const held = this.held.filter((lease) => lease.attachment === attachment);
    if (held.length > 0) return { kind: "given", leases: held };
    const { families, order } = this.config;
    for (const [index, { family, address }] of requested.entries()) {
      if (requested.slice(0, index).some((other) => other.family === family)) {
        return refused("request-invalid");
      }
      if (!families.includes(family)) return refused("family-missing");
      if (!order[family].includes(address)) return refused("not given out");
      if (this.findHeld(family, address)) return refused("address-taken");
    }
    if (policy === "RequireDual" && families.length < 2) return refused("family-missing");
    if (policy === "Single" && requested.length > 1) return refused("request-invalid");
    const wanted = policy !== "Single" ? families : [requested[0]?.family ?? families[0]!];
    const picks = wanted.map((family) => {
      const own = requested.find((request) => request.family === family);
      return { family, address: own?.address ?? this.#next(family), isRequested: !!own };
    });
    const given = picks.filter(({ address }) => address !== undefined);
    if (given.length === 0 || (policy !== "PreferDual" && given.length < picks.length)) {
      return refused("pool-empty");
    }
    this.#taken = given.map(({ family, address, isRequested }) => {
      if (!isRequested) this.#last.set(family, address!);
      return this.#take(family, address!, attachment);
    });
    return { kind: "given", leases: this.#taken.map(({ lease }) => lease) };
  }

  /** Undoes the allocation that came last. */
  cancel(): void {
    for (const { lease, displaced } of this.#taken) {
      if (!this.held.includes(lease)) continue;
      this.held = this.held.filter((other) => other !== lease);
      if (displaced !== undefined) this.#insertCooling(displaced);
    }
    this.#expire();
  }

  adopt(family: Family, address: number, attachment: string): ModelResult {
    const before = this.findHeld(family, address);
    if (before !== undefined && before.attachment !== attachment) return refused("address-taken");
    const lease = before ?? this.#take(family, address, attachment).lease;
    return { kind: "given", leases: [lease] };
  }

  release(lease: ModelLease): boolean {
    const held = this.held.find((other) => other.sequence === lease.sequence);
    if (held === undefined) return false;
    this.held = this.held.filter((other) => other !== held);
    this.#insertCooling({ ...held, releasedAt: this.now });
    this.#expire();
    return true;
  }

  reconfigure(config: ModelConfig): void {
    const isIn = (entry: ModelCooling): boolean =>
      this.config.order[entry.family].includes(entry.address);
    const before = [...this.cooling.filter(isIn), ...this.cooling.filter((entry) => !isIn(entry))];
    this.cooling = [];
    for (const entry of before) this.#insertCooling(entry);
    this.config = config;
    this.#expire();
  }

  findHeld(family: Family, address: number): ModelLease | undefined {
    return this.held.find((lease) => lease.family === family && lease.address === address);
  }

  counts(family: Family): { capacity: bigint; used: bigint; cooling: bigint; free: bigint } {
    const order = this.config.order[family];
    const count = (entries: readonly ModelLease[]): number =>
      entries.filter((entry) => entry.family === family && order.includes(entry.address)).length;
    const used = count(this.held);
    const cooling = count(this.cooling);
    return {
      capacity: BigInt(order.length),
      used: BigInt(used),
      cooling: BigInt(cooling),
      free: BigInt(order.length - used - cooling),
    };
  }

  #next(family: Family): number | undefined {
    const order = this.config.order[family];
    const last = this.#last.get(family);
    let start = last === undefined ? 0 : order.indexOf(last) + 1;
    if (start === 0 && last !== undefined) {
      const above = order.filter((address) => address > last);
      start = above.length === 0 ? 0 : order.indexOf(Math.min(...above));
    }
    const round = [...order.slice(start), ...order.slice(0, start)];
    const isCooling = (address: number): boolean =>
      this.cooling.some((entry) => entry.family === family && entry.address === address);
    return (
      round.find((address) => !this.findHeld(family, address) && !isCooling(address)) ??
      this.cooling.find((entry) => entry.family === family && order.includes(entry.address))
        ?.address
    );
  }

  #take(family: Family, address: number, attachment: string): ModelTaken {
    const displaced = this.cooling.find(
      (entry) => entry.family === family && entry.address === address,
    );
    this.cooling = this.cooling.filter((entry) => entry !== displaced);
    const lease = { family, address, attachment, sequence: this.nextSequence++ };
    this.held.push(lease);
    return { lease, displaced };
  }

  #insertCooling(entry: ModelCooling): void {
    const later = this.cooling.findIndex(({ releasedAt }) => releasedAt > entry.releasedAt);
    this.cooling.splice(later < 0 ? this.cooling.length : later, 0, entry);
  }

  #expire(): void {
    this.cooling = this.cooling.filter(
      ({ releasedAt }) => releasedAt + this.config.cooldownMs > this.now,
    );
  }
}

function refused(code: string): ModelResult {
  return { kind: "refused", code };
}
