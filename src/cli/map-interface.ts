import type { Attachment__Output } from "../rpc/generated/patchbay/host/v1/Attachment.ts";
import type { MapCanvas, MapTone } from "./map-canvas.ts";
import { textWidth } from "./svg-text.ts";

/** The box of a pod's interface on a map: name and mark at the left, addresses at the right. */

const PADDING = 8;
const GAP = 10;
const LINE = 15;
const ADDRESSES_SHOWN = 6;

export interface InterfaceCard {
  readonly attachment: Attachment__Output;
  /** "default", "default v4", "attaching" ... Empty: nothing to say. */
  readonly mark: string;
  readonly isDefault: boolean;
  readonly right: readonly string[];
  readonly height: number;
}

/** `families` are those of the whole pod: a default route for all of them is just "default". */
export function describeInterface(
  attachment: Attachment__Output,
  pod: { readonly families: string; readonly showsNetwork: boolean },
): InterfaceCard {
  const { state, addresses, defaultRoute } = attachment;
  const isDefault = defaultRoute.length > 0;
  const families = familiesOf(defaultRoute);
  const isPartial = families.length === 1 && families !== pod.families;
  const route = isDefault ? (isPartial ? `default v${families}` : "default") : "";
  const mark = state === "attached" ? route : state;
  const hidden = addresses.length - ADDRESSES_SHOWN;
  const right = [
    ...(pod.showsNetwork ? [attachment.network] : []),
    ...(addresses.length === 0 ? ["no address"] : addresses.slice(0, ADDRESSES_SHOWN)),
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
  ];
  const lines = Math.max(right.length, mark === "" ? 1 : 2);
  return { attachment, mark, isDefault, right, height: 10 + LINE * lines };
}

/** "4", "6", "46" or "", of addresses with or without prefix length. */
export function familiesOf(addresses: readonly string[]): string {
  const has4 = addresses.some((address) => address.includes("."));
  const has6 = addresses.some((address) => address.includes(":"));
  return `${has4 ? "4" : ""}${has6 ? "6" : ""}`;
}

/** Width of the left column that these cards want. */
export function leftWidth(cards: readonly InterfaceCard[]): number {
  const widths = cards.flatMap(({ attachment, mark }) => [
    textWidth(attachment.ifname, "main"),
    textWidth(mark, "note"),
  ]);
  return Math.ceil(Math.max(0, ...widths));
}

/** Width that these cards want, with a left column of that width. */
export function interfaceWidth(cards: readonly InterfaceCard[], left: number): number {
  const widths = cards.flatMap(({ right }) => right.map((text) => textWidth(text, "small")));
  return left + Math.ceil(Math.max(0, ...widths)) + GAP + 2 * PADDING;
}

export function placeInterface(
  canvas: MapCanvas,
  card: InterfaceCard,
  area: { x: number; y: number; width: number; left: number; hue: number },
): void {
  const { x, y, width, left, hue } = area;
  const { attachment, mark, isDefault, right, height } = card;
  const isMoving = attachment.state !== "attached";
  const box = {
    role: "interface",
    x,
    y,
    width,
    height,
    hue,
    tip: describeTip(attachment),
  } as const;
  canvas.box({ ...box, isDefault, ...(isMoving && { tone: "warning", isDashed: true }) });
  canvas.label([x + PADDING, y + 16], attachment.ifname, {
    style: "main",
    maxWidth: left,
    isStill: true,
  });
  const tone: MapTone | undefined = isMoving ? "warning" : undefined;
  if (mark !== "") {
    const options = { style: "note", maxWidth: left, tone, isStill: true } as const;
    canvas.label([x + PADDING, y + 16 + LINE], mark, options);
  }
  const maxWidth = width - 2 * PADDING - GAP - left;
  for (const [index, text] of right.entries()) {
    const at = [x + PADDING + left + GAP, y + 16 + index * LINE] as const;
    const isNote = text === "no address" || text.startsWith("and ");
    canvas.label(at, text, { style: isNote ? "note" : "small", maxWidth, isStill: true });
  }
}

function describeTip(attachment: Attachment__Output): string[] {
  const { ifname, network, state, addresses, mac, mtu, defaultRoute } = attachment;
  const { hostIfname, sharedLinks } = attachment;
  return [
    `${ifname} on ${network}, ${state}`,
    ...addresses,
    ...(mac === "" ? [] : [`MAC ${mac}`]),
    ...(mtu === 0 ? [] : [`MTU ${mtu}`]),
    ...(defaultRoute.length === 0 ? [] : [`default route by ${gatewaysOf(defaultRoute)}`]),
    ...(hostIfname === "" ? [] : [`on the node: ${[hostIfname, ...sharedLinks].join(", ")}`]),
    `attachment ${attachment.attachmentId}`,
  ];
}

function gatewaysOf(gateways: readonly string[]): string {
  const known = gateways.filter((gateway) => gateway !== "");
  return known.length === 0 ? "the link itself" : known.join(", ");
}
