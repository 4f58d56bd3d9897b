import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closestOf } from "./closest.ts";
import { findUnknownKeys } from "./unknown-keys.ts";

const master = { properties: { master: {}, mode: {} } };

function unknown(config: object, schema: object | string = master): string[] {
  const configSchemaJson = typeof schema === "string" ? schema : JSON.stringify(schema);
  return findUnknownKeys(JSON.stringify(config), { name: "macvlan", configSchemaJson });
}

describe("findUnknownKeys()", () => {
  it("tells of keys that nobody reads, and what may be meant", () => {
    assert.deepEqual(unknown({ type: "patchbay", mastr: "eth1", mode: "x", ipm: {}, other: 1 }), [
      "mastr is not a key of plugin macvlan, did you mean master?",
      "ipm is not a key of plugin macvlan, did you mean ipam?",
      "other is not a key of plugin macvlan",
    ]);
    assert.deepEqual(unknown({ "a b\u001b": 1 }), ['"a b\\u001b" is not a key of plugin macvlan']);
  });

  it("knows the host's keys, comments and names of somebody's own", () => {
    const host = { name: "n", plugin: "p", mtu: 1, ipam: {}, dns: {}, tuning: {}, bandwidth: {} };
    const libcni = { cniVersion: "1.1.0", capabilities: {}, disableCheck: true, args: {} };
    assert.deepEqual(unknown({ ...host, ...libcni, "org.example.key": 1, _comment: "" }), []);
  });

  it("finds keys in schemas within the schema", () => {
    const schema = { ...master, oneOf: [{ properties: { a1: {} } }, { else: master }] };
    assert.deepEqual(unknown({ a1: 1, a22: 1 }, schema), ["a22 is not a key of plugin macvlan"]);
    assert.deepEqual(unknown({ b: 1 }, { ...master, dependentSchemas: { a: master } }).length, 1);
  });

  it("says nothing where the schema names no keys, or leaves them open", () => {
    const open = [
      "",
      "{}",
      { type: "object", properties: {} },
      { ...master, patternProperties: { "^x": {} } },
      { ...master, additionalProperties: true },
      { ...master, additionalProperties: { type: "string" } },
      { ...master, allOf: [{ $ref: "#/$defs/a" }] },
      JSON.parse(`${'{"allOf":['.repeat(20)}{"properties":{"a":{}}}${"]}".repeat(20)}`) as object,
    ];
    for (const schema of open) assert.deepEqual(unknown({ mastr: 1 }, schema), []);
    assert.equal(unknown({ mastr: 1 }, { ...master, additionalProperties: false }).length, 1);
  });

  it("is bounded", () => {
    const keys = Array.from({ length: 20 }, (_, index) => `other${index}${"x".repeat(90_000)}`);
    const told = unknown(Object.fromEntries(keys.map((key) => [key, 1])));
    assert.equal(told.length, 9);
    assert.equal(told[8], "12 more are not keys of plugin macvlan");
    assert.ok(told.every(({ length }) => length < 200));
  });
});

describe("closestOf()", () => {
  for (const [word, closest] of [
    ["Master", "master"],
    ["amster", "master"],
    ["mastter", "master"],
    ["mode", "mode"],
    ["mod", "mode"],
    ["me", undefined],
    ["parent", undefined],
  ] as const) {
    it(`finds ${closest} for ${word}`, () => {
      assert.equal(closestOf(word, ["mtu", "mode", "master"]), closest);
    });
  }
});
