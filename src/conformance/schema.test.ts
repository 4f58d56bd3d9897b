import assert from "node:assert/strict";
import { test } from "node:test";
import { compileSchema } from "./schema.ts";

const BRIDGE = JSON.stringify({
  type: "object",
  properties: { bridge: { type: "string", pattern: "^[a-z]+$" } },
});

test("compileSchema() says which field of a configuration is wrong", () => {
  const schema = compileSchema(BRIDGE);
  assert.equal(schema.check({ bridge: "abc", other: 1 }).problem, "");
  assert.match(schema.check({ bridge: "a/b" }).problem, /bridge must match pattern/);
});

for (const [text, message] of [
  ["{", /no JSON/],
  ["[]", /expected an object/],
  ['{"type": 5}', /does not compile/],
] as const) {
  test(`compileSchema() refuses ${text}`, () => {
    assert.throws(() => compileSchema(text), { name: "Violation", message });
  });
}
