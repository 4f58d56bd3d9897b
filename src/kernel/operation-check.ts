import {
  addressBits,
  formatAddress as addressText,
  type IpPrefix,
  networkOf,
} from "../ip/address.ts";
import { errno } from "./errno.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import type { AddQdisc } from "./traffic-control.ts";

/**
 * Throws EINVAL for what can be seen to be wrong before the kernel is asked: malformed MACs and
 * names, host bits in a route, sysctl paths that leave /proc/sys/net. The fake and the real kernel
 * share it, so that they refuse alike.
 */
export function checkOperation(operation: KernelOperation, netns?: NetnsPath): void {
  const fault = faultOf(operation);
  if (fault === undefined) return;
  throw operationError(
    operation,
    { errno: errno.EINVAL, code: "EINVAL", extendedAck: fault },
    netns,
  );
}

/** The error of an operation, its object named: "route 10.0.0.0/8 in the node". */
export function operationError(
  operation: KernelOperation,
  failure: { readonly errno: number; readonly code: string; readonly extendedAck?: string },
  netns?: NetnsBatch["netns"],
): KernelError {
  return new KernelError({
    ...failure,
    operation: operation.kind,
    object: `${objectOf(operation)} in ${netns ?? "the node"}`,
  });
}

/** Throws EINVAL for a sysctl path that is not below /proc/sys/net. */
export function checkSysctlPath(path: readonly string[], netns?: NetnsPath): void {
  const fault = sysctlFault(path);
  if (fault === undefined) return;
  throw new KernelError({
    errno: errno.EINVAL,
    code: "EINVAL",
    operation: "read-sysctl",
    object: `${path.join(".")} in ${netns ?? "the node"}`,
    extendedAck: fault,
  });
}

function faultOf(operation: KernelOperation): string | undefined {
  switch (operation.kind) {
    case "add-link": {
      const { link } = operation;
      return (
        nameFault(operation.name) ??
        macFault(operation.mac) ??
        (link.type === "veth"
          ? (nameFault(link.peer.name) ?? macFault(link.peer.mac))
          : undefined) ??
        (link.type === "macvlan" ? link.sourceMacs?.map(macFault).find(Boolean) : undefined)
      );
    }
    case "set-link":
      return (
        nameFault(operation.name) ??
        macFault(operation.mac) ??
        (operation.rename === undefined ? undefined : nameFault(operation.rename)) ??
        (operation.alias !== undefined && Buffer.byteLength(operation.alias) > 255
          ? "An alias has at most 255 bytes"
          : undefined)
      );
    case "add-route":
    case "delete-route":
      return prefixFault(operation.destination) ?? hostBitsFault(operation.destination);
    case "add-address":
    case "delete-address":
      return prefixFault(operation.address);
    case "add-neighbour":
      return operation.mac === undefined && !operation.proxy
        ? "A neighbour without a MAC must be a proxy entry"
        : macFault(operation.mac);
    case "delete-neighbour":
      return macFault(operation.mac);
    case "add-qdisc":
      return qdiscFault(operation);
    case "delete-qdisc":
    case "set-redirect":
      return undefined;
    case "set-sysctl":
      return sysctlFault(operation.path);
  }
}

/** What the wire has no room for, and what the kernel divides by. */
function qdiscFault({ qdisc, ifExists }: AddQdisc): string | undefined {
  if (qdisc.type === "ingress") {
    return ifExists === "replace" ? "An ingress qdisc is kept, not replaced" : undefined;
  }
  const { rateBytesPerSecond, burstBytes, limitBytes } = qdisc;
  if (!Number.isSafeInteger(rateBytesPerSecond) || rateBytesPerSecond < 1) {
    return `Not a rate: ${rateBytesPerSecond}`;
  }
  for (const bytes of [burstBytes, limitBytes]) {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > 0xffff_ffff) {
      return `Not a size of 32 bits: ${bytes}`;
    }
  }
  return undefined;
}

/** dev_valid_name() in net/core/dev.c; NUL-terminated within IFNAMSIZ. */
function nameFault(name: string): string | undefined {
  if (/^[^\s/:]{1,15}$/.test(name) && name !== "." && name !== ".." && !/[^\x21-\x7e]/.test(name)) {
    return undefined;
  }
  return `Not a link name: ${JSON.stringify(name)}`;
}

function macFault(mac: string | undefined): string | undefined {
  if (mac === undefined || /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) return undefined;
  return `Not a MAC address: ${JSON.stringify(mac)}`;
}

function prefixFault(prefix: IpPrefix): string | undefined {
  if (prefix.prefixLength >= 0 && prefix.prefixLength <= addressBits(prefix.family))
    return undefined;
  return `Not a prefix length: ${prefix.prefixLength}`;
}

/** IPv4 refuses host bits itself ("Invalid prefix for given prefix length"); IPv6 drops them silently. */
function hostBitsFault(prefix: IpPrefix): string | undefined {
  // The two lengths that pods have need no arithmetic.
  if (prefix.prefixLength === addressBits(prefix.family)) return undefined;
  if (prefix.prefixLength === 0 && prefix.value === 0n) return undefined;
  return networkOf(prefix).value === prefix.value ? undefined : "Host bits are set";
}

function sysctlFault(path: readonly string[]): string | undefined {
  if (path[0] !== "net" || path.length < 2) return "A sysctl path starts with net";
  for (const segment of path) {
    if (segment === "" || segment === "." || segment === ".." || /[/\0]/.test(segment)) {
      return `Not a sysctl path segment: ${JSON.stringify(segment)}`;
    }
  }
  return undefined;
}

function objectOf(operation: KernelOperation): string {
  switch (operation.kind) {
    case "add-link":
      return `${operation.link.type} ${operation.name}`;
    case "set-link":
      return `link ${operation.name}`;
    case "add-address":
    case "delete-address":
      return `address ${prefixText(operation.address)} on ${operation.link}`;
    case "add-route":
    case "delete-route":
      return `route ${prefixText(operation.destination)}`;
    case "add-neighbour":
    case "delete-neighbour":
      return `neighbour ${addressText(operation.address)} on ${operation.link}`;
    case "add-qdisc":
      return `qdisc ${operation.qdisc.type} on ${operation.link}`;
    case "delete-qdisc":
      return `qdisc at ${operation.place} of ${operation.link}`;
    case "set-redirect":
      return `redirect from ${operation.link} to ${operation.to}`;
    case "set-sysctl":
      return `sysctl ${operation.path.join(".")}`;
  }
}

function prefixText(prefix: IpPrefix): string {
  return `${addressText(prefix)}/${prefix.prefixLength}`;
}
