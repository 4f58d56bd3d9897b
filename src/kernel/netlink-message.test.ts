import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { IpAddress } from "../ip/address.ts";
import { type AddressAttributes, addressLayout } from "./address-layout.ts";
import { type LinkAttributes, linkLayout } from "./link-layout.ts";
import { type NeighbourAttributes, neighbourLayout } from "./neighbour-layout.ts";
import {
  type MessageLayout,
  MessageWriter,
  messageBytes,
  messagesIn,
  readMessage,
  type WithUnknown,
  writeMessage,
} from "./netlink-message.ts";
import { type RouteAttributes, routeLayout } from "./route-layout.ts";
import {
  type FilterAttributes,
  filterLayout,
  type QdiscAttributes,
  qdiscLayout,
} from "./traffic-layout.ts";

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const i32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const name = fc.stringMatching(/^[a-z0-9.@-]{1,15}$/);
const alias = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .filter((text) => !text.includes("\0"));
const mac = fc
  .array(u8, { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":"));
const address: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ({ family: 6 as const, value })),
);
/** Numbers that no table names. */
const unknown = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 900, max: 1000 }), fc.uint8Array({ maxLength: 40 })), {
    minLength: 1,
    maxLength: 3,
    selector: ([number]) => number,
  })
  .map((entries) => new Map(entries));

function some<Value>(values: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Value> {
  return fc.record(values, { requiredKeys: [] }) as fc.Arbitrary<Value>;
}

const trafficHeader = fc.record({ family: u8, index: i32, handle: u32, parent: u32, info: u32 });

const plainLink = {
  ifname: name,
  address: mac,
  mtu: u32,
  txqlen: u32,
  link: u32,
  master: u32,
  ifalias: alias,
  group: u32,
  linkNetnsId: i32,
  extMask: u32,
  netNsFd: u32,
  afSpec: some({ inet6: some({ addrGenMode: u8, unknown }), unknown }),
  protinfo: some({ mode: u8, isolated: u8, unknown }),
  unknown,
};
const linkHeader = fc.record({ family: u8, type: u16, index: i32, flags: u32, change: u32 });
const linkinfo = fc.oneof(
  fc.record({
    kind: fc.constant("veth"),
    data: fc.record({
      peer: fc.record({ header: linkHeader, attributes: some<LinkAttributes>(plainLink as never) }),
    }),
  }),
  fc.record({
    kind: fc.constant("bridge"),
    data: some({ ageingTime: u32, vlanFiltering: u8, unknown }),
  }),
  fc.record({ kind: fc.constant("macvlan"), data: some({ mode: u32, unknown }) }),
  fc.record({
    kind: fc.constant("vxlan"),
    data: some({ id: u32, link: u32, local: address, learning: u8, port: u16, unknown }),
  }),
  fc.record({
    kind: fc.constant("other"),
    slaveKind: name,
    slaveData: fc.uint8Array({ maxLength: 9 }),
    unknown,
  }),
);

describe("readMessage()", () => {
  const rows: readonly (readonly [string, () => void])[] = [
    [
      "links",
      () => check(linkLayout, linkHeader, some<LinkAttributes>({ ...plainLink, linkinfo })),
    ],
    [
      "addresses",
      () =>
        check(
          addressLayout,
          fc.record({ family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 }),
          some<AddressAttributes>({
            address,
            local: address,
            label: name,
            broadcast: address,
            flags: u32,
            unknown,
          }),
        ),
    ],
    [
      "routes",
      () =>
        check(
          routeLayout,
          fc.record({
            family: u8,
            destinationLength: u8,
            sourceLength: u8,
            tos: u8,
            table: u8,
            protocol: u8,
            scope: u8,
            type: u8,
            flags: u32,
          }),
          some<RouteAttributes>({
            destination: address,
            oif: u32,
            gateway: address,
            priority: u32,
            prefsrc: address,
            metrics: some({ mtu: u32, advmss: u32, unknown }),
            table: u32,
            via: address,
            unknown,
          }),
        ),
    ],
    [
      "neighbours",
      () =>
        check(
          neighbourLayout,
          fc.record({ family: u8, index: i32, state: u16, flags: u8, type: u8 }),
          some<NeighbourAttributes>({ destination: address, lladdr: mac, master: u32, unknown }),
        ),
    ],
    [
      "qdiscs",
      () =>
        check(
          qdiscLayout,
          trafficHeader,
          some<QdiscAttributes>({
            kind: name,
            options: some({
              parms: fc.record({ linkLayer: u8, rate: u32, limit: u32, buffer: u32 }),
              rate64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
              burst: u32,
              unknown,
            }),
            stats2: some({ basic: fc.uint8Array({ maxLength: 16 }), unknown }),
            unknown,
          }),
        ),
    ],
    [
      "filters",
      () =>
        check(
          filterLayout,
          trafficHeader,
          some<FilterAttributes>({
            kind: name,
            options: some({
              selector: fc.uint8Array({ maxLength: 40 }),
              actions: some({
                first: some({
                  kind: name,
                  options: some({
                    parms: fc.record({ action: i32, direction: i32, index: i32 }),
                    unknown,
                  }),
                }),
                unknown,
              }),
            }),
            unknown,
          }),
        ),
    ],
  ];
  for (const [what, run] of rows)
    it(`reads what writeMessage() wrote, unknown attributes too: ${what}`, run);

  it("takes any bytes without throwing anything but RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const from = messageBytes(bytes);
        for (const message of messagesIn(from)) {
          for (const layout of [
            linkLayout,
            addressLayout,
            routeLayout,
            neighbourLayout,
            qdiscLayout,
            filterLayout,
          ]) {
            try {
              readMessage(from, message, layout as never);
            } catch (error) {
              assert.ok(error instanceof RangeError);
            }
          }
        }
      }),
    );
  });

  it("survives every cut and every flipped byte of a real message", () => {
    const writer = new MessageWriter();
    writeMessage(writer, linkLayout, {
      type: 16,
      flags: 0,
      header: {},
      attributes: {
        ifname: "eth0",
        linkinfo: { kind: "veth", data: { peer: { header: {}, attributes: { mtu: 1500 } } } },
      },
    });
    const whole = writer.bytes.slice(0, writer.length);
    for (let index = 0; index < whole.length; index++) {
      const flipped = Uint8Array.from(whole);
      flipped[index] = ~(flipped[index] ?? 0);
      for (const bytes of [whole.slice(0, index), flipped]) {
        const from = messageBytes(bytes);
        for (const message of messagesIn(from)) readMessage(from, message, linkLayout);
      }
    }
  });
});

describe("writeMessage()", () => {
  it("lays out a veth with its peer elsewhere byte for byte", () => {
    // As strace shows it of ip(8), which puts the MTU first and leaves the NUL after the kind away.
    const writer = new MessageWriter();
    writeMessage(writer, linkLayout, {
      type: 16,
      flags: 0x601,
      header: {},
      attributes: {
        ifname: "ve",
        mtu: 1400,
        linkinfo: {
          kind: "veth",
          data: { peer: { header: {}, attributes: { ifname: "eth0", netNsFd: 5 } } },
        },
      },
    });
    assert.equal(
      Buffer.from(writer.bytes.subarray(0, writer.length)).toString("hex"),
      [
        "6c00000010000106000000000000000000000000000000000000000000000000",
        "07000300766500000800040078050000",
        "3c0012800900010076657468000000002c000280",
        "2800010000000000000000000000000000000000",
        "090003006574683000000000",
        "08001c0005000000",
      ].join(""),
    );
  });

  it("keeps names for later as references", () => {
    const writer = new MessageWriter(16);
    const start = writeMessage(writer, linkLayout, {
      type: 16,
      flags: 0,
      header: { index: "br0" },
      attributes: { master: "br1", netNsFd: "/run/netns/x" },
    });
    assert.deepEqual(writer.references, [
      { kind: "link", offset: start + 20, name: "br0" },
      { kind: "link", offset: start + 36, name: "br1" },
      { kind: "netns", offset: start + 44, name: "/run/netns/x" },
    ]);
  });
});

function check<Header, Attributes extends WithUnknown>(
  layout: MessageLayout<Header, Attributes>,
  headers: fc.Arbitrary<Record<keyof Header, number>>,
  attributes: fc.Arbitrary<Attributes>,
): void {
  fc.assert(
    fc.property(headers, attributes, u16, (header, values, type) => {
      const writer = new MessageWriter(64);
      writeMessage(writer, layout, { type, flags: 1, header, attributes: values });
      const from = messageBytes(writer.bytes.subarray(0, writer.length));
      const messages = [...messagesIn(from)];
      assert.equal(messages.length, 1);
      const [message] = messages;
      if (message === undefined) return;
      assert.equal(message.type, type);
      const read = readMessage(from, message, layout);
      assert.deepEqual({ ...read.header }, { ...header });
      assert.deepEqual(plain(read.attributes), plain(values));
      const again = new MessageWriter(64);
      writeMessage(again, layout, {
        type,
        flags: 1,
        header,
        attributes: inOrderOf(values, read.attributes),
      });
      assert.deepEqual(
        again.bytes.subarray(0, again.length),
        writer.bytes.subarray(0, writer.length),
      );
    }),
  );
}

/** fast-check's records have no prototype. */
function plain(value: unknown): unknown {
  if (
    value instanceof Map ||
    value instanceof Uint8Array ||
    typeof value !== "object" ||
    value === null
  ) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** Attributes are written in key order: the read ones in the order of the written. */
function inOrderOf<Value>(order: Value, values: Value): Value {
  if (
    order instanceof Map ||
    order instanceof Uint8Array ||
    typeof order !== "object" ||
    order === null
  ) {
    return values;
  }
  return Object.fromEntries(
    Object.keys(order).map((key) => [
      key,
      inOrderOf(order[key as keyof Value], values[key as keyof Value]),
    ]),
  ) as Value;
}
