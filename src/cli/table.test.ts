// oxlint-disable no-control-regex -- they must not come through
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createOutput } from "./output.ts";
import { type Column, printTable } from "./table.ts";

interface Row {
  readonly name: string;
  readonly count: number;
}

const columns: readonly Column<Row>[] = [
  { title: "NAME", value: ({ name }) => name },
  { title: "COUNT", value: ({ count }) => String(count), align: "right" },
];

function print(
  rows: readonly Row[],
  color = false,
  table: readonly Column<Row>[] = columns,
): string {
  const chunks: string[] = [];
  const write = (text: string) => void chunks.push(text);
  printTable(createOutput({ write, writeError: write, color }), table, rows);
  return chunks.join("");
}

describe("printTable()", () => {
  it("makes columns as wide as their widest cell, numbers at the right", () => {
    const rows = [
      { name: "a", count: 1 },
      { name: "longer", count: 20_000 },
    ];
    assert.equal(print(rows), "NAME    COUNT\na           1\nlonger  20000\n");
  });

  it("prints titles only when there are no rows", () => {
    assert.equal(print([]), "NAME  COUNT\n");
  });

  it("prints a dash for an empty cell", () => {
    assert.equal(print([{ name: "", count: 0 }]), "NAME  COUNT\n-         0\n");
  });

  it("counts wide characters twice", () => {
    const rows = [
      { name: "日本", count: 1 },
      { name: "abcd", count: 2 },
    ];
    assert.equal(print(rows), "NAME  COUNT\n日本      1\nabcd      2\n");
  });

  it("makes control characters of names harmless", () => {
    const text = print([{ name: "\u001b[31mred\nline\u202e\u009b", count: 1 }]);
    assert.match(text, /\\u\{1b\}\[31mred\\u\{a\}line\\u\{202e\}\\u\{9b\}/);
    assert.doesNotMatch(text, /\u001b|\u202e|\u009b/);
  });

  it("colours on a terminal only, without moving columns", () => {
    const styled: readonly Column<Row>[] = [{ ...columns[0]!, style: () => "red" }, columns[1]!];
    const rows = [
      { name: "$&", count: 1 },
      { name: "longer", count: 2 },
    ];
    assert.equal(print(rows, false, styled), "NAME    COUNT\n$&          1\nlonger      2\n");
    assert.match(print(rows, true, styled), /\u001b\[31m\$&\u001b\[39m {10}1\n/);
  });
});
