import type { AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import { ERRORS, formatErrorChain, type PatchbayError } from "../errors.ts";
import type { DnsConfig } from "./network-config.ts";
import { CNI_VERSIONS, type CniVersion, isAtLeast } from "./versions.ts";

/** The CNI result of an ADD in the words of the version that the request named. */
export function toCniResult(
  response: AttachResponse,
  dns: DnsConfig | undefined,
  cniVersion: CniVersion,
): object {
  const newest = isAtLeast(cniVersion, "1.1.0");
  return {
    cniVersion,
    interfaces: response.interfaces.map((link) => ({
      name: link.name,
      ...(link.mac ? { mac: link.mac } : {}),
      ...(newest && link.mtu ? { mtu: link.mtu } : {}),
      ...(link.sandbox ? { sandbox: link.sandbox } : {}),
      ...(newest && link.socketPath ? { socketPath: link.socketPath } : {}),
      ...(newest && link.pciId ? { pciID: link.pciId } : {}),
    })),
    ips: response.addresses.map((ip) => ({
      // Before 1.0.0 each address says its family in words.
      ...(isAtLeast(cniVersion, "1.0.0") ? {} : { version: ip.address.includes(":") ? "6" : "4" }),
      interface: ip.interfaceIndex,
      address: ip.address,
      ...(ip.gateway ? { gateway: ip.gateway } : {}),
    })),
    routes: response.routes.map((route) => ({
      dst: route.destination,
      ...(route.gateway ? { gw: route.gateway } : {}),
      ...(newest && route.mtu ? { mtu: route.mtu } : {}),
      ...(newest && route.advmss ? { advmss: route.advmss } : {}),
      ...(newest && route.priority ? { priority: route.priority } : {}),
      ...(newest && route.table ? { table: route.table } : {}),
      ...(newest && route.scope ? { scope: route.scope } : {}),
    })),
    dns: response.dns ?? dns ?? {},
  };
}

/** The answer to VERSION. */
export function toCniVersionResult(cniVersion: CniVersion): object {
  return { cniVersion, supportedVersions: CNI_VERSIONS };
}

/** The one place where a failure becomes a CNI error object. */
export function toCniError(error: PatchbayError, cniVersion: CniVersion): object {
  const entry = ERRORS[error.code];
  const cause = error.cause === undefined ? "" : `${formatErrorChain(error.cause)}. `;
  return {
    cniVersion,
    code: entry.cni,
    msg: `${error.message} [${error.code}]`,
    details: `${cause}${entry.remedy}`,
  };
}

/** Addresses (CIDR) of a prevResult of any version; what is no result has none. */
export function addressesOfResult(prevResult: unknown): string[] {
  const ips = (prevResult as { ips?: unknown } | null | undefined)?.ips;
  if (!Array.isArray(ips)) return [];
  return ips
    .map((ip) => (ip as { address?: unknown } | null)?.address)
    .filter((address) => typeof address === "string");
}
