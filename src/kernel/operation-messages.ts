import { writeAddAddress, writeDeleteAddress } from "./address-messages.ts";
import { errno } from "./errno.ts";
import type { KernelOperation, SetSysctl } from "./kernel.ts";
import { writeAddLink, writeSetLink } from "./link-messages.ts";
import { writeAddNeighbour, writeDeleteNeighbour } from "./neighbour-messages.ts";
import type { MessageWriter } from "./netlink-message.ts";
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
  }
}

/** The two errors that count as success for an operation; 0: none. */
export function toleratedErrors(operation: KernelOperation): readonly [number, number] {
  switch (operation.kind) {
    case "add-link":
    case "add-address":
    case "add-route":
    case "add-neighbour":
      return operation.ifExists === "keep" ? [errno.EEXIST, 0] : none;
    case "delete-address":
      return operation.missingOk === false ? none : [errno.EADDRNOTAVAIL, errno.ENODEV];
    case "delete-route":
      return operation.missingOk === false ? none : [errno.ESRCH, errno.ENODEV];
    case "delete-neighbour":
      return operation.missingOk === false ? none : [errno.ENOENT, errno.ENODEV];
    case "set-link":
      // Only what is deleted to leave the default VLAN answers so.
      return operation.accessVlan === undefined ? none : [errno.ENOENT, 0];
    case "set-sysctl":
      return none;
  }
}

const none: readonly [number, number] = [0, 0];
