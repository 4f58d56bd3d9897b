import { fontSizes, type Label } from "./svg-text.ts";

/**
 * A picture as an SVG document: light or dark as the viewer wants it, no scripts, nothing loaded.
 * Names come from outside: all text is escaped.
 */
export interface Picture {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Rules beside the common ones. */
  readonly rules: readonly string[];
  /** Rules that need colours. */
  readonly colors: (palette: Palette) => readonly string[];
  /** Elements, in the order in which they are painted. */
  readonly elements: readonly string[];
}

export interface Palette {
  readonly page: string;
  readonly band: string;
  readonly bandLine: string;
  readonly line: string;
  readonly text: string;
  readonly note: string;
  readonly good: string;
  readonly bad: string;
  readonly warning: string;
  /** To tell things apart, none of the three before. */
  readonly hues: readonly string[];
}

const light: Palette = {
  page: "#ffffff",
  band: "#f4f6f8",
  bandLine: "#d0d7de",
  line: "#818b98",
  text: "#1f2328",
  note: "#59636e",
  good: "#1a7f37",
  bad: "#cf222e",
  warning: "#9a6700",
  hues: ["#0969da", "#8250df", "#0f7b7b", "#bf3989", "#4d6b1e", "#5b5fc7", "#8a4b2a", "#44617a"],
};

const dark: Palette = {
  page: "#0d1117",
  band: "#161c24",
  bandLine: "#3d444d",
  line: "#7d8590",
  text: "#f0f6fc",
  note: "#9da7b3",
  good: "#3fb950",
  bad: "#f85149",
  warning: "#d29922",
  hues: ["#58a6ff", "#bc8cff", "#39c5bb", "#f778ba", "#a3c85a", "#9a9df5", "#d9976b", "#8fb2cf"],
};

/** How many things have a hue of their own. */
export const HUES: number = light.hues.length;

export function drawPicture({ title, width, height, rules, colors, elements }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${styleSheet(rules, colors)}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...elements,
    "</svg>",
    "",
  ].join("\n");
}

export function drawLabel({ x, y, text, style, anchor, tone, whole, isStill }: Label): string {
  const classes = [style, tone, isStill && "still"].filter(Boolean).join(" ");
  const at = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const tip = whole === undefined ? "" : drawTip(whole);
  return `<text class="${classes}" x="${x}" y="${y}"${at}>${tip}${escapeXml(text)}</text>`;
}

/** What a viewer shows when the pointer is there. */
export function drawTip(text: string): string {
  return `<title>${escapeXml(text)}</title>`;
}

/** XML 1.0 has no place for lone surrogates, U+FFFE and U+FFFF, whatever they are escaped as. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function styleSheet(rules: Picture["rules"], colors: Picture["colors"]): string {
  return [
    "text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
    ...Object.entries(fontSizes).map(([name, size]) => `.${name}{font-size:${size}px}`),
    ".title,.heading,.main{font-weight:600}",
    ".dashed{stroke-dasharray:5 3}",
    ...rules,
    ...colorRules(light, colors),
    `@media (prefers-color-scheme:dark){${colorRules(dark, colors).join("")}}`,
  ].join("");
}

/** With plain values: not every viewer knows custom properties. */
function colorRules(palette: Palette, colors: Picture["colors"]): string[] {
  return [
    `.page{fill:${palette.page}}`,
    `.band{fill:${palette.band};stroke:${palette.bandLine}}`,
    `text{fill:${palette.text}}`,
    `.note{fill:${palette.note}}`,
    ...colors(palette),
  ];
}
