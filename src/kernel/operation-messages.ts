import { writeAddAddress, writeDeleteAddress } from "./address-messages.ts";
import { errno } from "./errno.ts";
import type { KernelOperation, SetSysctl } from "./kernel.ts";
import { writeAddLink, writeSetLink } from "./link-messages.ts";
import { writeAddNeighbour, writeDeleteNeighbour } from "./neighbour-messages.ts";
import type { MessageWriter } from "./netlink-message.ts";
import { writeAddQdisc, writeDeleteQdisc, writeSetRedirect } from "./traffic-messages.ts";
import { writeAddRoute, writeDeleteRoute } from "./route-messages.ts";

/** Writes the one or several messages of an operation. A sysctl has none: it is a file. */
export function writeOperation(
  writer: MessageWriter,
  operation: Exclude<KernelOperation, SetSysctl>,
): void {
  switch (operation.kind) {
    case "add-link":
      return writeAddLink(writer, operation);
    case "set-link":
      return writeSetLink(writer, operation);
    case "add-address":
      return writeAddAddress(writer, operation);
    case "delete-address":
      return writeDeleteAddress(writer, operation);
    case "add-route":
      return writeAddRoute(writer, operation);
    case "delete-route":
      return writeDeleteRoute(writer, operation);
    case "add-neighbour":
      return writeAddNeighbour(writer, operation);
    case "delete-neighbour":
      return writeDeleteNeighbour(writer, operation);
    case "add-qdisc":
      return writeAddQdisc(writer, operation);
    case "delete-qdisc":
      return writeDeleteQdisc(writer, operation);
    case "set-redirect":
      return writeSetRedirect(writer, operation);
  }
}

/** The errors that count as success for an operation, one in each byte, from the lowest; 0: none. */
export function toleratedErrors(operation: KernelOperation): number {
  switch (operation.kind) {
    case "add-link":
    case "add-address":
    case "add-route":
    case "add-neighbour":
    case "add-qdisc":
      return operation.ifExists === "keep" ? errno.EEXIST : 0;
    case "delete-address":
      return operation.missingOk === false ? 0 : errno.EADDRNOTAVAIL | (errno.ENODEV << 8);
    case "delete-route":
      // ENOENT: the root of the IPv6 table, met in place of a default route (fib6_del()).
      return operation.missingOk === false
        ? 0
        : errno.ESRCH | (errno.ENODEV << 8) | (errno.ENOENT << 16);
    case "delete-neighbour":
    case "delete-qdisc":
      return operation.missingOk === false ? 0 : errno.ENOENT | (errno.ENODEV << 8);
    case "set-link":
      // Only what is deleted to leave the default VLAN answers so.
      return operation.accessVlan === undefined ? 0 : errno.ENOENT;
    case "set-redirect":
    case "set-sysctl":
      return 0;
  }
}
