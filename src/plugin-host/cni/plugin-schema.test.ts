import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { compilePluginSchema } from "./plugin-schema.ts";

const isUnavailable = (error: unknown) =>
  error instanceof PatchbayError && error.code === "PLUGIN_UNAVAILABLE";

/** Each refers to the next one twice: 2^levels looks at a configuration. */
function doubling(levels: number, last: object): object {
  const definitions: Record<string, object> = { [`d${levels}`]: last };
  for (let level = 0; level < levels; level++) {
    const next = { $ref: `#/definitions/d${level + 1}` };
    definitions[`d${level}`] = { allOf: [next, next] };
  }
  return { definitions, $ref: "#/definitions/d0" };
}

describe("compilePluginSchema", () => {
  it("findError() names the first field that is wrong, each time", () => {
    const json = JSON.stringify({ properties: { color: { enum: ["red"] } } });
    const schema = compilePluginSchema(json);
    assert.equal(schema.findError('{"color":"red"}'), undefined);
    for (let count = 0; count < 10; count++) {
      assert.equal(schema.findError('{"color":"blue"}')?.instancePath, "/color");
    }
    assert.equal(schema.findError('{"color":"red"}'), undefined);
    assert.equal(compilePluginSchema(json), schema);
  });

  it("a schema that does not come to an end is stopped, and soon not tried any more", () => {
    const cases: Readonly<Record<string, object>> = {
      backtracking: { properties: { name: { pattern: "^(a+)+$" } } },
      references: doubling(40, { type: "object" }),
      circle: { $ref: "#" },
    };
    const config = JSON.stringify({ name: `${"a".repeat(60)}!` });
    for (const [name, json] of Object.entries(cases)) {
      const schema = compilePluginSchema(JSON.stringify(json));
      for (let count = 0; count < LIMITS.pluginDeadlinesMax + 20; count++) {
        assert.throws(() => schema.findError(config), isUnavailable, name);
      }
    }
  });

  it("references to what is large do not unfold", () => {
    const names = (prefix: string, count: number, value: object) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));
    const schema = compilePluginSchema(
      JSON.stringify({
        definitions: { large: { properties: names("p", 300, { type: "string" }) } },
        properties: names("q", 300, { $ref: "#/definitions/large" }),
      }),
    );
    assert.equal(schema.findError('{"q7":{"p9":1}}')?.instancePath, "/q7/p9");
  });

  it("what every object has is no key of a configuration", () => {
    const schema = '{"properties":{"constructor":{"type":"string"},"toString":{"type":"string"}}}';
    assert.equal(compilePluginSchema(schema).findError("{}"), undefined);
  });

  it("throws for what is no schema", () => {
    assert.throws(() => compilePluginSchema('{"type":"colour"}'));
    assert.throws(() => compilePluginSchema('{"$ref":"http://example.org/schema"}'));
  });
});
