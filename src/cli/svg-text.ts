import { sanitize } from "./output.ts";
import { widthOf } from "./table.ts";

/** Text in a picture: how wide it is, and what is cut to fit. */

/** Font sizes, px. */
export const fontSizes = { title: 18, heading: 14, main: 12, small: 11, note: 11 } as const;

export type TextStyle = keyof typeof fontSizes;

export interface Label<Tone extends string = string> {
  readonly x: number;
  /** Of the baseline. */
  readonly y: number;
  readonly text: string;
  readonly style: TextStyle;
  readonly anchor: "start" | "end" | "middle";
  readonly tone?: Tone;
  /** The whole of it, where the text is cut or stands for more. */
  readonly whole?: string;
  /** The pointer goes to what it stands on, which says more. */
  readonly isStill?: boolean;
}

export interface LabelOptions<Tone extends string> {
  readonly maxWidth: number;
  readonly anchor?: Label["anchor"];
  readonly tone?: Tone | undefined;
  readonly whole?: string | undefined;
  readonly isStill?: boolean;
}

/** Advance of a monospace character by its size: 0.55 (Consolas) to 0.62 (SF Mono). */
const ADVANCE = 0.62;

/** Estimated width of a text in pixels, rather too wide than too narrow. */
export function textWidth(text: string, style: TextStyle): number {
  return widthOf(text) * fontSizes[style] * ADVANCE;
}

/** A text from anywhere at a place, no wider than it may be. */
export function placeLabel<Tone extends string = never>(
  at: { readonly x: number; readonly y: number; readonly text: string; readonly style: TextStyle },
  { maxWidth, anchor = "start", tone, whole, isStill = false }: LabelOptions<Tone>,
): Label<Tone> {
  const clean = sanitize(at.text);
  const text = cutText(clean, at.style, maxWidth);
  const all = whole === undefined ? clean : sanitize(whole);
  const placed = { ...at, text, anchor, ...(tone && { tone }) };
  if (isStill) return { ...placed, isStill };
  return all === text ? placed : { ...placed, whole: all };
}

/** The text, or its beginning with "…". */
export function cutText(text: string, style: TextStyle, maxWidth: number): string {
  if (textWidth(text, style) <= maxWidth) return text;
  let cut = "";
  let width = textWidth("…", style);
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += textWidth(segment, style);
    if (width > maxWidth) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** The text on at most so many lines, broken at spaces; what does not fit is cut. No text: no line. */
export function wrapText(
  text: string,
  style: TextStyle,
  { maxWidth, lines: most }: { readonly maxWidth: number; readonly lines: number },
): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const last = lines.at(-1);
    const joined = last === undefined ? word : `${last} ${word}`;
    const isFull = last !== undefined && textWidth(joined, style) > maxWidth;
    if (isFull && lines.length < most) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = joined;
  }
  return lines.map((line) => cutText(line, style, maxWidth));
}

/** The text, or its beginning and its end with "…" between: names of pods differ at the end. */
export function cutMiddle(text: string, style: TextStyle, maxWidth: number): string {
  if (textWidth(text, style) <= maxWidth) return text;
  const segments = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  const tail = segments.slice(-12).join("");
  const room = maxWidth - textWidth(tail, style);
  return room < maxWidth / 3 ? cutText(text, style, maxWidth) : cutText(text, style, room) + tail;
}
