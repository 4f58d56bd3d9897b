import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import type { ListId } from "../../src/services/plan-types.ts";
import { PortIds } from "./port-ids.ts";
import { listNumber, SEATS_MAX, seatNumber } from "./ways.ts";

const list = (port: string, kind: string) => `default/${port}/4|http|TCP|${kind}` as ListId;
const named = (port: string, kind: string) => ({ id: list(port, kind), portKey: port });

describe("PortIds", () => {
  it("gives the lists of a port the same port number", () => {
    const ids = new PortIds();
    const cluster = ids.give(named("web", "cluster")) ?? 0;
    const local = ids.give(named("web", "local")) ?? 0;
    const other = ids.give(named("db", "cluster")) ?? 0;
    assert.equal(cluster >>> 6, local >>> 6);
    assert.notEqual(cluster, local);
    assert.notEqual(cluster >>> 6, other >>> 6);
    assert.equal(ids.give(named("web", "cluster")), cluster);
  });

  it("adopts what the kernel knows and gives nobody else that number", () => {
    const ids = new PortIds();
    ids.reserve(listNumber(5, 0));
    assert(ids.adopt(named("web", "cluster"), listNumber(1, 0)));
    assert(!ids.adopt(named("db", "cluster"), listNumber(1, 1)), "another port has it");
    assert(!ids.adopt(named("web", "local"), listNumber(2, 1)), "its port has another number");
    assert(ids.adopt(named("web", "local"), listNumber(1, 1)));
    const given = new Set<number>();
    for (let index = 0; index < 10; index++) {
      given.add((ids.give(named(`s${index}`, "cluster")) ?? 0) >>> 6);
    }
    assert(!given.has(1) && !given.has(5) && given.size === 10);
  });

  it("forgets a port with its last list", () => {
    const ids = new PortIds();
    const number = ids.give(named("web", "cluster")) ?? 0;
    ids.forget(list("web", "cluster"));
    assert.equal(ids.find(list("web", "cluster")), undefined);
    assert(ids.adopt(named("db", "cluster"), number));
  });

  it("gives a seat again only after all others", () => {
    const ids = new PortIds();
    ids.give(named("web", "cluster"));
    ids.adoptSeat(list("web", "cluster"), seatNumber(1, 70));
    const first = ids.giveSeat(list("web", "cluster")) ?? 0;
    assert.equal(first, seatNumber(1, 71));
    ids.forgetSeat(list("web", "cluster"), first);
    assert.equal(ids.giveSeat(list("web", "cluster")), seatNumber(1, 72));
  });

  it("says when no seat is left", () => {
    const ids = new PortIds();
    ids.give(named("web", "cluster"));
    let given = 0;
    while (ids.giveSeat(list("web", "cluster")) !== undefined) given++;
    assert.equal(given, SEATS_MAX - 64);
  });
});
