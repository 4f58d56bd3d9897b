/** Somebody who has frontends, or would. */
export interface RoomUser {
  readonly service: string;
  readonly scope: string;
}

/**
 * How many frontends, and pairs of them with source ranges, all Services that come as objects have together. Who does not fit waits, and
 * is asked again when there is room: by name, so that a node that restarts decides alike.
 */
export class FrontendRoom {
  readonly max: number;
  #used = 0;
  /** There is more room than at the last takeTurns(). */
  #isFreed = false;
  readonly #held = new Map<RoomUser, number>();
  readonly #waiting = new Map<RoomUser, Wish>();

  constructor(max: number) {
    this.max = max;
  }

  /** True: the user has so many now, instead of what it had. False: it has none, and is called when it may ask again. */
  take(user: RoomUser, wish: Wish): boolean {
    this.giveBack(user);
    if (!this.#fits(wish)) {
      this.#waiting.set(user, wish);
      return false;
    }
    this.#used += wish.count;
    this.#held.set(user, wish.count);
    return true;
  }

  giveBack(user: RoomUser): void {
    this.#waiting.delete(user);
    const count = this.#held.get(user) ?? 0;
    this.#held.delete(user);
    this.#used -= count;
    if (count > 0) this.#isFreed = true;
  }

  /** Lets those who wait and fit now ask again. */
  takeTurns(): void {
    if (!this.#isFreed) return;
    this.#isFreed = false;
    const waiting = [...this.#waiting].sort(([one], [other]) =>
      orderOf(one) < orderOf(other) ? -1 : 1,
    );
    for (const [, wish] of waiting) if (this.#fits(wish)) wish.retry();
  }

  #fits({ count }: Wish): boolean {
    return this.#used + count <= this.max;
  }
}

interface Wish {
  readonly count: number;
  readonly retry: () => void;
}

function orderOf({ service, scope }: RoomUser): string {
  return `${service} ${scope}`;
}
