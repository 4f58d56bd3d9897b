import type { ListId, PlannedList } from "../../src/services/plan-types.ts";
import { KINDS_MAX, listNumber, PORTS_MAX, SEATS_MAX, seatNumber, seatOf } from "./ways.ts";

/** A port of a Service: what its lists have in common, clients' memory too. */
export interface Port {
  readonly key: string;
  readonly id: number;
  /** Lists by kind number. */
  readonly kinds: Map<number, ListId>;
  readonly seats: Set<number>;
  /** Seats are not given again until all others have been: a client that remembers one must not meet another's. */
  nextSeat: number;
}

export type ListName = Pick<PlannedList, "id" | "portKey">;

/** Numbers of ports, lists and seats. Those of an earlier process are adopted, so that what the kernel holds stays. */
export class PortIds {
  readonly #ports = new Map<string, Port>();
  readonly #byId = new Map<number, Port>();
  readonly #used = new Set<number>();
  readonly #numbers = new Map<ListId, { readonly port: Port; readonly kind: number }>();
  #next = 1;

  clear(): void {
    this.#ports.clear();
    this.#byId.clear();
    this.#used.clear();
    this.#numbers.clear();
  }

  /** Keeps a number from being given to anything new: the kernel holds something of it. */
  reserve(list: number): void {
    this.#used.add(list >>> 6);
  }

  /** Takes the number that the kernel knows the list by. False: another list has it, or the list's port another number. */
  adopt({ id: list, portKey }: ListName, number: number): boolean {
    const id = number >>> 6;
    const kind = number & (KINDS_MAX - 1);
    if (this.#numbers.has(list)) return this.find(list) === number;
    let port = this.#ports.get(portKey);
    if (port === undefined) {
      if (this.#byId.has(id)) return false;
      port = this.#add(portKey, id);
    }
    if (port.id !== id || port.kinds.has(kind)) return false;
    port.kinds.set(kind, list);
    this.#numbers.set(list, { port, kind });
    return true;
  }

  find(list: ListId): number | undefined {
    const found = this.#numbers.get(list);
    return found && listNumber(found.port.id, found.kind);
  }

  /** The list's number, a new one when it has none. undefined: too many ports, or lists of the port. */
  give({ id: list, portKey }: ListName): number | undefined {
    const known = this.find(list);
    if (known !== undefined) return known;
    const port = this.#ports.get(portKey) ?? this.#new(portKey);
    if (port === undefined) return undefined;
    let kind = 0;
    while (port.kinds.has(kind)) kind++;
    if (kind >= KINDS_MAX) return undefined;
    port.kinds.set(kind, list);
    this.#numbers.set(list, { port, kind });
    return listNumber(port.id, kind);
  }

  forget(list: ListId): void {
    const found = this.#numbers.get(list);
    if (found === undefined) return;
    this.#numbers.delete(list);
    found.port.kinds.delete(found.kind);
    if (found.port.kinds.size > 0) return;
    this.#ports.delete(found.port.key);
    this.#byId.delete(found.port.id);
    this.#used.delete(found.port.id);
  }

  /** Makes a seat known that the kernel holds. */
  adoptSeat(list: ListId, number: number): void {
    const port = this.#numbers.get(list)?.port;
    if (port === undefined) return;
    const { seat } = seatOf(number);
    port.seats.add(seat);
    port.nextSeat = Math.max(port.nextSeat, seat + 1);
  }

  /** A new seat of the list's port. undefined: all are taken. */
  giveSeat(list: ListId): number | undefined {
    const port = this.#numbers.get(list)?.port;
    if (port === undefined || port.seats.size >= SEATS_MAX - FIRST_SEAT) return undefined;
    for (;;) {
      if (port.nextSeat >= SEATS_MAX) port.nextSeat = FIRST_SEAT;
      const seat = port.nextSeat++;
      if (port.seats.has(seat)) continue;
      port.seats.add(seat);
      return seatNumber(port.id, seat);
    }
  }

  forgetSeat(list: ListId, number: number): void {
    this.#numbers.get(list)?.port.seats.delete(seatOf(number).seat);
  }

  #new(key: string): Port | undefined {
    if (this.#used.size >= PORTS_MAX - 1) return undefined;
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) % PORTS_MAX || 1;
    const id = this.#next;
    this.#next = (this.#next + 1) % PORTS_MAX || 1;
    return this.#add(key, id);
  }

  #add(key: string, id: number): Port {
    const port = { key, id, kinds: new Map(), seats: new Set<number>(), nextSeat: FIRST_SEAT };
    this.#ports.set(key, port);
    this.#byId.set(id, port);
    this.#used.add(id);
    return port;
  }
}

/** Below it a seat's number could be that of a list. */
const FIRST_SEAT = 64;
