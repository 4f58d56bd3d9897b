import type { FrontendKey, FrontendKind } from "./model.ts";
import type { Claim } from "./plan-unit.ts";

/** Who has which address and port: of several frontends with the same key one is programmed. */
export class Claims {
  /** One claim, or several in order. */
  readonly #byKey = new Map<FrontendKey, Claim | readonly Claim[]>();

  winner(key: FrontendKey): Claim | undefined {
    return this.all(key)[0];
  }

  /** In order: the first has the key. */
  all(key: FrontendKey): readonly Claim[] {
    const held = this.#byKey.get(key);
    if (held === undefined) return [];
    return isOne(held) ? [held] : held;
  }

  *winners(): Generator<Claim> {
    for (const key of this.#byKey.keys()) {
      const [first] = this.all(key);
      if (first) yield first;
    }
  }

  add(claim: Claim): void {
    const { key } = claim.planned;
    const held = this.#byKey.get(key);
    if (held === undefined) this.#byKey.set(key, claim);
    else this.#byKey.set(key, [...(isOne(held) ? [held] : held), claim].sort(compareClaims));
  }

  remove(claim: Claim): void {
    const { key } = claim.planned;
    const left = this.all(key).filter((other) => other !== claim);
    const [first] = left;
    if (first === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, left.length === 1 ? first : left);
  }
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
