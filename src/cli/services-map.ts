import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import {
  type Box,
  type Edge,
  fontSizes,
  type Label,
  layOutServices,
} from "./services-map-layout.ts";
import type { Tone } from "./services-map-groups.ts";

/**
 * Services as an SVG of a fixed width: a band for each, with its frontends, the lists of endpoints
 * that they lead to, and the endpoints by node. Light or dark as the viewer wants it; no scripts,
 * nothing loaded. Names come from outside: all text is escaped.
 */
export function drawServices(services: readonly ServiceView__Output[]): string {
  const { width, height, boxes, labels, edges } = layOutServices(services);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    "<title>Services of this node</title>",
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...boxes.map(drawBox),
    ...edges.map(drawEdge),
    ...labels.map(drawLabel),
    "</svg>",
    "",
  ].join("\n");
}

function drawBox({ role, x, y, width, height, tone, isDashed }: Box): string {
  const classes = [role, tone, isDashed && "dashed"].filter(Boolean).join(" ");
  return `<rect class="${classes}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${role === "mark" ? 2 : 5}"/>`;
}

function drawEdge({ x1, y1, x2, y2, tone, isDashed }: Edge): string {
  const middle = (x1 + x2) / 2;
  return `<path class="edge ${tone}${isDashed ? " dashed" : ""}" d="M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}"/>`;
}

function drawLabel({ x, y, text, style, anchor, tone, whole }: Label): string {
  const classes = [style, tone].filter(Boolean).join(" ");
  const at = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const tip = whole === undefined ? "" : `<title>${escapeXml(whole)}</title>`;
  return `<text class="${classes}" x="${x}" y="${y}"${at}>${tip}${escapeXml(text)}</text>`;
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

interface Palette extends Readonly<Record<Tone, string>> {
  readonly page: string;
  readonly band: string;
  readonly bandLine: string;
  readonly line: string;
  readonly text: string;
  readonly note: string;
}

const light: Palette = {
  page: "#ffffff",
  band: "#f4f6f8",
  bandLine: "#d0d7de",
  line: "#818b98",
  text: "#1f2328",
  note: "#59636e",
  forward: "#1a7f37",
  reject: "#cf222e",
  drop: "#9a6700",
};

const dark: Palette = {
  page: "#0d1117",
  band: "#161c24",
  bandLine: "#3d444d",
  line: "#7d8590",
  text: "#f0f6fc",
  note: "#9da7b3",
  forward: "#3fb950",
  reject: "#f85149",
  drop: "#d29922",
};

/** Rules with plain values: not every viewer knows custom properties. */
function colors(palette: Palette): string {
  const tones = (["forward", "reject", "drop"] as const).map(
    (tone) =>
      `rect.${tone},path.${tone}{stroke:${palette[tone]}}.mark.${tone}{fill:${palette[tone]}}text.${tone}{fill:${palette[tone]}}`,
  );
  return [
    `.page{fill:${palette.page}}`,
    `.band{fill:${palette.band};stroke:${palette.bandLine}}`,
    `.frontend,.group,.node,.mark{fill:${palette.page};stroke:${palette.line}}`,
    `text{fill:${palette.text}}`,
    `.note{fill:${palette.note}}`,
    ...tones,
  ].join("");
}

const style = [
  "text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
  ...Object.entries(fontSizes).map(([name, size]) => `.${name}{font-size:${size}px}`),
  ".title,.service,.main{font-weight:600}",
  ".frontend,.group{stroke-width:1.5}",
  ".edge{fill:none;stroke-width:1.5}",
  ".dashed{stroke-dasharray:5 3}",
  colors(light),
  `@media (prefers-color-scheme:dark){${colors(dark)}}`,
].join("");
