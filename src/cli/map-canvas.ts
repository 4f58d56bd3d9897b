import { type Label, type LabelOptions, placeLabel, type TextStyle } from "./svg-text.ts";

/** Good needs no tone: what stands out is what is not. "link" is text on a link of the node. */
export type MapTone = "bad" | "warning" | "foreign" | "link";

export interface MapBox {
  readonly role: "node" | "row" | "pod" | "network" | "link" | "interface" | "tag" | "mark";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Number of the network's colour. */
  readonly hue?: number;
  readonly tone?: MapTone | undefined;
  readonly isDashed?: boolean;
  /** Has the pod's default route. */
  readonly isDefault?: boolean;
  /** Shown when the pointer is there, lines. */
  readonly tip?: readonly string[];
}

/** A network's line down the map, past the pods. */
export interface Bus {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly hue: number;
  readonly isDashed: boolean;
}

/** Where an interface meets its network's line. */
export interface Joint {
  readonly x1: number;
  readonly x2: number;
  readonly y: number;
  readonly hue: number;
}

/** Where everything of a map of the node stands, in pixels; map.ts writes it down as SVG. */
export interface NodeLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly MapBox[];
  readonly labels: readonly Label<MapTone>[];
  readonly buses: readonly Bus[];
  readonly joints: readonly Joint[];
}

/** Collects what a map is made of. */
export class MapCanvas {
  readonly boxes: MapBox[] = [];
  readonly labels: Label<MapTone>[] = [];
  readonly buses: Bus[] = [];
  readonly joints: Joint[] = [];

  box(box: MapBox): void {
    this.boxes.push(box);
  }

  label(
    [x, y]: readonly [x: number, y: number],
    text: string,
    options: LabelOptions<MapTone> & { readonly style: TextStyle },
  ): void {
    this.labels.push(placeLabel<MapTone>({ x, y, text, style: options.style }, options));
  }
}
