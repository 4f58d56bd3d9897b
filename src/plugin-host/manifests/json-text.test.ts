import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { findJsonError, locateInJson } from "./json-text.ts";
import type { PathPart } from "./plain-yaml.ts";

describe("findJsonError()", () => {
  const table: readonly (readonly [string, number, string])[] = [
    ["", 0, "found the end of the file, expected a value"],
    ['{"a": x}', 6, 'found "x", expected a value'],
    ['{"a":1,}', 7, 'found "}", expected a name in double quotes'],
    ['{"a" 1}', 5, 'found "1", expected ":"'],
    ["[1,2", 4, 'found the end of the file, expected "," or "]"'],
    ["[1] 2", 4, 'found "2", expected nothing after the end'],
    ["[1 2]", 3, 'found "2", expected "," or "]"'],
    ["{'a': 1}", 1, 'found "\'", expected a name in double quotes'],
    ['["a\nb"]', 1, "text without end, or with a control character or unknown escape"],
    ['["a', 1, "text without end, or with a control character or unknown escape"],
    ["[01]", 2, 'found "1", expected "," or "]"'],
  ];
  for (const [text, offset, message] of table) {
    it(`says what is wrong in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(findJsonError(text), { offset, message });
    });
  }

  it("finds an error exactly where JSON.parse has one", () => {
    const piece = fc.constantFrom(
      ...`{ } [ ] , : "a" "b\\n" "\\x" " 1 -1 01 1.5 1e3 . true nul null`.split(" "),
      " ",
      "\n",
    );
    const random = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
    const edited = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.nat(200), piece)
      .map(([json, at, put]) => json.slice(0, at) + put + json.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(random, edited, fc.json()), (text) => {
        assert.equal(findJsonError(text) === undefined, parses(text), text);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is not recursive", () => {
    const depth = 200_000;
    assert.equal(findJsonError("[".repeat(depth) + "]".repeat(depth)), undefined);
    assert.equal(findJsonError("[".repeat(depth))?.offset, depth);
  });
});

describe("locateInJson()", () => {
  const text = '{ "a": [1, {"b": 0, "c": [[], {"x": "]"}]}], "d" : "x", "d": "y" }';
  const table: readonly (readonly [readonly PathPart[], string])[] = [
    [[], '{ "a"'],
    [["a"], "[1, {"],
    [["a", 0], "1"],
    [["a", 1, "b"], "0"],
    [["a", 1, "c", 1, "x"], '"]"'],
    [["a", 1, "none"], '{"b"'],
    [["a", 7], "[1, {"],
    [["d"], '"y"'],
    [["none"], '{ "a"'],
  ];
  for (const [path, expected] of table) {
    it(`finds ${JSON.stringify(path)}`, () => {
      const found = text.slice(locateInJson(text, path));
      assert.ok(found.startsWith(expected), found);
    });
  }
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
