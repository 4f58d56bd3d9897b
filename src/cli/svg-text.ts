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
}

export interface LabelOptions<Tone extends string> {
  readonly maxWidth: number;
  readonly anchor?: Label["anchor"];
  readonly tone?: Tone | undefined;
  readonly whole?: string | undefined;
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
  { maxWidth, anchor = "start", tone, whole: given }: LabelOptions<Tone>,
): Label<Tone> {
  const clean = sanitize(at.text);
  const text = cutText(clean, at.style, maxWidth);
  const whole = given === undefined ? clean : sanitize(given);
  return { ...at, text, anchor, ...(tone && { tone }), ...(whole !== text && { whole }) };
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
