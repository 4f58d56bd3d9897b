import { parseAddress, parsePrefix } from "../ip/address.ts";
import type { KernelOperation } from "./kernel.ts";

export interface FaultCase {
  readonly title: string;
  /** Operations that succeed first, in an empty namespace. */
  readonly prepare: readonly KernelOperation[];
  readonly operation: KernelOperation;
  readonly code: string;
}

const link = "va";
const pair: KernelOperation = {
  kind: "add-link",
  name: "va",
  link: { type: "veth", peer: { name: "vb" } },
};
const bridge: KernelOperation = { kind: "add-link", name: "br", link: { type: "bridge" } };
const up: KernelOperation = { kind: "set-link", name: "va", up: true, addrGenMode: 1 };
const address4: KernelOperation = {
  kind: "add-address",
  link,
  address: parsePrefix("10.0.0.1/24"),
};
const address6: KernelOperation = { kind: "add-address", link, address: parsePrefix("fd00::1/64") };
const noIpv6: KernelOperation = {
  kind: "set-sysctl",
  path: ["net", "ipv6", "conf", "va", "disable_ipv6"],
  value: "1",
};
const macvlan: KernelOperation = {
  kind: "add-link",
  name: "mv",
  link: { type: "macvlan", parent: "va", mode: "bridge" },
};
const vxlan: KernelOperation = { kind: "add-link", name: "vx", link: { type: "vxlan", vni: 5 } };
const mac = "02:00:00:00:00:05";
const route4 = parsePrefix("10.8.0.0/16");
const route6 = parsePrefix("fd08::/16");

function route(fields: Partial<KernelOperation & { kind: "add-route" }>): KernelOperation {
  return { kind: "add-route", destination: route4, ...fields };
}

/** One fault each, with the errno that Linux 6.18 answers. */
export const faultCases: readonly FaultCase[] = [
  ...cases("for a link that exists", "EEXIST", [
    [[bridge], bridge],
    [[pair], { ...pair, name: "vx" }],
    [[bridge], { ...pair, name: "br" }],
    [[], { ...pair, name: "vb" }],
    [[vxlan], { ...vxlan, name: "vy" }],
    [[pair, bridge], { kind: "set-link", name: "va", rename: "br" }],
  ]),
  ...cases("for a link that is not there", "ENODEV", [
    [[], up],
    [[], address4],
    [[], { kind: "delete-address", link, address: parsePrefix("10.0.0.1/24"), missingOk: false }],
    [[], route({ link })],
    [[], route({})],
    [[], { kind: "delete-route", destination: route4, link, missingOk: false }],
    [[], { kind: "add-neighbour", link, address: parseAddress("10.0.0.2"), mac }],
    [[], { kind: "delete-neighbour", link, address: parseAddress("10.0.0.2"), missingOk: false }],
    [[], { ...pair, master: "br" }],
    [[], macvlan],
    [[], { kind: "add-link", name: "vx", link: { type: "vxlan", vni: 5, parent: "va" } }],
    [[pair], { kind: "set-link", name: "va", master: "br" }],
  ]),
  ...cases("for a master that takes no ports", "EOPNOTSUPP", [
    [[pair, bridge], { kind: "set-link", name: "br", master: "va" }],
    [[pair], { kind: "set-link", name: "va", hairpin: true }],
    [[pair], { kind: "set-link", name: "va", vlanFiltering: true }],
  ]),
  ...cases("for a bridge in a bridge", "ELOOP", [
    [[bridge, { ...bridge, name: "br2" }], { kind: "set-link", name: "br2", master: "br" }],
  ]),
  ...cases("for a port that carries a macvlan, and the reverse", "EBUSY", [
    [[pair, macvlan, bridge], { kind: "set-link", name: "va", master: "br" }],
    [[pair, bridge, { kind: "set-link", name: "va", master: "br" }], macvlan],
  ]),
  ...cases("for what is malformed or not possible", "EINVAL", [
    [[bridge], { kind: "set-link", name: "lo", master: "br" }],
    [[pair], { kind: "set-link", name: "va", mtu: 60 }],
    [[pair], { kind: "set-link", name: "va", mac: "02:00:00:00:00:0g" }],
    [[pair], { kind: "set-link", name: "va", alias: "x".repeat(256) }],
    [[pair], { kind: "set-link", name: "va", rename: "a/b" }],
    [[], { ...bridge, name: "sixteen-letters!" }],
    [[], { kind: "add-link", name: "mv", link: { type: "macvlan", parent: "lo", mode: "bridge" } }],
    [[pair, up], route({ destination: parsePrefix("10.8.0.1/16"), link })],
    [[pair, up], route({ destination: parsePrefix("fd08::1/16"), link })],
    [[pair, up], route({ link, source: parseAddress("10.0.0.99") })],
    [[pair, up], route({ destination: route6, link, source: parseAddress("fd00::99") })],
    [[pair, up, address4], route({ gateway: parseAddress("10.0.0.1"), link, onlink: true })],
    [[pair, up, address6], route({ destination: route6, gateway: parseAddress("fd00::1"), link })],
    [[pair, noIpv6], { kind: "add-neighbour", link, address: parseAddress("fd00::2"), mac }],
    [[pair], { kind: "add-neighbour", link, address: parseAddress("10.0.0.2") }],
    [[], { kind: "set-sysctl", path: ["kernel", "hostname"], value: "x" }],
    [[], { kind: "set-sysctl", path: ["net", "..", "kernel", "hostname"], value: "x" }],
  ]),
  ...cases("for a MAC that is no station's", "EADDRNOTAVAIL", [
    [[pair], { kind: "set-link", name: "va", mac: "01:00:00:00:00:01" }],
    [[], { ...bridge, mac: "ff:ff:ff:ff:ff:ff" }],
  ]),
  ...cases("for an address, route or neighbour that exists", "EEXIST", [
    [[pair, address4], address4],
    [[pair, address6], address6],
    [[pair, up, address4], route({ destination: parsePrefix("10.0.0.0/24"), link })],
    [[pair, up, route({ link })], route({ link })],
    [[pair, up, route({ link, destination: route6 })], route({ link, destination: route6 })],
    [[pair, neighbour("10.0.0.2")], neighbour("10.0.0.2")],
    [[pair, neighbour("fd00::2")], neighbour("fd00::2")],
    [[vxlan, remote("192.0.2.1")], remote("192.0.2.2")],
  ]),
  ...cases("for what is not there to delete", "ESRCH", [
    [[pair, up], { kind: "delete-route", destination: route4, link, missingOk: false }],
    [[pair, up], { kind: "delete-route", destination: route6, link, missingOk: false }],
  ]),
  ...cases("for what is not there to delete or to write", "ENOENT", [
    [
      [pair],
      { kind: "delete-neighbour", link, address: parseAddress("10.0.0.2"), missingOk: false },
    ],
    [
      [pair],
      { kind: "delete-neighbour", link, address: parseAddress("fd00::2"), missingOk: false },
    ],
    [[], { kind: "set-sysctl", path: ["net", "ipv4", "conf", "absent", "forwarding"], value: "1" }],
  ]),
  ...cases("for a route through a link that is down", "ENETDOWN", [
    [[pair], route({ link })],
    [[pair], route({ destination: route6, link })],
    [[pair], route({ gateway: parseAddress("169.254.1.1"), link, onlink: true })],
    [[pair], route({ destination: route6, gateway: parseAddress("fe80::1"), link, onlink: true })],
    [[pair], route({ destination: route6, gateway: parseAddress("fe80::1"), link })],
  ]),
  ...cases("for a gateway that is not on a link", "ENETUNREACH", [
    [[pair, up, address4], route({ gateway: parseAddress("192.0.2.1"), link })],
    [[pair, up], route({ gateway: parseAddress("192.0.2.1") })],
  ]),
  ...cases("for a gateway that is not on a link", "EHOSTUNREACH", [
    [[pair, up, address6], route({ destination: route6, gateway: parseAddress("fd99::1"), link })],
  ]),
  ...cases("where IPv6 is disabled", "EACCES", [
    [[pair, noIpv6], address6],
    [[pair, noIpv6, up], route({ destination: route6, link })],
  ]),
];

function cases(
  title: string,
  code: string,
  rows: readonly (readonly [readonly KernelOperation[], KernelOperation])[],
): FaultCase[] {
  return rows.map(([prepare, operation], index) => ({
    title: `to ${operation.kind} ${title} (${index + 1})`,
    prepare,
    operation,
    code,
  }));
}

function neighbour(text: string): KernelOperation {
  return { kind: "add-neighbour", link, address: parseAddress(text), mac };
}

function remote(text: string): KernelOperation {
  return { kind: "add-neighbour", link: "vx", forwarding: true, mac, address: parseAddress(text) };
}
