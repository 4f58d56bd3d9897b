import { formatNumber } from "./format.ts";
import type { MapCanvas, MapTone } from "./map-canvas.ts";
import type { MapNetwork } from "./map-model.ts";
import { sanitize } from "./output.ts";
import { type TextStyle, textWidth, wrapText } from "./svg-text.ts";

/** The card of a network on a map: what it is, by whom, with which addresses. */

export const CARD_LINE = 16;
const PADDING = 10;
const TAG_TEXT = "third party";
export const TAG_WIDTH: number = Math.ceil(textWidth(TAG_TEXT, "note")) + 10;
const SUBNETS_SHOWN = 4;
const LINKS_SHOWN = 3;
const TROUBLE_LINES = 3;
const SETTINGS_LINES = 2;
export const LINK_HEIGHT = 22;

interface CardLine {
  readonly text: string;
  readonly style: TextStyle;
  readonly tone?: MapTone;
  readonly whole?: string;
}

/** Width that the card wants, so that nothing of it is cut. */
export function cardWidth(network: MapNetwork): number {
  const { name, subnets } = network;
  const texts = [
    textWidth(name, "main"),
    textWidth(pluginText(network), "small") + (network.isThirdParty ? TAG_WIDTH + 8 : 0),
    ...subnets.slice(0, SUBNETS_SHOWN).map((subnet) => textWidth(subnet, "small")),
    ...shownLinks(network).map((link) => textWidth(link, "main")),
  ];
  return Math.ceil(Math.max(...texts)) + 2 * PADDING;
}

export function cardHeight(network: MapNetwork, width: number): number {
  return 12 + CARD_LINE * cardLines(network, width).length;
}

export function linksHeight(network: MapNetwork): number {
  return shownLinks(network).length * (LINK_HEIGHT + 4);
}

export function placeCard(
  canvas: MapCanvas,
  network: MapNetwork,
  area: { x: number; y: number; width: number; height: number; hue?: number },
): void {
  const { x, y, width } = area;
  const isBad = network.trouble !== "";
  canvas.box({ role: "network", ...area, ...(isBad && { tone: "bad", isDashed: true }) });
  const inner = width - 2 * PADDING;
  for (const [index, line] of cardLines(network, width).entries()) {
    const isTagged = index === 1 && network.isThirdParty;
    const baseline = y + 18 + index * CARD_LINE;
    const maxWidth = isTagged ? inner - TAG_WIDTH - 8 : inner;
    canvas.label([x + PADDING, baseline], line.text, { ...line, maxWidth });
    if (isTagged) placeTag(canvas, { right: x + width - 6, baseline });
  }
}

/** Links of the node that a network's pods share, one below the other. Returns the lower edge. */
export function placeLinks(
  canvas: MapCanvas,
  network: MapNetwork,
  at: { x: number; y: number; width: number; hue: number },
): number {
  let y = at.y;
  for (const link of shownLinks(network)) {
    canvas.box({ role: "link", ...at, y: y + 4, height: LINK_HEIGHT });
    canvas.label([at.x + PADDING, y + 19], link, {
      style: "main",
      maxWidth: at.width - 2 * PADDING,
      tone: "link",
    });
    y += LINK_HEIGHT + 4;
  }
  return y;
}

/** Marks what is no part of the host. */
export function placeTag(canvas: MapCanvas, at: { right: number; baseline: number }): void {
  const x = at.right - TAG_WIDTH;
  canvas.box({
    ...{ role: "tag", x, y: at.baseline - 11, width: TAG_WIDTH, height: 15 },
    tone: "foreign",
  });
  const options = { style: "note", tone: "foreign", maxWidth: TAG_WIDTH } as const;
  canvas.label([x + 5, at.baseline], TAG_TEXT, options);
}

function cardLines(network: MapNetwork, width: number): CardLine[] {
  const { name, subnets, interfaces, pods } = network;
  // Where nothing hangs on its links they are facts like others.
  const settings = [...(pods === 0 ? network.links : []), ...network.settings];
  const inner = width - 2 * PADDING;
  const hidden = subnets.slice(SUBNETS_SHOWN);
  const trouble = sanitize(network.trouble);
  const counts = [
    formatNumber(pods, "pod"),
    ...(interfaces > pods ? [formatNumber(interfaces, "interface")] : []),
  ];
  return [
    { text: name, style: "main" },
    { text: pluginText(network), style: "small" },
    ...subnets.slice(0, SUBNETS_SHOWN).map((text): CardLine => ({ text, style: "small" })),
    ...(hidden.length === 0
      ? []
      : [{ text: `and ${hidden.length} more`, style: "note", whole: subnets.join(", ") } as const]),
    ...wrapText(sanitize(settings.join(", ")), "small", {
      maxWidth: inner,
      lines: SETTINGS_LINES,
    }).map((text): CardLine => ({ text, style: "small", whole: settings.join(", ") })),
    ...(pods === 0 ? [] : [{ text: counts.join(", "), style: "note" } as const]),
    ...wrapText(trouble, "small", { maxWidth: inner, lines: TROUBLE_LINES }).map(
      (text): CardLine => ({ text, style: "small", tone: "bad", whole: trouble }),
    ),
  ];
}

function pluginText({ plugin, cniTypes }: MapNetwork): string {
  if (plugin === "") return "plugin unknown";
  return cniTypes.length === 0 ? plugin : `${plugin} (${cniTypes.join(", ")})`;
}

function shownLinks({ links }: MapNetwork): readonly string[] {
  const rest = links.length - LINKS_SHOWN;
  return rest > 0 ? [...links.slice(0, LINKS_SHOWN), `and ${rest} more`] : links;
}
