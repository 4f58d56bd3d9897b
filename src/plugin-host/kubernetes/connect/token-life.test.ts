import assert from "node:assert/strict";
import { test } from "node:test";
import { findTokenLife } from "./token-life.ts";

function token(claims: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

test("findTokenLife() reads iat and exp of a token, and of nothing else", () => {
  const iat = 1_795_295_363;
  assert.deepEqual(findTokenLife(token({ iat, exp: iat + 3_600, sub: "x" })), {
    begunMs: 1_795_295_363_000,
    endMs: 1_795_298_963_000,
  });
  const claims = [null, {}, { iat }, { exp: iat }, { iat, exp: "1" }, { iat, exp: 1e300 }];
  const texts = ["", "opaque", "a.b.c", ...claims.map(token)];
  for (const text of texts) assert.equal(findTokenLife(text), undefined, text);
});
