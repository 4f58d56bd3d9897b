import assert from "node:assert/strict";
import { test } from "node:test";
import { RULES } from "./rules.ts";

test("RULES have ids of their own, that fit the matrix, and sentences", () => {
  const ids = RULES.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { id, sentence } of RULES) {
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(id.length <= 26, id);
    assert.ok(sentence.length > 20 && !sentence.endsWith("."), sentence);
  }
});

test("RULES come after the rules that they name", () => {
  const seen = new Set<string>();
  for (const { id, after = [] } of RULES) {
    for (const before of after) assert.ok(seen.has(before), `${id} is not after ${before}`);
    seen.add(id);
  }
});
