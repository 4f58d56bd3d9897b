import { parseAddress, parsePrefix } from "../../ip/address.ts";
import type { AttachRequest, AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import { expect, expectList, expectText } from "./plugin-answers.ts";

/** Interfaces, and addresses, of one attachment. */
const INTERFACES_MAX = 64;
/** Routes of one attachment. */
const ROUTES_MAX = 1_024;
/** Entries of one list of dns. */
const DNS_MAX = 64;
/** A domain name, or an option: RFC 1035, section 2.3.4. */
const DNS_TEXT_MAX = 255;
/** Bytes of device information. */
const DEVICE_INFO_BYTES_MAX = 65_536;
/** linux/limits.h, PATH_MAX. */
const PATH_MAX = 4_095;

/** IFNAMSIZ of linux/if.h, and dev_valid_name() of the kernel: neither a slash nor blanks. */
// oxlint-disable-next-line no-control-regex -- they are what it is about
const LINK_NAME = /^(?!\.{1,2}$)[^\s/:\u0000-\u0020\u007f]{1,15}$/;
/** Ethernet, a GUID, InfiniBand. */
const MAC =
  /^([0-9a-fA-F]{2}:){5}([0-9a-fA-F]{2}|([0-9a-fA-F]{2}:){2}[0-9a-fA-F]{2}|([0-9a-fA-F]{2}:){14}[0-9a-fA-F]{2})$/;
const PCI_ADDRESS = /^[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]$/;

/** Checks an answer to Attach against what was asked. Throws GarbageError that names the field. */
export function checkAttachAnswer(request: AttachRequest, answer: AttachResponse): AttachResponse {
  checkInterfaces(request, answer);
  checkAddresses(request, answer);
  checkRoutes(answer);
  checkDns(answer);
  checkDeviceInfo(answer.deviceInfoJson);
  return answer;
}

function checkInterfaces(request: AttachRequest, { interfaces }: AttachResponse): void {
  expectList(interfaces, "interfaces", INTERFACES_MAX);
  for (const [index, link] of interfaces.entries()) {
    const field = `interfaces[${index}]`;
    expect(LINK_NAME.test(link.name), `${field}.name`, "the name of a link");
    expect(link.mac === "" || MAC.test(link.mac), `${field}.mac`, "a MAC address");
    expect(isUint32(link.mtu), `${field}.mtu`, "bytes");
    // An interface of somebody else's pod is nobody's to answer with.
    const isOurs = link.sandbox === "" || link.sandbox === request.netns;
    expect(isOurs, `${field}.sandbox`, `${request.netns}, or nothing for the node`);
    expect(isPath(link.socketPath), `${field}.socket_path`, "an absolute path");
    const isPci = link.pciId === "" || PCI_ADDRESS.test(link.pciId);
    expect(isPci, `${field}.pci_id`, "a PCI address");
  }
  const isThere = interfaces.some(
    ({ name, sandbox }) => name === request.ifname && sandbox === request.netns,
  );
  expect(isThere, "interfaces", `${request.ifname} in sandbox ${request.netns} among them`);
}

function checkAddresses(request: AttachRequest, answer: AttachResponse): void {
  const { addresses, interfaces } = answer;
  expectList(addresses, "addresses", INTERFACES_MAX);
  const set = new Set<string>();
  for (const [index, ip] of addresses.entries()) {
    const field = `addresses[${index}]`;
    const address = tryParse(() => parsePrefix(ip.address));
    expect(address !== undefined, `${field}.address`, "an address with prefix length");
    const link = interfaces[ip.interfaceIndex];
    expect(
      link !== undefined,
      `${field}.interface_index`,
      `less than ${interfaces.length}, the number of interfaces`,
    );
    checkGateway(ip.gateway, `${field}.gateway`, address.family);
    if (link.sandbox === request.netns) set.add(`${address.family} ${address.value}`);
  }
  for (const { address } of request.addresses) {
    // The plugin may set it with another prefix length.
    const { family, value } = parsePrefix(address);
    expect(set.has(`${family} ${value}`), "addresses", `${address}, as allocated, among them`);
  }
}

function checkRoutes({ routes }: AttachResponse): void {
  expectList(routes, "routes", ROUTES_MAX);
  for (const [index, route] of routes.entries()) {
    const field = `routes[${index}]`;
    const destination = tryParse(() => parsePrefix(route.destination));
    expect(destination !== undefined, `${field}.destination`, "a prefix");
    checkGateway(route.gateway, `${field}.gateway`);
    const numbers = [route.mtu, route.advmss, route.priority, route.table, route.scope];
    expect(numbers.every(isUint32), field, "whole numbers below 2^32");
  }
}

function checkGateway(text: string, field: string, family?: 4 | 6): void {
  if (text === "") return;
  const gateway = tryParse(() => parseAddress(text));
  expect(gateway !== undefined, field, "an address");
  expect(family === undefined || gateway.family === family, field, `an IPv${family} address`);
}

function checkDns({ dns }: AttachResponse): void {
  if (!dns) return;
  expectText(dns.domain, "dns.domain", DNS_TEXT_MAX);
  for (const key of ["nameservers", "search", "options"] as const) {
    expectList(dns[key], `dns.${key}`, DNS_MAX);
    for (const [index, text] of dns[key].entries()) {
      expectText(text, `dns.${key}[${index}]`, DNS_TEXT_MAX);
    }
  }
}

function checkDeviceInfo(json: string): void {
  if (json === "") return;
  const field = "device_info_json";
  const isShort = Buffer.byteLength(json) <= DEVICE_INFO_BYTES_MAX;
  expect(isShort, field, `at most ${DEVICE_INFO_BYTES_MAX} bytes`);
  const value = tryParse(() => JSON.parse(json) as unknown);
  expect(typeof value === "object" && value !== null && !Array.isArray(value), field, "an object");
}

function isPath(text: string): boolean {
  if (text === "") return true;
  return text.startsWith("/") && text.length <= PATH_MAX && !text.includes("\0");
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

function tryParse<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
