import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../fake-clock.ts";
import { Associations } from "./associations.ts";

function setUp(max = 10) {
  const clock = new FakeClock();
  const associations = new Associations({ clock, max, idleMs: 100 });
  const closed: string[] = [];
  const add = (key: string) => {
    const association = { close: () => closed.push(key) };
    return { association, hasGivenWay: associations.add(key, association) };
  };
  return { clock, associations, closed, add };
}

describe("Associations", () => {
  it("end after they were idle, each at its own time, and use() delays it", () => {
    const { clock, associations, closed, add } = setUp();
    add("a");
    clock.advance(40);
    add("b");
    clock.advance(40);
    assert.notEqual(associations.use("a"), undefined);
    clock.advance(59);
    assert.deepEqual(closed, []);
    clock.advance(1);
    assert.deepEqual(closed, ["b"]);
    clock.advance(40);
    assert.deepEqual(closed, ["b", "a"]);
    assert.equal(associations.use("a"), undefined);
    assert.equal(clock.nextTimerMs(), undefined);
  });

  it("the one unused longest gives way at the bound", () => {
    const { associations, closed, add } = setUp(2);
    assert.equal(add("a").hasGivenWay, false);
    assert.equal(add("b").hasGivenWay, false);
    associations.use("a");
    assert.equal(add("c").hasGivenWay, true);
    assert.deepEqual([closed, associations.size], [["b"], 2]);
  });

  it("remove() with an association leaves a later one of the same key", () => {
    const { associations, closed, add } = setUp();
    const { association: first } = add("a");
    associations.remove("a", first);
    const { association: second } = add("a");
    associations.remove("a", first);
    assert.equal(associations.use("a"), second);
    assert.deepEqual(closed, ["a"]);
  });

  it("close() closes all and stops the timer", () => {
    const { clock, associations, closed, add } = setUp();
    add("a");
    add("b");
    associations.close();
    assert.deepEqual([closed, clock.nextTimerMs()], [["a", "b"], undefined]);
  });
});
