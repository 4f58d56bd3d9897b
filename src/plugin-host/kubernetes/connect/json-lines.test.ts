import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "./json-lines.ts";

test("LineSplitter gives the same lines, however their bytes are cut", () => {
  const text = fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 20 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(200)), (parts, cuts) => {
      const lines = parts.map((part) => part.replaceAll(/[\r\n]/g, ""));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const splitter = new LineSplitter(1_000);
      const seen: string[] = [];
      let start = 0;
      for (const cut of cuts) {
        seen.push(...splitter.push(bytes.subarray(start, start + cut)));
        start += cut;
      }
      seen.push(...splitter.push(bytes.subarray(start)));
      assert.deepEqual(
        seen,
        lines.filter((line) => line !== ""),
      );
      assert.equal(splitter.pendingBytes, 0);
    }),
  );
});

test("LineSplitter refuses a line as soon as it is too long", () => {
  const splitter = new LineSplitter(10);
  assert.deepEqual(splitter.push(Buffer.from("0123456789\n01234")), ["0123456789"]);
  assert.equal(splitter.pendingBytes, 5);
  assert.throws(() => splitter.push(Buffer.from("567890")), /more than 10 bytes/);
  assert.throws(() => new LineSplitter(3).push(Buffer.from("1234\n")), /more than 3 bytes/);
});
