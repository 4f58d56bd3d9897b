import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import type { Tone } from "./services-map-groups.ts";
import { type Box, type Edge, layOutServices } from "./services-map-layout.ts";
import { drawLabel, drawPicture, type Palette } from "./svg-document.ts";

/**
 * Services as an SVG of a fixed width: a band for each, with its frontends, the lists of endpoints
 * that they lead to, and the endpoints by node.
 */
export function drawServices(services: readonly ServiceView__Output[]): string {
  const { width, height, boxes, labels, edges } = layOutServices(services);
  return drawPicture({
    ...{ title: "Services of this node", width, height },
    rules: [".frontend,.group{stroke-width:1.5}", ".edge{fill:none;stroke-width:1.5}"],
    colors: colorRules,
    elements: [...boxes.map(drawBox), ...edges.map(drawEdge), ...labels.map(drawLabel)],
  });
}

function drawBox({ role, x, y, width, height, tone, isDashed }: Box): string {
  const classes = [role, tone, isDashed && "dashed"].filter(Boolean).join(" ");
  return `<rect class="${classes}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${role === "mark" ? 2 : 5}"/>`;
}

function drawEdge({ x1, y1, x2, y2, tone, isDashed }: Edge): string {
  const middle = (x1 + x2) / 2;
  return `<path class="edge ${tone}${isDashed ? " dashed" : ""}" d="M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}"/>`;
}

function colorRules({ page, line, good, bad, warning }: Palette): string[] {
  const tones: Record<Tone, string> = { forward: good, reject: bad, drop: warning };
  return [
    `.frontend,.group,.node,.mark{fill:${page};stroke:${line}}`,
    ...Object.entries(tones).map(
      ([tone, color]) =>
        `rect.${tone},path.${tone}{stroke:${color}}.mark.${tone}{fill:${color}}text.${tone}{fill:${color}}`,
    ),
  ];
}
