import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LIMITS } from "./limits.ts";
import { MANIFEST_LIMITS } from "./manifests/manifest-limits.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/limits.md"), "utf8");

test("docs/limits.md shows every limit with its value", () => {
  const rows = [...page.matchAll(/^\| ([a-z]\w+) \| (\d+) \|/gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]);
  assert.deepEqual(rows, Object.entries(LIMITS));
});

test("docs/limits.md shows every limit of the manifest folder", () => {
  const rows = [...page.matchAll(/^\| manifests\.(\w+) \| (\d+) \|/gm)];
  assert.deepEqual(
    rows.map(([, name, value]) => [name, Number(value)]),
    Object.entries(MANIFEST_LIMITS),
  );
});

test("docs/limits.md shows constants of single parts as they are", () => {
  const rows = [...page.matchAll(/^\| `([\w./-]+)` ([A-Z_]+) \| (\d+) \|/gm)];
  assert.ok(rows.length > 10);
  for (const [, file = "", name = "", value] of rows) {
    const source = readFileSync(join(root, file), "utf8");
    const written = new RegExp(`const ${name} = ([^;]+);`).exec(source)?.[1] ?? "";
    const [base = "", shift = "0"] = written.replaceAll("_", "").split("<<");
    assert.equal(Number(base) * 2 ** Number(shift), Number(value), `${file} ${name}`);
  }
});
