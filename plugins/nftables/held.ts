import type { Family } from "../../src/ip/address.ts";
import type { Nfnetlink, SetPlace } from "../../src/kernel/nfnetlink.ts";
import type { FrontendKey, Protocol } from "../../src/services/model.ts";
import type { PlannedEndpoint } from "../../src/services/plan-types.ts";
import type { HeldFrontend, HeldRoute } from "../../src/services/service-plane.ts";
import {
  type Codec,
  endpointCodec,
  frontendCodec,
  number32,
  parseEndpointText,
  slotCodec,
  slotKey,
} from "./codecs.ts";
import type { FamilyImage } from "./family-image.ts";
import {
  FIRST_HASH_WAY,
  FIRST_STICKY_WAY,
  HASH_SIZES,
  listOf,
  pickSizeOf,
  seatSizeOf,
  WAY_DISCARD,
  wayOf,
} from "./ways.ts";

interface Where {
  readonly maps: FamilyImage["maps"];
  readonly family: Family;
  readonly key: FrontendKey;
}

/** Reads what the kernel holds of a frontend, the way a packet would go. Nothing of the image is believed. */
export async function readHeld(
  nfnetlink: Nfnetlink,
  { maps, family, key }: Where,
): Promise<HeldFrontend | undefined> {
  const find = <K, V>(set: SetPlace, codecs: { key: Codec<K>; value: Codec<V>; keys: K[] }) =>
    findValues(nfnetlink, { set, ...codecs });
  const frontend = { key: frontendCodec(family), value: number32, keys: [key] };
  const [inside] = await find(maps.frontends.place, frontend);
  if (inside === undefined) return undefined;
  const endpoint = endpointCodec(family);
  const protocol = key.split("|")[1] as Protocol;
  const [outside] = await find(maps.outside.place, frontend);

  const shares = async <V extends string | number>(
    map: { place: SetPlace; value: Codec<V> },
    { list, size }: { list: number; size: number },
  ): Promise<Map<V, number>> => {
    const keys = Array.from({ length: size }, (_, slot) => slotKey(list, slot));
    const found = new Map<V, number>();
    for (const name of await find(map.place, { key: slotCodec, value: map.value, keys })) {
      if (name !== undefined) found.set(name, (found.get(name) ?? 0) + 1);
    }
    return found;
  };
  const seatedShares = async (list: number): Promise<Map<string, number>> => {
    const numbers = { key: number32, value: number32, keys: [list] };
    const [pick] = await find(maps.picks.place, numbers);
    const size = seatSizeOf(wayOf(pick ?? 0)) ?? 0;
    const seats = await shares({ place: maps.slots.place, value: number32 }, { list, size });
    const keys = [...seats.keys()];
    const endpoints = await find(maps.seats.place, { key: number32, value: endpoint, keys });
    return new Map(
      endpoints.flatMap((text, at) =>
        text === undefined ? [] : [[text, seats.get(keys[at] ?? 0) ?? 0] as const],
      ),
    );
  };
  const routeOf = async (value: number): Promise<HeldRoute> => {
    const list = listOf(value);
    const way = wayOf(value);
    if (list === 0) return { kind: way === WAY_DISCARD ? "drop" : "reject" };
    const size = pickSizeOf(way) ?? HASH_SIZES[way - FIRST_HASH_WAY] ?? 0;
    const { place } = maps[protocol];
    const found =
      way >= FIRST_STICKY_WAY
        ? await seatedShares(list)
        : await shares({ place, value: endpoint }, { list, size });
    const endpoints = [...found].map(([text, weight]) => ({ ...parseEndpointText(text), weight }));
    return { kind: "list", endpoints: endpoints.sort(byAddressAndPort) };
  };
  const insideRoute = await routeOf(inside);
  return {
    inside: insideRoute,
    outside: outside === undefined ? insideRoute : await routeOf(outside),
  };
}

function byAddressAndPort(a: PlannedEndpoint, b: PlannedEndpoint): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port;
}

async function findValues<K, V>(
  nfnetlink: Nfnetlink,
  request: { set: SetPlace; key: Codec<K>; value: Codec<V>; keys: readonly K[] },
): Promise<(V | undefined)[]> {
  const { set, key, value, keys } = request;
  if (keys.length === 0) return [];
  const bytes = keys.map((each) => {
    const record = new Uint8Array(key.bytes);
    key.write(new DataView(record.buffer), 0, each);
    return record;
  });
  const found = await nfnetlink.findElements(set, bytes);
  return found.map((data) =>
    data === undefined
      ? undefined
      : value.read(new DataView(data.buffer, data.byteOffset, data.length), 0),
  );
}
