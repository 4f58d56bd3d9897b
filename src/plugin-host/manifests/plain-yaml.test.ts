import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseAllDocuments, stringify } from "yaml";
import { locateInPlainYaml, type PathPart, readPlainYaml } from "./plain-yaml.ts";

function whole(text: string) {
  return { start: 0, end: text.length };
}

/** What the library makes of it; undefined where it has something against it. */
function readWithLibrary(text: string): { value: unknown } | undefined {
  const documents = parseAllDocuments(text, { prettyErrors: false, schema: "core", merge: true });
  if (documents.length === 0) return { value: null };
  const [document] = documents;
  if (documents.length !== 1 || document === undefined) return undefined;
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  return { value: document.toJS() as unknown };
}

function agrees(text: string): boolean {
  const plain = readPlainYaml(text, whole(text));
  if (plain === undefined) return false;
  assert.deepEqual(plain, readWithLibrary(text), JSON.stringify(text));
  return true;
}

const PLAIN = [
  "",
  "# nothing\n\n",
  "a: 1\n",
  "a: b # c\nd: e#f\n",
  "a:\nb:\n",
  "a:\n- b\n- c: 1\n  d: 2\n-\n  e: 3\nf: g\n",
  "a:\n  - b\n  -   c: d\n      e: f\n",
  "a: 'it''s'\nb: \"x\\n\\u00e9\"\nc: \"\"\n",
  'a: {}\nb: []\nc: [1, x, "y z", fd00::1]\nd: [{name: http, port: 80}, {}]\n',
  "a: |\n  one\n\n    two\n\nb: |-\n    x: y\n    # no comment\nc: 1\n",
  "a: 10.96.0.1\nb: 10.96.0.0/16\nc: fd00::1\nd: 2026-01-31T12:00:00Z\ne: 0\n",
  "a: true\nb: False\nc: null\nd: yes\ne: No\nf: trueish\n",
  "  a: 1\n  b: 2\n",
  "a: 1",
  "- a\n- b:\n  - c\n  d: e\n",
  "a:   \n    b:   c   \n",
  "a: b c, [d] {e} & *f !g\n",
];

const LEFT_TO_THE_LIBRARY = [
  "&a b: 1\n",
  "a: &x 1\nb: *x\n",
  "a: !t b\n",
  "a: >\n  folded\n",
  "a: |+\n  b\n\n",
  "a: b\n  c\n",
  "a: [1,\n  2]\n",
  "a: 'b\n  c'\n",
  "\ta: 1\n",
  "a:\tb\n",
  "? a\n: b\n",
  "a: 1\na: 2\n",
  "__proto__: {a: 1}\n",
  "a: 1.5\n",
  "a: 010\n",
  "a: 0x10\n",
  "a: -1\n",
  "a: ~\n",
  "null: 1\n",
  "<<: 1\n",
  "a: b: c\n",
  "a: 1\n b: 2\n",
  "a:\n - b\n- c\n",
  '{"a": 1}\n',
  "scalar\n",
];

describe("readPlainYaml()", () => {
  for (const text of PLAIN) {
    it(`reads ${JSON.stringify(text)} as the library does`, () => {
      assert.equal(agrees(text), true);
    });
  }
  for (const text of LEFT_TO_THE_LIBRARY) {
    it(`leaves ${JSON.stringify(text)} to the library`, () => {
      assert.equal(readPlainYaml(text, whole(text)), undefined);
    });
  }

  it("leaves what is nested deeper than 32 to the library", () => {
    const nested = (depth: number) =>
      Array.from({ length: depth }, (_, level) => `${" ".repeat(level)}a:\n`).join("");
    assert.equal(agrees(nested(32)), true);
    assert.equal(readPlainYaml(nested(33), whole(nested(33))), undefined);
  });

  it("reads only its range", () => {
    const text = "a: 1\n---\nb: 2\n---\nc: 3\n";
    assert.deepEqual(readPlainYaml(text, { start: 9, end: 14 }), { value: { b: 2 } });
  });

  it("never says other than the library, whatever the pieces", () => {
    const indent = fc.integer({ min: 0, max: 4 }).map((count) => " ".repeat(count));
    const start = fc.constantFrom(
      "",
      "- ",
      "-",
      "a: ",
      "b:",
      "c:  ",
      "- d: ",
      "- e:",
      "#",
      "'q': ",
    );
    const value = fc.constantFrom(
      ..."|  |-  1  0x1  1.5  x  x y  'q'  \"r\"  [1, x]  {k: v}  {k: [v]}  null  true  #c  x #c".split(
        "  ",
      ),
      ..."x#c  [  ]  [a,]  [,]  {a}  {a: }  - y  a:b  ::1  fd00::1  10.0.0.1  'a''b'  \"\\t\"  [a: b]".split(
        "  ",
      ),
      ...'"\\x41"  x: y  *a  &a b  !t v  >  %  @  `  -1  .5  012  1e3  a\tb  [fd00::1, x:y]  1_000  [a b]'.split(
        "  ",
      ),
      "",
      " ",
    );
    const line = fc.tuple(indent, start, value).map((parts) => parts.join(""));
    const text = fc
      .tuple(fc.array(line, { maxLength: 7 }), fc.constantFrom("\n", ""))
      .map(([lines, end]) => lines.join("\n") + end);
    let plain = 0;
    fc.assert(
      fc.property(text, (each) => {
        if (agrees(each)) plain++;
      }),
      { numRuns: 20_000 },
    );
    assert.ok(plain > 200, `only ${plain} were plain`);
  });

  it("reads what the library writes", () => {
    const key = fc.stringMatching(/^[a-z][a-zA-Z0-9./_-]{0,8}$/);
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(
        { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
        { weight: 2, arbitrary: fc.string({ maxLength: 20 }) },
        { weight: 20, arbitrary: fc.stringMatching(/^[a-z][a-z0-9.:/ -]{0,20}$/) },
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
      ),
      tree: fc.oneof(
        { depthSize: "small" },
        tie("leaf"),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    const options = fc.record({
      indent: fc.integer({ min: 2, max: 4 }),
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom("any" as const, "block" as const, "flow" as const),
      lineWidth: fc.constantFrom(0, 40, 80),
    });
    let plain = 0;
    fc.assert(
      fc.property(fc.dictionary(key, tree), options, (value, how) => {
        if (agrees(stringify(value, how))) plain++;
      }),
      { numRuns: 2_000 },
    );
    assert.ok(plain > 50, `only ${plain} were plain`);
  });
});

describe("locateInPlainYaml()", () => {
  const text = [
    "kind: Service # one",
    "spec:",
    "  ports:",
    "  - port: 80",
    "    name: a",
    "  - name: b",
    "    port: 0",
    "  list: [1, 2]",
    "  text: |",
    "    x",
    "  deep:",
    "    a: 1",
    "",
  ].join("\n");
  const table: readonly (readonly [readonly PathPart[], string])[] = [
    [[], "kind: Service"],
    [["kind"], "Service # one"],
    [["spec"], "ports:"],
    [["spec", "ports"], "- port: 80"],
    [["spec", "ports", 0], "port: 80"],
    [["spec", "ports", 0, "port"], "80"],
    [["spec", "ports", 0, "nodePort"], "port: 80"],
    [["spec", "ports", 1], "name: b"],
    [["spec", "ports", 1, "port"], "0"],
    [["spec", "ports", 2], "- port: 80"],
    [["spec", "list", 1], "[1, 2]"],
    [["spec", "text"], "|"],
    [["spec", "deep", "a"], "1"],
    [["spec", "none", "a"], "ports:"],
    [["none"], "kind: Service"],
  ];
  for (const [path, expected] of table) {
    it(`finds ${JSON.stringify(path)}`, () => {
      const offset = locateInPlainYaml(text, whole(text), path) ?? -1;
      assert.equal(
        text.slice(offset).split("\n", 1)[0]?.startsWith(expected),
        true,
        text.slice(offset),
      );
    });
  }
});
