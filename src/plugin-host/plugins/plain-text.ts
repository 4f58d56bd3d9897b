/** Of the text of a plugin that is shown to people, UTF-16 units. */
const TEXT_MAX = 1_000;

// oxlint-disable-next-line no-control-regex -- they are what it is about
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** What a plugin says, on one line that people can read: no control characters, not without end. */
export function toPlainText(text: string): string {
  const line = text.slice(0, TEXT_MAX).replaceAll(CONTROLS, " ").trim();
  return text.length > TEXT_MAX ? `${line}...` : line;
}
