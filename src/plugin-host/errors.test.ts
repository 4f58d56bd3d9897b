import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { ERRORS, formatErrorChain, PatchbayError, toPatchbayError } from "./errors.ts";

const PAGE = join(import.meta.dirname, "../../docs/errors.md");

test("docs/errors.md shows the catalogue, row by row", () => {
  const rows = readFileSync(PAGE, "utf8")
    .split("\n")
    .filter((line) => /^\| [A-Z_]+ \|/.test(line));
  const expected = Object.entries(ERRORS).map(
    ([code, entry]) => `| ${code} | ${entry.cni} | ${entry.grpc} | ${entry.remedy} |`,
  );
  assert.deepEqual(rows, expected);
});

test("ERRORS never uses 3, names gRPC statuses, and keeps its own codes above 99", () => {
  const ofTheSpec = new Set([1, 2, 4, 5, 6, 7, 8, 11, 50, 51]);
  for (const [code, entry] of Object.entries(ERRORS)) {
    assert.ok(entry.cni >= 100 || ofTheSpec.has(entry.cni), code);
    assert.ok(entry.grpc in status, code);
  }
});

test("ERRORS gives each of its own codes to one error alone", () => {
  const own = Object.values(ERRORS).flatMap(({ cni }) => (cni >= 100 ? [cni as number] : []));
  assert.deepEqual(
    own.filter((cni, at) => own.indexOf(cni) !== at),
    [],
  );
});

test("toPatchbayError() makes what nobody foresaw INTERNAL and keeps the cause", () => {
  const bug = new TypeError("x is undefined");
  const error = toPatchbayError(bug);
  assert.equal(error.code, "INTERNAL");
  assert.equal(formatErrorChain(error), "Unexpected failure in the host: x is undefined");
  const known = new PatchbayError("POOL_EMPTY", "No address");
  assert.equal(toPatchbayError(known), known);
});
