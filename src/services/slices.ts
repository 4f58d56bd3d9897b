import type { Family } from "../ip/address.ts";
import { familyOf, findAddressText } from "./address-text.ts";
import { weightOf } from "./annotations.ts";
import type { AddressText, Endpoint, EndpointGroup, EndpointPort } from "./model.ts";
import type { EndpointSlice, ObjectMeta, SliceEndpoint } from "./objects.ts";
import type { SharedTexts } from "./shared-texts.ts";
import { specialAddress } from "./special-address.ts";

/** An EndpointSlice as read: all that is kept of it. */
export interface ReadSlice {
  readonly name: string;
  /** "namespace/name" of the Service. */
  readonly service: string;
  readonly family: Family;
  readonly endpoints: readonly Endpoint[];
  readonly version?: string;
  /** Annotation endpoints.kubernetes.io/last-change-trigger-time, ms since 1970. */
  readonly triggeredMs?: number;
}

/** Reads a slice by services.md 3.1. undefined: it belongs to no Service that we serve, or holds names. */
export function readSlice(
  slice: EndpointSlice,
  { texts, problems }: { readonly texts: SharedTexts; readonly problems: string[] },
): ReadSlice | undefined {
  const { labels, annotations, namespace, name } = slice.metadata;
  const version = versionOf(slice.metadata);
  const service = labels?.["kubernetes.io/service-name"];
  if (service === undefined || service === "") {
    const label = "metadata.labels[kubernetes.io/service-name]";
    problems.push(`${label} is missing: the slice belongs to no Service`);
    return undefined;
  }
  if (labels?.["service.kubernetes.io/headless"] !== undefined) return undefined;
  if (slice.addressType === "FQDN") return undefined;
  const family: Family = slice.addressType === "IPv6" ? 6 : 4;
  const ports = texts.ports(readPorts(slice, problems));
  const endpoints: Endpoint[] = [];
  for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
    // Only the first address ever counted; the others mean the same endpoint.
    const text = endpoint.addresses[0];
    const address = text === undefined ? undefined : findAddressText(text);
    const special = address && specialAddress(address);
    if (address === undefined || familyOf(address) !== family) {
      problems.push(
        `endpoints[${index}].addresses[0] is ${JSON.stringify(text)}, expected an ${slice.addressType} address`,
      );
    } else if (special !== undefined) {
      problems.push(
        `endpoints[${index}].addresses[0]: ${address} is ${special}: the endpoint is ignored`,
      );
    } else {
      endpoints.push(readEndpoint(endpoint, { address, ports, texts }));
    }
  }
  const triggered = annotations?.["endpoints.kubernetes.io/last-change-trigger-time"];
  const triggeredMs = triggered === undefined ? Number.NaN : Date.parse(triggered);
  return {
    name,
    service: `${namespace}/${service}`,
    family,
    endpoints,
    ...(version !== undefined && { version }),
    ...(!Number.isNaN(triggeredMs) && { triggeredMs }),
  };
}

/**
 * All endpoints of a Service in one family. An endpoint that moves stands in two slices for a
 * while: both are here, and the choice takes one (resolveEndpoints). Ordered by slice, so that the
 * order of events decides nothing.
 */
export function mergeSlices(
  slices: Iterable<ReadSlice>,
  {
    id,
    family,
    weights,
  }: {
    readonly id: string;
    readonly family: Family;
    readonly weights?: ReadonlyMap<string, number> | undefined;
  },
): EndpointGroup {
  const ours: ReadSlice[] = [];
  for (const slice of slices) if (slice.family === family) ours.push(slice);
  if (ours.length > 1) ours.sort((one, other) => (one.name < other.name ? -1 : 1));
  const [only] = ours;
  const endpoints =
    ours.length === 1 && only ? only.endpoints : ours.flatMap((slice) => slice.endpoints);
  if (weights === undefined) return { id, family, endpoints };
  return {
    id,
    family,
    endpoints: endpoints.map((endpoint) => {
      const weight = weightOf(endpoint, weights);
      return weight === endpoint.weight ? endpoint : { ...endpoint, weight };
    }),
  };
}

/**
 * The endpoints of a Service at their pods' addresses on a network. Pods are found in slices of both families, those of the
 * wanted one first: a pod that has IPv4 alone may have IPv6 on its other network.
 */
export function slicesOnNetwork(
  slices: Iterable<ReadSlice>,
  {
    id,
    family,
    weights,
    findAddress,
  }: {
    readonly id: string;
    readonly family: Family;
    readonly weights?: ReadonlyMap<string, number> | undefined;
    /** Of the pod with this name. */
    readonly findAddress: (podName: string) => AddressText | undefined;
  },
): EndpointGroup {
  const all = [...slices];
  const ours = mergeSlices(all, { id, family }).endpoints;
  const others = mergeSlices(all, { id, family: family === 4 ? 6 : 4 }).endpoints;
  const endpoints: Endpoint[] = [];
  const absent: Endpoint[] = [];
  const seen = new Set<string>();
  for (const endpoint of [...ours, ...others]) {
    const { podName } = endpoint;
    const address = podName === undefined ? undefined : findAddress(podName);
    if (address === undefined) {
      // The other family's slices name the same pods.
      if (!seen.has(podName ?? "") && (podName !== undefined || ours.includes(endpoint))) {
        absent.push(endpoint);
      }
    } else {
      const there = { ...endpoint, address };
      const weight = weights === undefined ? there.weight : weightOf(there, weights);
      endpoints.push({ ...there, weight });
    }
    if (podName !== undefined) seen.add(podName);
  }
  return { id, family, endpoints, absent };
}

/** What is the same whenever an object of the API is; undefined: it does not come from there. */
export function versionOf({
  uid,
  resourceVersion,
}: Pick<ObjectMeta, "uid" | "resourceVersion">): string | undefined {
  return uid && resourceVersion ? `${uid}/${resourceVersion}` : undefined;
}

function readPorts(slice: EndpointSlice, problems: string[]): readonly EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const [index, { name, protocol, port }] of (slice.ports ?? []).entries()) {
    if (typeof name !== "string") {
      problems.push(`ports[${index}].name is missing: the port is ignored`);
    } else if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > 65_535) {
      problems.push(`ports[${index}].port is ${port ?? "missing"}: the port is ignored`);
    } else if (port !== 0) {
      ports.push({ name, protocol: protocol ?? "TCP", port });
    }
  }
  return ports;
}

function readEndpoint(
  { conditions, nodeName, zone, targetRef, hints }: SliceEndpoint,
  {
    address,
    ports,
    texts,
  }: {
    readonly address: Endpoint["address"];
    readonly ports: readonly EndpointPort[];
    readonly texts: SharedTexts;
  },
): Endpoint {
  const podName = targetRef?.kind === "Pod" ? targetRef.name : undefined;
  return {
    address,
    ports,
    // nil means ready and serving, and not terminating (pkg/proxy/endpointslicecache.go).
    ready: conditions?.ready ?? true,
    serving: conditions?.serving ?? true,
    terminating: conditions?.terminating ?? false,
    weight: 1,
    ...(nodeName && { nodeName: texts.text(nodeName) }),
    ...(podName && { podName }),
    ...(zone && { zone: texts.text(zone) }),
    ...(hints?.forNodes?.length && { nodeHints: texts.names(hints.forNodes) }),
    ...(hints?.forZones?.length && { zoneHints: texts.names(hints.forZones) }),
  };
}
