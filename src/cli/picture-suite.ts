import assert from "node:assert/strict";
import { type Label, textWidth } from "./svg-text.ts";

/** What tests hold against every picture. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function areaOf(box: {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}): Area {
  const { x, y, width, height } = box;
  return { left: x, right: x + width, top: y, bottom: y + height };
}

export function areaOfLabel({ x, y, text, style, anchor }: Label): Area {
  const width = textWidth(text, style);
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
  return { left, right: left + width, top: y - 10, bottom: y + 3 };
}

export function overlaps(one: Area, other: Area): boolean {
  const isBeside = one.right <= other.left || other.right <= one.left;
  return !isBeside && one.top < other.bottom && other.top < one.bottom;
}

export function isWithin(inner: Area, outer: Area): boolean {
  return (
    inner.left >= outer.left &&
    inner.right <= outer.right &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}

/** All on the page, and none on another one. */
export function assertApart(areas: readonly Area[], page: Area): void {
  const sorted = areas.toSorted((one, other) => one.top - other.top);
  for (const [index, area] of sorted.entries()) {
    assert.ok(isWithin(area, page), JSON.stringify(area));
    for (const other of sorted.slice(index + 1)) {
      if (other.top >= area.bottom) break;
      assert.ok(!overlaps(area, other), `${JSON.stringify(area)} ${JSON.stringify(other)}`);
    }
  }
}

/** No text touches another one, and a text that begins in a box ends in it. */
export function assertLabelsFit(
  labels: readonly Label[],
  boxes: readonly Area[],
  page: Area,
): void {
  assertApart(labels.map(areaOfLabel), page);
  for (const label of labels) {
    const area = areaOfLabel(label);
    for (const box of boxes.filter((it) => overlaps(area, it))) {
      assert.ok(isWithin(area, box), JSON.stringify(label));
    }
  }
}

/** Every tag that opens closes, in order. */
export function assertWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, close, name = "", empty] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
    if (close) assert.equal(open.pop(), name);
    else if (!empty) open.push(name);
  }
  assert.deepEqual(open, []);
}
