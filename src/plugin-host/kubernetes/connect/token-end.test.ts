import assert from "node:assert/strict";
import { test } from "node:test";
import { findTokenEnd } from "./token-end.ts";

function token(claims: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

test("findTokenEnd() reads exp of a token, and of nothing else", () => {
  assert.equal(findTokenEnd(token({ exp: 1_826_831_363, sub: "x" })), 1_826_831_363_000);
  const others = ["", "opaque", "a.b.c", token(null), token({}), token({ exp: "1" })];
  for (const text of [...others, token({ exp: 1e300 })])
    assert.equal(findTokenEnd(text), undefined);
});
