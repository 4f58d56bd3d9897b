import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import { formatNumber } from "./format.ts";
import {
  type Card,
  collectGroups,
  type Group,
  mergeCards,
  type NodeGroup,
  type Tone,
  zoneOf,
} from "./services-map-groups.ts";
import { describeAffinity, endpointsOf, formatSocket, routeKey } from "./services-text.ts";
import {
  type Label,
  type LabelOptions,
  placeLabel,
  type TextStyle,
  textWidth,
} from "./svg-text.ts";

/** Where everything of a Services map stands, in pixels; services-map.ts writes it down as SVG. */
export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly labels: readonly Label<Tone>[];
  readonly edges: readonly Edge[];
}

export interface Box {
  readonly role: "band" | "frontend" | "group" | "node" | "mark";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly tone?: Tone;
  /** Not in force. */
  readonly isDashed?: boolean;
}

export interface Edge {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly tone: Tone;
  readonly isDashed?: boolean;
}

const WIDTH = 1200;
const MARGIN = 20;
const PADDING = 16;
const bandWidth = WIDTH - 2 * MARGIN;
const frontendColumn = { x: MARGIN + PADDING, width: 456 } as const;
const groupColumn = { x: 552, width: 140 } as const;
const nodeColumn = { x: 752, width: MARGIN + bandWidth - PADDING - 752 } as const;
const HEADER_HEIGHT = 126;
const BAND_TITLE_HEIGHT = 34;
const BAND_GAP = 14;
const BOX_GAP = 8;
const BOX_HEIGHT = 42;
const LINE_HEIGHT = 16;
const SIDE_WIDTH = 60;
const REST_HEIGHT = 28;

/** Endpoints that a node's box names before it only counts them. */
const NAMED_ENDPOINTS = 6;
/** Nodes that a list shows before it only counts them. */
const NAMED_NODES = 8;
/** Services that a map shows: more make a file that nothing opens. */
export const MAPPED_SERVICES = 500;

/** Lays out frontends, the lists of endpoints that they lead to, and endpoints by node: a band for each Service. */
export function layOutServices(services: readonly ServiceView__Output[]): MapLayout {
  const canvas = new Canvas();
  layOutHeader(canvas, services);
  let y = HEADER_HEIGHT;
  for (const service of services.slice(0, MAPPED_SERVICES)) {
    y = layOutBand(canvas, service, y) + BAND_GAP;
  }
  const rest = services.length - MAPPED_SERVICES;
  const note =
    rest > 0
      ? `and ${formatNumber(rest, "Service")} more: give the beginning of a name to see others`
      : services.length === 0 && "No Services";
  if (note !== false) {
    canvas.label(MARGIN, y + LINE_HEIGHT, note, "main");
    y += 2 * LINE_HEIGHT;
  }
  const { boxes, labels, edges } = canvas;
  return { width: WIDTH, height: y + MARGIN - BAND_GAP, boxes, labels, edges };
}

class Canvas {
  readonly boxes: Box[] = [];
  readonly labels: Label<Tone>[] = [];
  readonly edges: Edge[] = [];

  label(
    x: number,
    y: number,
    text: string,
    style: TextStyle,
    options: Partial<LabelOptions<Tone>> = {},
  ): void {
    this.labels.push(placeLabel({ x, y, text, style }, { maxWidth: bandWidth, ...options }));
  }
}

function layOutHeader(canvas: Canvas, services: readonly ServiceView__Output[]): void {
  canvas.label(MARGIN, 34, "Services of this node", "title");
  const frontends = services.reduce((sum, service) => sum + service.frontends.length, 0);
  const endpoints = new Set(services.flatMap((service) => [...endpointsOf(service).keys()]));
  const counts = [
    formatNumber(services.length, "Service"),
    formatNumber(frontends, "frontend"),
    formatNumber(endpoints.size, "endpoint"),
  ];
  canvas.label(MARGIN, 54, counts.join(", "), "note");
  let x = MARGIN;
  for (const { tone, isDashed, text } of legend) {
    if (text.startsWith("inside")) x += 4;
    else {
      const mark = { role: "mark", x, y: 70, width: 22, height: 12 } as const;
      canvas.boxes.push({ ...mark, ...(tone && { tone }), ...(isDashed && { isDashed }) });
      x += 28;
    }
    canvas.label(x, 80, text, "note");
    x += textWidth(text, "note") + 18;
  }
  canvas.label(frontendColumn.x, 112, "FRONTENDS", "note");
  canvas.label(groupColumn.x, 112, "ENDPOINT LISTS", "note");
  canvas.label(nodeColumn.x, 112, "ENDPOINTS BY NODE", "note");
}

const legend: readonly { tone?: Tone; isDashed?: true; text: string }[] = [
  { tone: "forward", text: "forwarded" },
  { tone: "reject", text: "refused" },
  { tone: "drop", text: "dropped" },
  { isDashed: true, text: "pending, refused by a data plane, or shadowed" },
  { text: "inside: from pods and this node; outside: all others" },
];

/** Returns the lower edge of the band. */
function layOutBand(canvas: Canvas, service: ServiceView__Output, top: number): number {
  const cards = mergeCards(service);
  const groups = collectGroups(cards, service.service.split("/")[0] ?? "");
  const frontendsHeight = stackHeight(cards.map(cardHeight));
  const groupsHeight = stackHeight(groups.map(groupHeight));
  const contentHeight = Math.max(frontendsHeight, groupsHeight, LINE_HEIGHT);
  const height = BAND_TITLE_HEIGHT + contentHeight + PADDING;
  canvas.boxes.push({ role: "band", x: MARGIN, y: top, width: bandWidth, height });
  const state = service.programmed ? "programmed" : "pending";
  const right = MARGIN + bandWidth - PADDING;
  canvas.label(MARGIN + PADDING, top + 22, service.service, "heading", {
    maxWidth: bandWidth - 2 * PADDING - 260,
  });
  canvas.label(right, top + 22, `revision ${service.revision}, ${state}`, "note", {
    anchor: "end",
    tone: service.programmed ? undefined : "drop",
  });
  const contentTop = top + BAND_TITLE_HEIGHT;
  if (cards.length === 0) {
    canvas.label(frontendColumn.x, contentTop + 10, "no frontend", "note");
  }
  const targets = layOutGroups(canvas, groups, contentTop + (contentHeight - groupsHeight) / 2);
  let y = contentTop + (contentHeight - frontendsHeight) / 2;
  for (const card of cards) {
    layOutCard(canvas, card, y, targets);
    y += cardHeight(card) + BOX_GAP;
  }
  return top + height;
}

/** Returns by key where a group's edges end. */
function layOutGroups(
  canvas: Canvas,
  groups: readonly Group[],
  top: number,
): Map<string, { readonly y: number; readonly tone: Tone }> {
  const targets = new Map<string, { y: number; tone: Tone }>();
  const { x, width } = groupColumn;
  let y = top;
  for (const group of groups) {
    const height = groupHeight(group);
    const middle = y + height / 2;
    const box = {
      role: "group",
      x,
      y: middle - BOX_HEIGHT / 2,
      width,
      height: BOX_HEIGHT,
    } as const;
    canvas.boxes.push({ ...box, tone: group.tone });
    const [main, small] = groupTexts(group);
    const centre = x + width / 2;
    canvas.label(centre, middle - 3, main, "main", { anchor: "middle", tone: group.tone });
    canvas.label(centre, middle + 13, small, "note", { anchor: "middle" });
    layOutNodes(canvas, group, { top: y, middle });
    targets.set(group.key, { y: middle, tone: group.tone });
    y += height + BOX_GAP;
  }
  return targets;
}

function groupTexts({ tone, size, nodes }: Group): [main: string, small: string] {
  switch (tone) {
    case "forward":
      return [formatNumber(size, "endpoint"), `on ${formatNumber(nodes.length, "node")}`];
    case "reject":
      return ["reject", "refused at once"];
    case "drop":
      return ["drop", "no answer"];
  }
}

function layOutNodes(
  canvas: Canvas,
  group: Group,
  { top, middle }: { readonly top: number; readonly middle: number },
): void {
  let y = top;
  const from = { x1: groupColumn.x + groupColumn.width, y1: middle, tone: group.tone };
  for (const node of group.nodes.slice(0, NAMED_NODES)) {
    const height = nodeHeight(node);
    canvas.edges.push({ ...from, x2: nodeColumn.x, y2: y + height / 2 });
    layOutNode(canvas, node, y, group);
    y += height + BOX_GAP;
  }
  const rest = group.nodes.slice(NAMED_NODES);
  if (rest.length === 0) return;
  const { x, width } = nodeColumn;
  canvas.edges.push({ ...from, x2: x, y2: y + REST_HEIGHT / 2 });
  canvas.boxes.push({ role: "node", x, y, width, height: REST_HEIGHT, tone: group.tone });
  const size = rest.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  const text = `${formatNumber(rest.length, "more node")} with ${formatNumber(size, "endpoint")}`;
  canvas.label(x + 10, y + 18, text, "note");
}

function layOutNode(canvas: Canvas, node: NodeGroup, y: number, group: Group): void {
  const { x, width } = nodeColumn;
  const inner = width - 20;
  canvas.boxes.push({ role: "node", x, y, width, height: nodeHeight(node), tone: group.tone });
  const zone = zoneOf(node);
  const count = formatNumber(node.endpoints.length, "endpoint") + (zone ? ` in ${zone}` : "");
  canvas.label(x + width - 10, y + 18, count, "note", { anchor: "end", maxWidth: inner / 2 });
  const name = node.name || (node.isLocal ? "" : "node unknown");
  const here = node.isLocal ? (name ? " (this node)" : "this node") : "";
  const maxWidth = inner - Math.min(textWidth(count, "note"), inner / 2) - 12;
  canvas.label(x + 10, y + 18, name + here, "main", { maxWidth });
  let line = y + 18;
  for (const endpoint of node.endpoints.slice(0, NAMED_ENDPOINTS)) {
    line += LINE_HEIGHT;
    const pod = endpoint.pod.startsWith(`${group.namespace}/`)
      ? endpoint.pod.slice(group.namespace.length + 1)
      : endpoint.pod;
    const facts = [
      pod,
      zone === endpoint.zone || endpoint.zone === "" ? "" : `zone ${endpoint.zone}`,
      endpoint.weight === 1 ? "" : `weight ${endpoint.weight}`,
    ].filter((fact) => fact !== "");
    const text = [formatSocket(endpoint), ...facts].join(" · ");
    canvas.label(x + 10, line, text, "small", { maxWidth: inner });
  }
  const rest = node.endpoints.length - NAMED_ENDPOINTS;
  if (rest > 0) canvas.label(x + 10, line + LINE_HEIGHT, `and ${rest} more`, "note");
}

function layOutCard(
  canvas: Canvas,
  { frontend, addresses, state }: Card,
  y: number,
  targets: ReadonlyMap<string, { readonly y: number; readonly tone: Tone }>,
): void {
  const { x, width } = frontendColumn;
  const height = cardHeight({ state });
  const [inside, outside] = [frontend.inside, frontend.outside].map((route) =>
    targets.get(routeKey(route)),
  );
  const isOne = inside === outside;
  const isDashed = state.kind !== "programmed";
  const box = { role: "frontend", x, y, width, height } as const;
  canvas.boxes.push({
    ...box,
    ...(isOne && inside && { tone: inside.tone }),
    ...(isDashed && { isDashed }),
  });
  const right = x + width;
  const maxWidth = width - 24 - (isOne ? 0 : SIDE_WIDTH);
  const more = addresses.length > 1 ? ` and ${addresses.length - 1} more` : "";
  canvas.label(x + 12, y + 18, `${addresses[0] ?? ""}${more}`, "main", {
    maxWidth,
    ...(more && { whole: addresses.join(", ") }),
  });
  const affinity = describeAffinity(frontend);
  const facts = [
    frontend.kind,
    frontend.portName,
    `masquerade ${frontend.masquerade}`,
    affinity && `affinity ${affinity}`,
    frontend.pick === "consistent-hash" ? frontend.pick : "",
  ];
  const text = facts.filter((fact) => fact !== "").join(" · ");
  canvas.label(x + 12, y + 34, text, "small", { maxWidth });
  if (state.kind === "refused" || state.kind === "shadowed") {
    const tone = state.kind === "refused" ? "reject" : "drop";
    canvas.label(x + 12, y + 50, state.text, "small", { maxWidth, tone });
  }
  const sides = isOne
    ? [{ target: inside, y: y + height / 2, name: "" }]
    : [
        { target: inside, y: y + 14, name: "inside" },
        { target: outside, y: y + 30, name: "outside" },
      ];
  for (const side of sides) {
    if (!side.target) continue;
    const { tone } = side.target;
    const options = { anchor: "end", tone } as const;
    if (side.name) canvas.label(right - 8, side.y + 4, side.name, "note", options);
    const edge = { x1: right, y1: side.y, x2: groupColumn.x, y2: side.target.y, tone };
    canvas.edges.push(isDashed ? { ...edge, isDashed } : edge);
  }
}

function cardHeight({ state }: Pick<Card, "state">): number {
  const hasReason = state.kind === "refused" || state.kind === "shadowed";
  return hasReason ? BOX_HEIGHT + LINE_HEIGHT : BOX_HEIGHT;
}

function groupHeight({ nodes }: Group): number {
  const heights = nodes.slice(0, NAMED_NODES).map(nodeHeight);
  if (nodes.length > NAMED_NODES) heights.push(REST_HEIGHT);
  return Math.max(BOX_HEIGHT, stackHeight(heights));
}

function nodeHeight({ endpoints }: NodeGroup): number {
  return 28 + LINE_HEIGHT * Math.min(endpoints.length, NAMED_ENDPOINTS + 1);
}

function stackHeight(heights: readonly number[]): number {
  return heights.reduce((sum, height) => sum + height + BOX_GAP, heights.length > 0 ? -BOX_GAP : 0);
}
