import { stripVTControlCharacters } from "node:util";
import { type Output, sanitize } from "./output.ts";

export interface Column<Row> {
  readonly title: string;
  /** Text of a cell; made harmless by the table. */
  readonly value: (row: Row) => string;
  /** Numbers stand at the right. */
  readonly align?: "left" | "right";
  /** Colour of a cell on a terminal. */
  readonly style?: (row: Row) => Parameters<Output["style"]>[0] | undefined;
}

/** What is wrong with a row, else what to know of it, else "ok". */
export function troubleColumn<Row>(
  troubleOf: (row: Row) => string,
  noteOf: (row: Row) => string,
): Column<Row> {
  return {
    title: "STATE",
    value: (row) => troubleOf(row) || noteOf(row) || "ok",
    style(row) {
      if (troubleOf(row) !== "") return "red";
      return noteOf(row) === "" ? "green" : "yellow";
    },
  };
}

/** Prints rows below titles, columns as wide as their widest cell. Nothing but the titles when there are none. */
export function printTable<Row>(
  output: Output,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const cells = rows.map((row) => columns.map((column) => sanitize(column.value(row)) || "-"));
  const widths = columns.map((column, index) =>
    cells.reduce((width, line) => Math.max(width, widthOf(line[index] ?? "")), column.title.length),
  );
  const titles = columns.map((column, index) =>
    pad(column.title, widths[index] ?? 0, column.align),
  );
  output.line(output.style("bold", titles.join("  ").trimEnd()));
  for (const [rowIndex, row] of rows.entries()) {
    const line = columns.map((column, index) => {
      const text = cells[rowIndex]?.[index] ?? "";
      const padded = pad(text, widths[index] ?? 0, column.align);
      const style = column.style?.(row);
      return style ? padded.replace(text, () => output.style(style, text)) : padded;
    });
    output.line(line.join("  ").trimEnd());
  }
}

function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const blank = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "left" ? text + blank : blank + text;
}

/** Columns on a terminal: characters, and two for the wide ones of East Asia and emoji. */
export function widthOf(text: string): number {
  // Nearly every cell, and a hundred times as fast: a node may have 30,000 Services.
  if (ascii.test(text)) return text.length;
  let width = 0;
  const segments = new Intl.Segmenter().segment(stripVTControlCharacters(text));
  for (const { segment } of segments) width += wide.test(segment) ? 2 : 1;
  return width;
}

const ascii = /^[ -~]*$/;
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
