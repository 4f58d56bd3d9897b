import { formatNumber } from "./format.ts";
import {
  describeInterface,
  familiesOf,
  type InterfaceCard,
  interfaceWidth,
  leftWidth,
} from "./map-interface.ts";
import type { MapNetwork, MapPod } from "./map-model.ts";
import { cardWidth } from "./map-network.ts";
import { HUES } from "./svg-document.ts";

/** A network's column of a map. */
export interface Lane {
  readonly network: MapNetwork;
  readonly x: number;
  readonly width: number;
  /** Width of the left column of its interfaces. */
  readonly left: number;
  readonly hue: number;
}

/** A pod's row: its interfaces by column. */
export interface Row {
  readonly pod: MapPod;
  readonly cells: ReadonlyMap<Lane, readonly InterfaceCard[]>;
}

const LANE_WIDTH = { min: 168, max: 410 } as const;

/** A column for each network, as wide as what stands in it; networks beyond `ownLanes` share the last one. */
export function planLanes(
  networks: readonly MapNetwork[],
  pods: readonly MapPod[],
  place: {
    readonly left: number;
    readonly stub: number;
    readonly gap: number;
    readonly ownLanes: number;
  },
): { lanes: Lane[]; rows: Row[] } {
  const own = networks.slice(0, place.ownLanes);
  const rest = networks.slice(place.ownLanes);
  const indexOf = new Map(own.map(({ name }, index) => [name, index]));
  const described = pods.map((pod) => {
    const families = familiesOf(pod.interfaces.flatMap(({ addresses }) => addresses));
    const cards = pod.interfaces.map((attachment) => {
      const index = indexOf.get(attachment.network) ?? own.length;
      const showsNetwork = index === own.length;
      return { index, card: describeInterface(attachment, { families, showsNetwork }) };
    });
    return { pod, byColumn: Map.groupBy(cards, ({ index }) => index) };
  });
  const podsOfRest = described.filter(({ byColumn }) => byColumn.has(own.length)).length;
  const columns = rest.length === 0 ? own : [...own, mergeNetworks(rest, podsOfRest)];
  let x = place.left;
  const lanes = columns.map((network, index): Lane => {
    const cards = described.flatMap(({ byColumn }) =>
      (byColumn.get(index) ?? []).map(({ card }) => card),
    );
    const left = leftWidth(cards);
    const wanted = Math.max(cardWidth(network), place.stub + interfaceWidth(cards, left));
    const width = Math.min(LANE_WIDTH.max, Math.max(LANE_WIDTH.min, wanted));
    const lane = { network, x, width, left, hue: index % HUES };
    x += width + place.gap;
    return lane;
  });
  const rows = described.map(({ pod, byColumn }): Row => {
    const cells = lanes.flatMap((lane, index) => {
      const cards = byColumn.get(index)?.map(({ card }) => card);
      return cards ? [[lane, cards] as const] : [];
    });
    return { pod, cells: new Map(cells) };
  });
  return { lanes, rows };
}

function mergeNetworks(networks: readonly MapNetwork[], pods: number): MapNetwork {
  return {
    name: `${formatNumber(networks.length, "network")} more`,
    plugin: "various",
    isThirdParty: false,
    cniTypes: [],
    subnets: [],
    links: [],
    settings: [],
    trouble: networks
      .filter(({ trouble }) => trouble !== "")
      .map(({ name, trouble }) => `${name}: ${trouble}`)
      .join("; "),
    interfaces: networks.reduce((sum, { interfaces }) => sum + interfaces, 0),
    pods,
  };
}
