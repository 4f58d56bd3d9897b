import { formatNumber } from "./format.ts";
import type { Bus, Joint, MapBox, MapTone } from "./map-canvas.ts";
import { layOutNode, type MapHead } from "./map-layout.ts";
import { modelNode, type NodeAnswers, type NodeModel } from "./map-model.ts";
import { sanitize } from "./output.ts";
import { drawLabel, drawPicture, drawTip, type Palette } from "./svg-document.ts";

/** The node as an SVG. `part` says what of it was asked for; empty: all. */
export function drawNode(answers: NodeAnswers, part = ""): string {
  const whole = modelNode(answers);
  const model = part === "" ? whole : withoutOthers(whole);
  const head = describeHead(answers, model, part);
  const { width, height, boxes, labels, buses, joints } = layOutNode(model, head);
  const below = boxes.filter(({ role }) => role === "node" || role === "row");
  const above = boxes.filter(({ role }) => role !== "node" && role !== "row");
  return drawPicture({
    ...{ title: sanitize(head.title), width, height },
    rules: [
      ".network,.pod,.interface{stroke-width:1.5}",
      ".bus{fill:none;stroke-width:4}",
      ".joint{fill:none;stroke-width:2}",
      ".still{pointer-events:none}",
    ],
    colors: colorRules,
    elements: [
      ...below.map(drawBox),
      ...buses.map(drawBus),
      ...joints.flatMap(drawJoint),
      ...above.map(drawBox),
      ...labels.map(drawLabel),
    ],
  });
}

/** Of a part: nothing that it has nothing to do with. */
function withoutOthers(model: NodeModel): NodeModel {
  const used = new Set(model.networks.map(({ plugin }) => plugin));
  return { ...model, unused: [], plugins: model.plugins.filter(({ name }) => used.has(name)) };
}

function describeHead({ status }: NodeAnswers, model: NodeModel, part: string): MapHead {
  const { networks, unused, pods } = model;
  const interfaces = pods.reduce((sum, pod) => sum + pod.interfaces.length, 0);
  const counts = [
    formatNumber(pods.length, "pod"),
    formatNumber(networks.length + unused.length, "network"),
    formatNumber(interfaces, "interface"),
    ...describePlugins(model),
  ];
  const name = status.nodeName === "" ? "This node" : `Node ${status.nodeName}`;
  return {
    title: part === "" ? name : `${name}: ${part}`,
    facts: counts.join(", "),
    trouble: status.ready ? "" : `Not ready: ${status.reason}`,
  };
}

function describePlugins({ plugins }: NodeModel): string[] {
  const foreign = plugins.filter(({ builtIn }) => !builtIn).length;
  const bad = plugins.filter(({ trouble }) => trouble !== "").length;
  const facts = [
    ...(foreign > 0 ? [`${foreign} third-party`] : []),
    ...(bad > 0 ? [`${bad} not working`] : []),
  ];
  const count = formatNumber(plugins.length, "plugin");
  return [facts.length > 0 ? `${count} (${facts.join(", ")})` : count];
}

function drawBox({ role, x, y, width, height, hue, tone, tip, ...box }: MapBox): string {
  const classes = [
    role,
    hue === undefined ? "" : `h${hue}`,
    tone,
    box.isDashed && "dashed",
    box.isDefault && "default",
  ];
  const radius = role === "mark" || role === "tag" ? 3 : 5;
  const rect = `<rect class="${classes.filter(Boolean).join(" ")}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"`;
  return tip ? `${rect}>${drawTip(tip.map(sanitize).join("\n"))}</rect>` : `${rect}/>`;
}

function drawBus({ x, top, bottom, hue, isDashed }: Bus): string {
  return `<path class="bus h${hue}${isDashed ? " dashed" : ""}" d="M${x} ${top}V${bottom}"/>`;
}

function drawJoint({ x1, x2, y, hue }: Joint): string[] {
  return [
    `<path class="joint h${hue}" d="M${x1} ${y}H${x2}"/>`,
    `<circle class="h${hue}" cx="${x1}" cy="${y}" r="4.5"/>`,
  ];
}

function colorRules({ page, band, bandLine, line, text, bad, warning, hues }: Palette): string[] {
  const tones: Record<MapTone, string> = { bad, warning, foreign: text, link: page };
  return [
    `.node{fill:${band};stroke:${bandLine}}`,
    `.row{fill:${band}}`,
    `.network,.pod,.interface,.tag,.mark{fill:${page};stroke:${line}}`,
    ...hues.map(
      (color, hue) =>
        `rect.h${hue},path.h${hue}{stroke:${color}}circle.h${hue},.link.h${hue}{fill:${color}}.default.h${hue}{fill:${color};fill-opacity:.16}`,
    ),
    ...Object.entries(tones).map(
      ([tone, color]) => `rect.${tone}{stroke:${color}}text.${tone}{fill:${color}}`,
    ),
  ];
}
