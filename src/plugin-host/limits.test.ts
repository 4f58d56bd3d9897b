import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LIMITS } from "./limits.ts";

test("docs/limits.md shows every limit with its value", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/limits.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([a-z]\w+) \| (\d+) \|/gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]);
  assert.deepEqual(rows, Object.entries(LIMITS));
});
