import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command writes. Everything that comes from outside is made harmless here. */
export interface Output {
  /** A line on standard output. */
  line(text?: string): void;
  /** A line on standard error. */
  errorLine(text: string): void;
  /** A value for programs, on several lines. */
  json(value: unknown): void;
  /** A value for programs, on one line: one of many. */
  jsonLine(value: unknown): void;
  /** Text as it is, or coloured on a terminal. */
  style(style: Style, text: string): string;
}

export interface OutputSinks {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** True: standard output is a terminal that wants colour. */
  readonly color: boolean;
}

export function createOutput(sinks: OutputSinks): Output {
  return {
    line: (text = "") => sinks.write(`${text}\n`),
    errorLine: (text) => sinks.writeError(`${text}\n`),
    json: (value) => sinks.write(`${escapeJson(JSON.stringify(value, null, 2))}\n`),
    jsonLine: (value) => sinks.write(`${escapeJson(JSON.stringify(value))}\n`),
    style: (style, text) =>
      sinks.color ? styleText(style, text, { validateStream: false }) : text,
  };
}

// Control characters of both sets, and what turns the direction of text: names come from pods and
// runtimes, and must neither move the cursor nor look like something else.
// oxlint-disable-next-line no-control-regex -- they are what it is about
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text from outside, on one line, with everything unprintable as \u{HEX}. */
export function sanitize(text: string): string {
  return text.replaceAll(unprintable, (character) => `\\u{${codeOf(character)}}`);
}

/** JSON.stringify leaves the second set of control characters and the rest as they are. */
function escapeJson(json: string): string {
  return json.replaceAll(unprintable, (character) =>
    character === "\n" ? character : `\\u${codeOf(character).padStart(4, "0")}`,
  );
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
