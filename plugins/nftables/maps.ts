import type { Family } from "../../src/ip/address.ts";
import type { SetPlace } from "../../src/kernel/nfnetlink.ts";
import {
  addressCodec,
  type Codec,
  endpointCodec,
  frontendCodec,
  frontendRangeCodec,
  hairpinCodec,
  number32,
  rangeCodec,
  slotCodec,
} from "./codecs.ts";
import { ImageMap } from "./image-map.ts";
import { TABLE } from "./skeleton.ts";

/** Images of one family's maps, in the order in which they are written: what leads nowhere yet comes first. */
export type Maps = ReturnType<typeof createMaps>;

export function createMaps(family: Family) {
  const frontend = frontendCodec(family);
  const address = addressCodec(family);
  const endpoint = endpointCodec(family);
  const place = (set: string): SetPlace => ({
    family: family === 4 ? "ip" : "ip6",
    table: TABLE,
    set,
  });
  const map = <K extends string | number, V extends string | number>(
    name: string,
    codecs: { readonly key: Codec<K>; readonly value: Codec<V> },
  ) => new ImageMap<K, V>({ place: place(name), ...codecs });
  const set = <K extends string | number>(
    name: string,
    options: { readonly key: Codec<K>; readonly interval?: "single" | "concatenated" },
  ) => new ImageMap<K, true>({ place: place(name), ...options });
  return {
    TCP: map("tcp-endpoints", { key: slotCodec, value: endpoint }),
    UDP: map("udp-endpoints", { key: slotCodec, value: endpoint }),
    SCTP: map("sctp-endpoints", { key: slotCodec, value: endpoint }),
    seats: map("seats", { key: number32, value: endpoint }),
    slots: map("slots", { key: slotCodec, value: number32 }),
    picks: map("picks", { key: number32, value: number32 }),
    allowed: set("allowed", { key: frontendRangeCodec(family), interval: "concatenated" }),
    restricted: set("restricted", { key: frontend }),
    counted: set("counted", { key: frontend }),
    special: set("special", { key: frontend }),
    outside: map("outside-frontends", { key: frontend, value: number32 }),
    frontends: map("frontends", { key: frontend, value: number32 }),
    clusterIps: set("cluster-ips", { key: address }),
    attached: set("attached", { key: address }),
    hairpin: set("hairpin", { key: hairpinCodec(family) }),
    pods: set("pods", { key: rangeCodec(family), interval: "single" }),
    serviceCidrs: set("service-cidrs", { key: rangeCodec(family), interval: "single" }),
  };
}
