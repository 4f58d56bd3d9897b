import type { Family } from "../../src/ip/address.ts";
import type { Nfnetlink, SetPlace } from "../../src/kernel/nfnetlink.ts";
import type { FrontendKey } from "../../src/services/model.ts";
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
  const [outside] = await find(maps.outside.place, frontend);

  const routeOf = async (value: number): Promise<HeldRoute> => {
    const list = listOf(value);
    let way = wayOf(value);
    if (list === 0) return { kind: way === WAY_DISCARD ? "drop" : "reject" };
    if (way >= FIRST_STICKY_WAY) {
      const numbers = { key: number32, value: number32, keys: [list] };
      way = wayOf((await find(maps.picks.place, numbers))[0] ?? 0);
    }
    const size = pickSizeOf(way) ?? HASH_SIZES[way - FIRST_HASH_WAY] ?? 0;
    const keys = Array.from({ length: size }, (_, slot) => slotKey(list, slot));
    const slots = await find(maps.slots.place, { key: slotCodec, value: number32, keys });
    const shares = new Map<number, number>();
    for (const seat of slots) {
      if (seat !== undefined) shares.set(seat, (shares.get(seat) ?? 0) + 1);
    }
    const seats = [...shares.keys()];
    const texts = await find(maps.seats.place, {
      key: number32,
      value: endpointCodec(family),
      keys: seats,
    });
    const endpoints: PlannedEndpoint[] = texts.flatMap((text, index) =>
      text === undefined
        ? []
        : [{ ...parseEndpointText(text), weight: shares.get(seats[index] ?? 0) ?? 0 }],
    );
    endpoints.sort((a, b) =>
      a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port,
    );
    return { kind: "list", endpoints };
  };
  const insideRoute = await routeOf(inside);
  return {
    inside: insideRoute,
    outside: outside === undefined ? insideRoute : await routeOf(outside),
  };
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
