import { readAddress } from "./address-messages.ts";
import type { KernelEvent } from "./kernel.ts";
import { readLink } from "./link-messages.ts";
import { messageBytes, messagesIn } from "./netlink-message.ts";
import { readRoute } from "./route-messages.ts";
import {
  AF_BRIDGE,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
} from "./rtnetlink-constants.ts";

/** What a datagram of the monitor socket tells. Messages of other kinds are passed over. */
export function eventsIn(datagram: Uint8Array): KernelEvent[] {
  const events: KernelEvent[] = [];
  const from = messageBytes(datagram);
  for (const message of messagesIn(from)) {
    switch (message.type) {
      case RTM_NEWLINK:
      case RTM_DELLINK: {
        // A bridge tells of its ports in the same group: a port that leaves it is not a link that goes.
        if (from.bytes[message.start] === AF_BRIDGE) break;
        const change = message.type === RTM_NEWLINK ? "new" : "deleted";
        events.push({ kind: "link", change, link: readLink(from, message) });
        break;
      }
      case RTM_NEWADDR:
      case RTM_DELADDR: {
        const address = readAddress(from, message);
        const change = message.type === RTM_NEWADDR ? "new" : "deleted";
        if (address) events.push({ kind: "address", change, address });
        break;
      }
      case RTM_NEWROUTE:
      case RTM_DELROUTE: {
        const route = readRoute(from, message);
        const change = message.type === RTM_NEWROUTE ? "new" : "deleted";
        if (route) events.push({ kind: "route", change, route });
        break;
      }
    }
  }
  return events;
}
