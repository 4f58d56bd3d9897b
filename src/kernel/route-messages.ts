import type { IpAddress } from "../ip/address.ts";
import { creationFlags, familyNumber } from "./address-messages.ts";
import type { AddRoute, DeleteRoute, Route } from "./kernel.ts";
import { unspecified } from "./netlink-codecs.ts";
import {
  type MessageBytes,
  type MessageWriter,
  readMessage,
  writeMessage,
} from "./netlink-message.ts";
import { type RouteAttributes, routeLayout } from "./route-layout.ts";
import {
  AF_INET,
  AF_INET6,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RT_TABLE_UNSPEC,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTN_UNICAST,
  RTNH_F_ONLINK,
  RTPROT_STATIC,
} from "./rtnetlink-constants.ts";

export function writeAddRoute(writer: MessageWriter, operation: AddRoute): void {
  const { destination, table = RT_TABLE_MAIN } = operation;
  const attributes = routeAttributes(operation);
  if (operation.source !== undefined) attributes.prefsrc = operation.source;
  if (operation.mtu !== undefined || operation.advmss !== undefined) {
    attributes.metrics = {
      ...(operation.mtu === undefined ? {} : { mtu: operation.mtu }),
      ...(operation.advmss === undefined ? {} : { advmss: operation.advmss }),
    };
  }
  writeMessage(writer, routeLayout, {
    type: RTM_NEWROUTE,
    flags: NLM_F_REQUEST | creationFlags(operation.ifExists),
    header: {
      family: familyNumber(destination.family),
      destinationLength: destination.prefixLength,
      table: table < 256 ? table : RT_TABLE_UNSPEC,
      protocol: RTPROT_STATIC,
      scope: routeScopes[operation.scope ?? (operation.gateway ? "universe" : "link")],
      type: RTN_UNICAST,
      flags: operation.onlink ? RTNH_F_ONLINK : 0,
    },
    attributes,
  });
}

export function writeDeleteRoute(writer: MessageWriter, operation: DeleteRoute): void {
  const { destination, table = RT_TABLE_MAIN } = operation;
  writeMessage(writer, routeLayout, {
    type: RTM_DELROUTE,
    flags: NLM_F_REQUEST,
    header: {
      family: familyNumber(destination.family),
      destinationLength: destination.prefixLength,
      table: table < 256 ? table : RT_TABLE_UNSPEC,
      // Any scope: fib_table_delete() takes NOWHERE so.
      scope: destination.family === 4 ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE,
    },
    attributes: routeAttributes(operation),
  });
}

function routeAttributes(operation: AddRoute | DeleteRoute): RouteAttributes {
  const { destination, gateway, link, table = RT_TABLE_MAIN, metric } = operation;
  const attributes: RouteAttributes = {};
  if (destination.prefixLength > 0) attributes.destination = destination;
  if (link !== undefined) attributes.oif = link;
  if (gateway !== undefined) {
    if (gateway.family === destination.family) attributes.gateway = gateway;
    else attributes.via = gateway;
  }
  if (metric !== undefined) attributes.priority = metric;
  if (table >= 256) attributes.table = table;
  return attributes;
}

export function writeGetRoutes(writer: MessageWriter): void {
  writeMessage(writer, routeLayout, {
    type: RTM_GETROUTE,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    header: {},
  });
}

/** Reads an RTM_NEWROUTE or RTM_DELROUTE; undefined for another family than IPv4 and IPv6. */
export function readRoute(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
): Route | undefined {
  const { header, attributes } = readMessage(from, message, routeLayout);
  if (header.family !== AF_INET && header.family !== AF_INET6) return undefined;
  const destination: IpAddress =
    attributes.destination ?? unspecified(header.family === AF_INET ? 4 : 6);
  const gateway = attributes.gateway ?? attributes.via;
  return {
    destination: { ...destination, prefixLength: header.destinationLength },
    ...(gateway === undefined ? {} : { gateway }),
    ...(attributes.oif === undefined ? {} : { ifindex: Number(attributes.oif) }),
    table: attributes.table ?? header.table,
    protocol: header.protocol,
    scope: header.scope,
    type: header.type,
    ...(attributes.priority === undefined ? {} : { metric: attributes.priority }),
    ...(attributes.metrics?.mtu === undefined ? {} : { mtu: attributes.metrics.mtu }),
    ...(attributes.metrics?.advmss === undefined ? {} : { advmss: attributes.metrics.advmss }),
    ...(attributes.prefsrc === undefined ? {} : { source: attributes.prefsrc }),
    onlink: (header.flags & RTNH_F_ONLINK) !== 0,
    unknown: attributes.unknown ?? noUnknown,
  };
}

const routeScopes: { readonly [Scope in "universe" | "link" | "host"]: number } = {
  universe: RT_SCOPE_UNIVERSE,
  link: RT_SCOPE_LINK,
  host: RT_SCOPE_HOST,
};

const noUnknown: ReadonlyMap<number, Uint8Array> = new Map();
