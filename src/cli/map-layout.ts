import type { PluginStatus__Output } from "../rpc/generated/patchbay/host/v1/PluginStatus.ts";
import { formatNumber } from "./format.ts";
import { type Bus, MapCanvas, type NodeLayout } from "./map-canvas.ts";
import { type InterfaceCard, placeInterface } from "./map-interface.ts";
import { type Lane, planLanes, type Row } from "./map-lanes.ts";
import type { MapNetwork, NodeModel } from "./map-model.ts";
import {
  cardHeight,
  linksHeight,
  placeCard,
  placeLinks,
  placeTag,
  TAG_WIDTH,
} from "./map-network.ts";
import { sanitize } from "./output.ts";
import { cutMiddle, textWidth } from "./svg-text.ts";

/** Pods that a map shows: more make a file that nothing opens. */
export const MAPPED_PODS = 500;
/** Networks that have a line of their own. */
export const MAPPED_NETWORKS = 40;
const PLUGINS_SHOWN = 24;
/** After so many pods the networks are named again: their cards are off the screen by then. */
const PODS_PER_SCREEN = 15;

const MARGIN = 20;
const PADDING = 12;
const WIDTH_MIN = 860;
const LANE_GAP = 18;
/** From the line of a network to its interfaces. */
const STUB = 20;
const ROW_GAP = 4;
const CARD_GAP = 6;
const POD_HEIGHT = 40;
const POD_WIDTH = { min: 230, max: 330 } as const;
const PLUGIN_HEIGHT = 22;
const UNUSED_WIDTH = 250;

export interface MapHead {
  readonly title: string;
  /** Counts and what part it is. */
  readonly facts: string;
  /** What is wrong with the host. Empty: nothing. */
  readonly trouble: string;
}

interface Frame {
  readonly width: number;
  readonly podWidth: number;
  readonly lanes: readonly Lane[];
}

/**
 * Lays out a node: its plugins and networks at the top with the links that pods share, a line down
 * from each network, and the pods below each other with their interfaces on those lines.
 */
export function layOutNode(model: NodeModel, head: MapHead): NodeLayout {
  const canvas = new MapCanvas();
  const pods = model.pods.slice(0, MAPPED_PODS);
  const plugins = model.plugins.slice(0, PLUGINS_SHOWN);
  const podWidth = widthOfColumn([
    ...pods.map(({ name }) => textWidth(name, "main") + 2 * PADDING),
    ...plugins.map((plugin) => textWidth(nameOf(plugin), "small") + tagWidthOf(plugin)),
  ]);
  const { lanes, rows } = planLanes(model.networks, pods, {
    ...{ left: MARGIN + PADDING + podWidth + LANE_GAP, stub: STUB, gap: LANE_GAP },
    ownLanes: MAPPED_NETWORKS,
  });
  const right = lanes.at(-1);
  const width = Math.max(WIDTH_MIN, (right ? right.x + right.width : 0) + PADDING + MARGIN);
  const frame = { width, podWidth, lanes };
  let y = placeHead(canvas, head, frame);
  const node = placeNode(canvas, model, { ...frame, y });
  y = placeRows(canvas, rows, { ...frame, y: node.bottom + 10, starts: node.starts });
  y = placeNotes(canvas, model, { y, width });
  y = placeUnused(canvas, model.unused, { y, width });
  const { boxes, labels, buses, joints } = canvas;
  return { width, height: y + MARGIN - ROW_GAP, boxes, labels, buses, joints };
}

function widthOfColumn(widths: readonly number[]): number {
  return Math.min(POD_WIDTH.max, Math.max(POD_WIDTH.min, ...widths.map(Math.ceil)));
}

function nameOf({ name, version }: PluginStatus__Output): string {
  return version === "" ? name : `${name} ${version}`;
}

function tagWidthOf({ builtIn }: PluginStatus__Output): number {
  return builtIn ? 0 : TAG_WIDTH + 8;
}

/** Returns where the next thing may begin. */
function placeHead(canvas: MapCanvas, head: MapHead, { width }: Frame): number {
  const maxWidth = width - 2 * MARGIN;
  canvas.label([MARGIN, 34], head.title, { style: "title", maxWidth });
  canvas.label([MARGIN, 54], head.facts, { style: "note", maxWidth });
  let y = 70;
  if (head.trouble !== "") {
    canvas.label([MARGIN, 72], head.trouble, { style: "small", tone: "bad", maxWidth });
    y += 18;
  }
  let x = MARGIN;
  for (const { text, ...look } of legend) {
    canvas.box({ x, y, width: 22, height: 12, ...look });
    canvas.label([x + 28, y + 10], text, { style: "note", maxWidth });
    x += 28 + Math.ceil(textWidth(text, "note")) + 18;
  }
  return y + 26;
}

const legend = [
  { role: "mark", hue: 0, text: "interface of a pod" },
  { role: "mark", hue: 0, isDefault: true, text: "with its default route" },
  { role: "mark", tone: "warning", isDashed: true, text: "coming or going" },
  { role: "link", hue: 0, text: "link of the node" },
  { role: "mark", tone: "bad", isDashed: true, text: "not working" },
] as const;

/** The node's own part: plugins, networks, links. Returns its lower edge, and where each line begins. */
function placeNode(
  canvas: MapCanvas,
  model: NodeModel,
  { width, podWidth, lanes, y }: Frame & { readonly y: number },
): { bottom: number; starts: number[] } {
  const top = y + 34;
  const cards = Math.max(0, ...lanes.map((lane) => cardHeight(lane.network, lane.width)));
  const links = Math.max(0, ...lanes.map((lane) => linksHeight(lane.network)));
  const shown = model.plugins.slice(0, PLUGINS_SHOWN);
  const entries = shown.length + (model.plugins.length > PLUGINS_SHOWN ? 1 : 0);
  const bottom = top + Math.max(cards + links, entries * PLUGIN_HEIGHT + 4) + PADDING;
  const x = MARGIN;
  canvas.box({ role: "node", x, y, width: width - 2 * MARGIN, height: bottom - y });
  const left = x + PADDING;
  canvas.label([left, y + 22], "PLUGINS", { style: "note", maxWidth: podWidth });
  for (const [index, plugin] of shown.entries()) {
    const baseline = top + 14 + index * PLUGIN_HEIGHT;
    const isBad = plugin.trouble !== "";
    const text = isBad ? `${plugin.name}: ${plugin.trouble}` : nameOf(plugin);
    const tone = isBad ? "bad" : undefined;
    canvas.label([left, baseline], text, {
      style: "small",
      maxWidth: podWidth - tagWidthOf(plugin),
      tone,
    });
    if (!plugin.builtIn) placeTag(canvas, { right: left + podWidth, baseline });
  }
  if (entries > shown.length) {
    const text = `and ${formatNumber(model.plugins.length - shown.length, "plugin")} more`;
    const baseline = top + 14 + shown.length * PLUGIN_HEIGHT;
    canvas.label([left, baseline], text, { style: "note", maxWidth: podWidth });
  }
  const [first] = lanes;
  if (first) canvas.label([first.x, y + 22], "NETWORKS", { style: "note", maxWidth: first.width });
  const starts = lanes.map((lane) => {
    const { hue, network } = lane;
    const height = bottom - PADDING - top - linksHeight(network);
    const area = { x: lane.x, y: top, width: lane.width, hue };
    placeCard(canvas, network, { ...area, height });
    return placeLinks(canvas, network, { ...area, y: top + height });
  });
  return { bottom, starts };
}

function placeRows(
  canvas: MapCanvas,
  rows: readonly Row[],
  frame: Frame & { readonly y: number; readonly starts: readonly number[] },
): number {
  const { width, podWidth, lanes, starts } = frame;
  const ends = new Map<Lane, number>();
  let { y } = frame;
  for (const [index, { pod, cells }] of rows.entries()) {
    if (index > 0 && index % PODS_PER_SCREEN === 0) y = nameLanes(canvas, lanes, y);
    const heights = [...cells.values()].map(stackHeight);
    const height = Math.max(POD_HEIGHT, ...heights);
    canvas.box({
      role: "row",
      x: MARGIN,
      y,
      width: width - 2 * MARGIN,
      height: height + 2 * CARD_GAP,
    });
    const x = MARGIN + PADDING;
    const top = y + CARD_GAP;
    canvas.box({ role: "pod", x, y: top, width: podWidth, height: POD_HEIGHT });
    const inner = podWidth - 2 * PADDING;
    const whole = sanitize(pod.name);
    const name = cutMiddle(whole, "main", inner);
    canvas.label([x + PADDING, top + 17], name, { style: "main", maxWidth: inner, whole });
    const id = pod.containerId.slice(0, 12);
    const facts = `${id} · ${formatNumber(pod.interfaces.length, "interface")}`;
    canvas.label([x + PADDING, top + 32], facts, {
      ...{ style: "note", maxWidth: inner },
      whole: pod.containerId === id ? undefined : `container ${pod.containerId}`,
    });
    for (const [lane, cards] of cells) {
      let cardTop = top + Math.max(0, POD_HEIGHT - stackHeight(cards)) / 2;
      for (const card of cards) {
        const at = { x: lane.x + STUB, y: cardTop, width: lane.width - STUB };
        placeInterface(canvas, card, { ...at, left: lane.left, hue: lane.hue });
        const middle = cardTop + card.height / 2;
        canvas.joints.push({ x1: lane.x + 5, x2: at.x, y: middle, hue: lane.hue });
        ends.set(lane, middle);
        cardTop += card.height + CARD_GAP;
      }
    }
    y += height + 2 * CARD_GAP + ROW_GAP;
  }
  const buses = lanes.map((lane, index): Bus => {
    const isDashed = lane.network.trouble !== "";
    const top = starts[index] ?? 0;
    return { x: lane.x + 5, top, bottom: ends.get(lane) ?? top, hue: lane.hue, isDashed };
  });
  canvas.buses.push(...buses);
  return y;
}

function nameLanes(canvas: MapCanvas, lanes: readonly Lane[], y: number): number {
  for (const { network, x, width } of lanes) {
    const maxWidth = width - STUB;
    canvas.label([x + STUB, y + 15], network.name, { style: "note", maxWidth });
  }
  return y + 24;
}

function stackHeight(cards: readonly InterfaceCard[]): number {
  return cards.reduce((sum, { height }) => sum + height + CARD_GAP, -CARD_GAP);
}

function placeNotes(
  canvas: MapCanvas,
  { pods }: NodeModel,
  { y, width }: { readonly y: number; readonly width: number },
): number {
  const rest = pods.length - MAPPED_PODS;
  const note =
    rest > 0
      ? `and ${formatNumber(rest, "pod")} more: --pod or --network draws a part`
      : pods.length === 0 && "No pod is attached";
  if (note === false) return y;
  canvas.label([MARGIN, y + 18], note, { style: "main", maxWidth: width - 2 * MARGIN });
  return y + 32;
}

/** Networks that pods may ask for and none has, side by side. */
function placeUnused(
  canvas: MapCanvas,
  unused: readonly MapNetwork[],
  { y: top, width }: { readonly y: number; readonly width: number },
): number {
  if (unused.length === 0) return top;
  const maxWidth = width - 2 * MARGIN;
  canvas.label([MARGIN, top + 22], "NETWORKS WITHOUT PODS", { style: "note", maxWidth });
  const shown = unused.slice(0, MAPPED_NETWORKS);
  const perLine = Math.floor((maxWidth + CARD_GAP) / (UNUSED_WIDTH + CARD_GAP));
  let y = top + 34;
  for (let begin = 0; begin < shown.length; begin += perLine) {
    const line = shown.slice(begin, begin + perLine);
    const height = Math.max(...line.map((network) => cardHeight(network, UNUSED_WIDTH)));
    for (const [index, network] of line.entries()) {
      const x = MARGIN + index * (UNUSED_WIDTH + CARD_GAP);
      placeCard(canvas, network, { x, y, width: UNUSED_WIDTH, height });
    }
    y += height + CARD_GAP;
  }
  const rest = unused.length - shown.length;
  if (rest === 0) return y;
  const text = `and ${formatNumber(rest, "network")} more`;
  canvas.label([MARGIN, y + 18], text, { style: "note", maxWidth });
  return y + 28;
}
