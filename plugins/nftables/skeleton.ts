import type { Family } from "../../src/ip/address.ts";
import {
  EVERYONE_FLAG,
  FIRST_HASH_WAY,
  HASH_SIZES,
  LIST_MASK,
  PICK_SIZES,
  PORT_MASK,
  pickWay,
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
  const picks = [
    ...PICK_SIZES.map((size) => element(pickWay(size), `jump pick_${size}`)),
    ...HASH_SIZES.map((size, at) => element(FIRST_HASH_WAY + at, `jump hash_${size}`)),
  ];
  const ways = [
    element(WAY_REFUSE, "goto refuse"),
    element(WAY_DISCARD, "goto discard"),
    ...picks,
    ...sticky.map(([way, seconds]) => element(way, `goto sticky_${seconds}`)),
  ];
  return [
    `add table ${table}`,
    // Keeps chains, maps and elements: what is in force stays so until the last line of this transaction.
    `flush table ${table}`,
    `table ${table} {`,
    'comment "Services; written by patchbay, do not edit: changes are undone"',
    ...maps(names),
    ...sticky.map(([, seconds]) => stickyMap(names, seconds)),
    ...chains(names, options.masqueradeBit),
    ...PICK_SIZES.map(pickChain),
    ...HASH_SIZES.map((size) => hashChain(names, size)),
    ...sticky.map(([, seconds]) => stickyChains(names, seconds)),
    "}",
    `flush map ${table} ways`,
    `flush map ${table} pick-ways`,
    `add element ${table} pick-ways { ${picks.join(", ")} }`,
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

function maps({ address }: Names): string[] {
  const frontend = `${address} . inet_proto . inet_service`;
  return [
    `map frontends { type ${frontend} : classid; }`,
    `map outside-frontends { type ${frontend} : classid; }`,
    "map slots { typeof meta priority . numgen random mod 2 : meta priority; }",
    "map picks { type classid : classid; }",
    `map seats { type classid : ${address} . inet_service; }`,
    "map about { type mark : mark; }",
    "map ways { type classid : verdict; }",
    // The same without affinity: the kernel takes a chain that could meet itself for a loop.
    "map pick-ways { type classid : verdict; }",
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
    // A way that picks returns with a seat in the priority.
    chain("dispatch", [toWay, toSeat(family), "goto again"]),
    // A transaction came between two lookups of this packet: what the first one found is gone. All anew, once.
    chain("again", ["jump relook", toWay, toSeat(family), "drop"]),
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

/** Draws before the last one, which always meets a slot. */
const DRAWS = 4;

function pickChain(size: number, at: number): string {
  // Every list that comes here has more slots than the next smaller size.
  const sure = PICK_SIZES[at - 1] ?? 1;
  const draws = size <= 16 ? [size] : [...Array<number>(DRAWS).fill(size), sure];
  return chain(`pick_${size}`, [STRIP, ...draws.map((mod) => pick(`numgen random mod ${mod}`))]);
}

/** The same client gets the same endpoint, on every node: nothing in it is random. */
function hashChain({ family }: Names, size: number): string {
  return chain(`hash_${size}`, [
    STRIP,
    pick(`jhash ${family} saddr mod ${size} seed ${HASH_SEED}`),
  ]);
}

function pick(slot: string): string {
  return `meta priority set meta priority . ${slot} map @slots return`;
}

/** nft wants to see the transport in each rule that sets a port. */
function toSeat(family: "ip" | "ip6"): string {
  return `meta l4proto { tcp, udp, sctp } dnat ${family} to meta priority map @seats`;
}

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
      `meta priority & ${hex(WAY_MASK)} vmap @pick-ways`,
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
