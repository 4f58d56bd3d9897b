import type { Family } from "../../src/ip/address.ts";
import {
  EVERYONE_FLAG,
  FIRST_HASH_WAY,
  HASH_SIZES,
  LIST_MASK,
  PICK_SIZES,
  PORT_MASK,
  pickWay,
  SEAT_SIZES,
  seatWay,
  WAY_DISCARD,
  WAY_MASK,
  WAY_REFUSE,
} from "./ways.ts";

/** Name of our table in both families. */
export const TABLE = "patchbay-services";

export interface SkeletonOptions {
  readonly family: Family;
  /** Bit of the packet mark that says "masquerade" between prerouting and postrouting, 0 to 31. */
  readonly masqueradeBit: number;
  /** Affinity timeouts in use, by way. */
  readonly stickyWays: ReadonlyMap<number, number>;
}

/**
 * The rules, which do not depend on any Service: all that does is in maps. As text for `nft -f`, in one
 * transaction; maps that exist keep their elements. Source of the layout: docs/decisions/0013.
 */
export function skeleton(options: SkeletonOptions): string {
  const names = namesOf(options.family);
  const table = `${names.family} ${TABLE}`;
  // In the order of the ways: the same timeouts make the same text.
  const sticky = [...options.stickyWays].sort(([a], [b]) => a - b);
  const ways = [
    element(WAY_REFUSE, "goto refuse"),
    element(WAY_DISCARD, "goto discard"),
    ...PICK_SIZES.map((size) => element(pickWay(size), `jump pick_${size}`)),
    ...HASH_SIZES.map((size, at) => element(FIRST_HASH_WAY + at, `jump hash_${size}`)),
    ...sticky.map(([way, seconds]) => element(way, `goto sticky_${seconds}`)),
  ];
  const seatWays = SEAT_SIZES.map((size) => element(seatWay(size), `jump seat_${size}`));
  return [
    `add table ${table}`,
    // Keeps chains, maps and elements: what is in force stays so until the last line of this transaction.
    `flush table ${table}`,
    `table ${table} {`,
    'comment "Services; written by patchbay, do not edit: changes are undone"',
    ...maps(names),
    ...sticky.map(([, seconds]) => stickyMap(names, seconds)),
    ...chains(names, options.masqueradeBit),
    ...PICK_SIZES.map((size) => pickChain(names, size)),
    ...SEAT_SIZES.map(seatChain),
    ...HASH_SIZES.map((size) => hashChain(names, size)),
    ...sticky.map(([, seconds]) => stickyChains(names, seconds)),
    "}",
    `flush map ${table} ways`,
    `flush map ${table} seat-ways`,
    `add element ${table} seat-ways { ${seatWays.join(", ")} }`,
    `add element ${table} ways { ${ways.join(", ")} }`,
    "",
  ].join("\n");
}

/** Adds the map and the chains of one more affinity timeout. */
export function stickyAddition(
  family: Family,
  sticky: { readonly way: number; readonly seconds: number },
): string {
  const names = namesOf(family);
  const table = `${names.family} ${TABLE}`;
  return [
    `table ${table} {`,
    stickyMap(names, sticky.seconds),
    stickyChains(names, sticky.seconds),
    "}",
    `add element ${table} ways { ${element(sticky.way, `goto sticky_${sticky.seconds}`)} }`,
    "",
  ].join("\n");
}

interface Names {
  readonly family: "ip" | "ip6";
  readonly address: "ipv4_addr" | "ipv6_addr";
}

function namesOf(family: Family): Names {
  return family === 4
    ? { family: "ip", address: "ipv4_addr" }
    : { family: "ip6", address: "ipv6_addr" };
}

function maps({ family, address }: Names): string[] {
  const frontend = `${address} . inet_proto . inet_service`;
  return [
    `map frontends { type ${frontend} : classid; }`,
    `map outside-frontends { type ${frontend} : classid; }`,
    // A map for each protocol: nft reads a rule that sets a port from a map only where it knows the protocol.
    ...PROTOCOLS.map((protocol) => {
      const port = `${family} daddr . ${protocol} dport`;
      return `map ${protocol}-endpoints { typeof meta priority . numgen random mod 2 : ${port}; }`;
    }),
    "map slots { typeof meta priority . numgen random mod 2 : meta priority; }",
    "map picks { type classid : classid; }",
    `map seats { type classid : ${address} . inet_service; }`,
    "map about { type mark : mark; }",
    "map ways { type classid : verdict; }",
    "map seat-ways { type classid : verdict; }",
    `set pods { type ${address}; flags interval; }`,
    `set attached { type ${address}; }`,
    `set cluster-ips { type ${address}; }`,
    `set service-cidrs { type ${address}; flags interval; }`,
    `set hairpin { type ${address} . ${address}; }`,
    `set special { type ${frontend}; }`,
    `set counted { type ${frontend}; counter; }`,
    `set restricted { type ${frontend}; }`,
    `set allowed { type ${frontend} . ${address}; flags interval; }`,
  ];
}

const AFFINITY_CLIENTS_MAX = 1 << 20;

function stickyMap({ family }: Names, seconds: number): string {
  const client = `meta priority . ${clientOf(family)}`;
  return `map affinity_${seconds} { typeof ${client} : meta priority; flags timeout, dynamic; timeout ${seconds}s; size ${AFFINITY_CLIENTS_MAX}; }`;
}

/**
 * The client's address; of IPv6 the last 96 bits: nft 1.0.6 puts the value over the end of a key that is longer than 128
 * bits. Clients that differ in the first 32 bits alone share an endpoint.
 */
function clientOf(family: "ip" | "ip6"): string {
  return family === "ip" ? "ip saddr" : "@nh,96,96";
}

function chains({ family }: Names, masqueradeBit: number): string[] {
  const key = keyOf(family);
  const lookUp = `meta priority set ${key} map`;
  const toWay = `meta priority & ${hex(WAY_MASK)} vmap @ways`;
  const bit = hex((1 << masqueradeBit) >>> 0);
  const others = hex(~(1 << masqueradeBit) >>> 0);
  const masquerade = `meta mark set meta mark | ${bit}`;
  return [
    chain("prerouting", [
      "type nat hook prerouting priority dstnat; policy accept;",
      `${key} @special jump special`,
      `${family} saddr @pods goto pod`,
      `${family} saddr @attached goto pod`,
      `${lookUp} @outside-frontends goto dispatch`,
      "goto other",
    ]),
    // A process of this node is masqueraded always: its address may be one that no endpoint can answer to.
    chain("output", [
      "type nat hook output priority -100; policy accept;",
      `${key} @special jump special`,
      "goto other",
    ]),
    chain("pod", [`${lookUp} @frontends goto pod-found`, "goto missed"]),
    chain("pod-found", [
      `meta priority & ${hex(EVERYONE_FLAG)} == ${hex(EVERYONE_FLAG)} ${masquerade}`,
      "goto dispatch",
    ]),
    chain("other", [`${lookUp} @frontends ${masquerade} goto dispatch`, "goto missed"]),
    chain("dispatch", [toWay, "goto again"]),
    // A transaction came between two lookups of this packet: what the first one found is gone. All anew, once.
    chain("again", ["jump relook", toWay, "drop"]),
    chain("missed", [
      `${family} daddr @cluster-ips goto refuse`,
      `${family} daddr @service-cidrs drop`,
    ]),
    // Reset for TCP: a client on this machine takes an ICMPv6 error during connect() for a soft one and waits.
    chain("refuse", ["meta l4proto tcp reject with tcp reset", "reject"]),
    chain("discard", ["drop"]),
    chain("special", [
      `${key} @counted continue`,
      `${key} @restricted ${key} . ${family} saddr != @allowed drop`,
    ]),
    // Before the masquerade of networks (100): the bit is cleared whoever would be first.
    chain("postrouting", [
      "type nat hook postrouting priority 99; policy accept;",
      "ct status & dnat == dnat meta priority set 0",
      `meta mark & ${bit} == ${bit} meta mark set meta mark & ${others} masquerade fully-random`,
      `ct status & dnat == dnat ${family} saddr . ${family} daddr @hairpin masquerade fully-random`,
    ]),
    // The value of a frontend once more, for a client whose seat is gone.
    chain("relook", [
      `${family} saddr @pods ${lookUp} @frontends return`,
      `${family} saddr @attached ${lookUp} @frontends return`,
      `fib saddr type local ${lookUp} @frontends return`,
      `${lookUp} @outside-frontends return`,
      `${lookUp} @frontends return`,
    ]),
  ];
}

function pickChain({ family }: Names, size: number): string {
  const draws = drawsOf(size, { sizes: PICK_SIZES, tries: 6 });
  return chain(`pick_${size}`, [
    STRIP,
    ...PROTOCOLS.flatMap((protocol) => draws.map((draw) => toEndpoint({ family, protocol, draw }))),
  ]);
}

/** The same client gets the same endpoint, on every node: nothing in it is random. */
function hashChain({ family }: Names, size: number): string {
  const draw = `jhash ${family} saddr mod ${size} seed ${HASH_SEED}`;
  return chain(`hash_${size}`, [
    STRIP,
    ...PROTOCOLS.map((protocol) => toEndpoint({ family, protocol, draw })),
  ]);
}

/** Returns with a seat in the priority. */
function seatChain(size: number): string {
  const draws = drawsOf(size, { sizes: SEAT_SIZES, tries: 9 });
  const pick = (draw: string) => `meta priority set meta priority . ${draw} map @slots return`;
  return chain(`seat_${size}`, [STRIP, ...draws.map(pick)]);
}

/** The last draw always meets a slot: whatever comes here has more slots than the next smaller size. */
function drawsOf(size: number, how: { sizes: readonly number[]; tries: number }): string[] {
  const sure = how.sizes[how.sizes.indexOf(size) - 1] ?? 1;
  const mods = size <= 16 ? [size] : [...Array<number>(how.tries).fill(size), sure];
  return mods.map((mod) => `numgen random mod ${mod}`);
}

function toEndpoint(how: { family: "ip" | "ip6"; protocol: string; draw: string }): string {
  const { family, protocol, draw } = how;
  return `meta l4proto ${protocol} dnat ${family} to meta priority . ${draw} map @${protocol}-endpoints`;
}

/** nft wants to see the transport in each rule that sets a port. */
function toSeat(family: "ip" | "ip6"): string {
  return `meta l4proto { tcp, udp, sctp } dnat ${family} to meta priority map @seats`;
}

const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

/** "patc": the same on every node and in every version. */
const HASH_SEED = "0x70617463";

function stickyChains({ family }: Names, seconds: number): string {
  const client = `meta priority & ${hex(PORT_MASK)} . ${clientOf(family)}`;
  const remember = `@affinity_${seconds} { ${client} : meta priority }`;
  return [
    chain(`sticky_${seconds}`, [
      `meta priority set ${client} map @affinity_${seconds} goto seated_${seconds}`,
      `goto fresh_${seconds}`,
    ]),
    chain(`seated_${seconds}`, [
      `update ${remember}`,
      toSeat(family),
      // The endpoint is gone: its seat leads nowhere.
      `delete ${remember}`,
      "jump relook",
      `goto fresh_${seconds}`,
    ]),
    chain(`fresh_${seconds}`, [
      STRIP,
      "meta priority set meta priority map @picks",
      `meta priority & ${hex(WAY_MASK)} vmap @seat-ways`,
      `update ${remember}`,
      toSeat(family),
      "drop",
    ]),
  ].join("\n");
}

const STRIP = `meta priority set meta priority & ${hex(LIST_MASK)}`;

function keyOf(family: "ip" | "ip6"): string {
  return `${family} daddr . meta l4proto . th dport`;
}

function chain(name: string, lines: readonly string[]): string {
  return [`chain ${name} {`, ...lines, "}"].join("\n");
}

function element(way: number, verdict: string): string {
  return `${hex((way << 24) >>> 0)} : ${verdict}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
