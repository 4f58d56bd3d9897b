import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { number32 } from "./codecs.ts";
import { ImageMap } from "./image-map.ts";

const place = { family: "ip", table: "t", set: "m" } as const;
const make = () => new ImageMap<number, number>({ place, key: number32, value: number32 });
const words = (records: Uint8Array) => [...new Uint32Array(new Uint8Array(records).buffer)];
const brief = (map: ImageMap<number, number>) => {
  const { deletions, additions } = map.drain();
  return [...deletions, ...additions].map((run) => [run.kind, ...words(run.records)]);
};

describe("ImageMap", () => {
  it("says additions once", () => {
    const map = make();
    map.put(1, 10);
    map.put(2, 20);
    assert.equal(map.pending, 2);
    assert.deepEqual(brief(map), [["add", 1, 10, 2, 20]]);
    assert.deepEqual(brief(map), []);
  });

  it("replaces a value by deletion and addition", () => {
    const map = make();
    map.put(1, 10);
    map.drain();
    map.put(1, 11);
    assert.deepEqual(brief(map), [
      ["delete", 1],
      ["add", 1, 11],
    ]);
  });

  it("says nothing of what was put and taken back", () => {
    const map = make();
    map.put(1, 10);
    map.drain();
    map.put(1, 11);
    map.put(1, 10);
    map.put(2, 5);
    map.remove(2);
    assert.deepEqual(brief(map), []);
  });

  it("says a removed and added key as what it was before", () => {
    const map = make();
    map.put(1, 10);
    map.drain();
    map.remove(1);
    map.put(1, 12);
    map.remove(1);
    assert.deepEqual(brief(map), [["delete", 1]]);
  });

  it("takes over what the kernel holds", () => {
    const map = make();
    map.put(9, 9);
    const records = new Uint8Array(new Uint32Array([1, 10, 2, 20]).buffer);
    map.load({ keyBytes: 4, dataBytes: 4, records });
    assert.deepEqual(
      [...map.entries()],
      [
        [1, 10],
        [2, 20],
      ],
    );
    map.keep((key) => key === 2);
    assert.deepEqual(brief(map), [["delete", 1]]);
  });
});
