import type { Family } from "../ip/address.ts";
import type { FrontendKey, FrontendKind, Protocol } from "./model.ts";
import type { Claim } from "./plan-unit.ts";

/** Who has which address and port: of several frontends with the same key one is programmed. */
export class Claims {
  /** One claim, or several in order. */
  readonly #byKey = new Map<FrontendKey, Claim | readonly Claim[]>();
  /** Keys that several claim. */
  readonly #contested = new Set<FrontendKey>();

  winner(key: FrontendKey): Claim | undefined {
    return this.all(key)[0];
  }

  /** In order: the first has the key. */
  all(key: FrontendKey): readonly Claim[] {
    const held = this.#byKey.get(key);
    if (held === undefined) return [];
    return isOne(held) ? [held] : held;
  }

  /** A NodePort that is served on some address of a family. */
  findNodePort(wanted: {
    readonly family: Family;
    readonly protocol: Protocol;
    readonly port: number;
  }): Claim | undefined {
    for (const claim of this.winners()) {
      const { kind, family, protocol, port } = claim.planned;
      const isWanted = port === wanted.port && protocol === wanted.protocol;
      if (kind === "nodePort" && isWanted && family === wanted.family) return claim;
    }
    return undefined;
  }

  *winners(): Generator<Claim> {
    for (const key of this.#byKey.keys()) {
      const [first] = this.all(key);
      if (first) yield first;
    }
  }

  /** Claims whose key another Service has, each with the one that has it; ordered by key and place. */
  shadowed(): readonly Shadowed[] {
    return [...this.#contested].sort().flatMap((key) => {
      const [winner, ...others] = this.all(key);
      return winner === undefined
        ? []
        : others.filter(({ unit }) => unit !== winner.unit).map((claim) => ({ claim, winner }));
    });
  }

  add(claim: Claim): void {
    const { key } = claim.planned;
    const held = this.#byKey.get(key);
    if (held === undefined) {
      this.#byKey.set(key, claim);
    } else {
      this.#byKey.set(key, [...(isOne(held) ? [held] : held), claim].sort(compareClaims));
      this.#contested.add(key);
    }
  }

  remove(claim: Claim): void {
    const { key } = claim.planned;
    const left = this.all(key).filter((other) => other !== claim);
    const [first] = left;
    if (first === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, left.length === 1 ? first : left);
    if (left.length < 2) this.#contested.delete(key);
  }
}

export interface Shadowed {
  readonly claim: Claim;
  readonly winner: Claim;
}

/** "10.96.0.10:80/TCP is taken by default/athief, named first". */
export function describeShadowed({ claim, winner }: Shadowed): string {
  const { address, port, protocol, service } = claim.planned;
  const host = address.includes(":") ? `[${address}]` : address;
  const other = winner.planned.service;
  const taker = other === service ? `${other} of another source` : other;
  return `${host}:${port}/${protocol} is taken by ${taker}, ${whyFirst({ claim, winner })}`;
}

function whyFirst({ claim: { frontend }, winner }: Shadowed): string {
  const other = winner.frontend;
  if (other.kind !== frontend.kind) return `whose ${other.kind} comes before a ${frontend.kind}`;
  if (other.createdMs === frontend.createdMs) return "named first";
  return other.createdMs === 0 ? "whose age is not known" : "created earlier";
}

const rank: Readonly<Record<FrontendKind, number>> = {
  clusterIP: 0,
  nodePort: 1,
  externalIP: 2,
  loadBalancer: 3,
  hostPort: 4,
};

/** The lower kind, then the earlier time (unknown is earliest), then the smaller id, then the smaller source. */
function compareClaims(one: Claim, other: Claim): number {
  return (
    rank[one.frontend.kind] - rank[other.frontend.kind] ||
    one.frontend.createdMs - other.frontend.createdMs ||
    compareTexts(one.frontend.id, other.frontend.id) ||
    compareTexts(one.unit.scope, other.unit.scope)
  );
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function isOne(held: Claim | readonly Claim[]): held is Claim {
  return !Array.isArray(held);
}
