import type { Family, IpPrefix } from "../ip/address.ts";
import { canonicalPrefix, familyOf, findAddressText } from "./address-text.ts";
import { networkAnnotation, readWishes, topologyKeysAnnotation } from "./annotations.ts";
import { boundRanges, boundWays, type WaysIn } from "./bound-service.ts";
import type { AddressText, Frontend, FrontendKind, FrontendPolicy, Protocol } from "./model.ts";
import type { Service, ServicePort } from "./objects.ts";
import { specialAddress } from "./special-address.ts";

/** A Kubernetes Service as ways in; nothing of it depends on slices or on the node. */
export interface TranslatedService {
  readonly frontends: readonly Frontend[];
  readonly weights?: ReadonlyMap<string, number>;
  /** "namespace/name" of the network that its endpoints are dialled on. */
  readonly network?: string;
  /** Absent: none is wanted. */
  readonly healthCheckPort?: number;
  /** Sentences with the field. */
  readonly problems: readonly string[];
  /** Why nothing of it is programmed, where nothing is to be: "it is headless". */
  readonly unserved?: string;
}

/** The name by which label service.kubernetes.io/service-proxy-name means us. */
export const proxyName = "patchbay";

/**
 * Translates a Service. Never throws: what cannot be used is left out and said. Sources:
 * k8s.io/kubernetes pkg/proxy/serviceport.go, services.md 3.1.
 */
export function translateService(service: Service): TranslatedService {
  const unserved = whyUnserved(service);
  if (unserved !== undefined) return { frontends: [], problems: [], unserved };
  const problems: string[] = [];
  const { spec, metadata } = service;
  const clusterIps = readByFamily(spec.clusterIPs, { field: "spec.clusterIPs", problems });
  if (clusterIps[4].length + clusterIps[6].length === 0) {
    if (problems.length === 0) problems.push("spec.clusterIPs is empty: the Service is not served");
    return { frontends: [], problems };
  }
  const wanted = {
    externalIps: readByFamily(spec.externalIPs, { field: "spec.externalIPs", problems }),
    ingress: readByFamily(ingressIps(service), { field: "status.loadBalancer.ingress", problems }),
    ports: readPorts(service, problems),
  };
  // A Service without a cluster IP of a family does not exist in it.
  const families = ([4, 6] as const).filter((family) => clusterIps[family].length > 0);
  const { externalIps, ingress, ports } = boundWays(wanted, { families, problems });
  const sourceRanges = boundRanges(readRanges(service, problems), {
    frontends: ports.length * families.reduce((sum, family) => sum + ingress[family].length, 0),
    problems,
  });
  const wishes = readWishes(metadata, problems);
  const policy = readPolicy(service, { wishes, problems });
  const { network } = wishes;
  if (network !== undefined) noteNodeOnly(wanted, { network, problems });
  const name = `${metadata.namespace}/${metadata.name}`;
  const createdMs = Date.parse(metadata.creationTimestamp ?? "") || 0;
  const frontends: Frontend[] = [];
  for (const family of families) {
    const [clusterIp] = clusterIps[family];
    const group = `${name}/${family}`;
    const ranges = sourceRanges?.filter((range) => range.family === family);
    const lbPolicy = ranges ? { ...policy, sourceRanges: ranges } : policy;
    for (const port of ports) {
      const add = (kind: FrontendKind, address: AddressText | undefined, number: number): void => {
        frontends.push({
          id: `${name}/${port.name}/${kind}/${address ?? family}`,
          family,
          kind,
          ...(address !== undefined && { address }),
          protocol: port.protocol,
          port: number,
          group,
          portName: port.name,
          policy: kind === "loadBalancer" ? lbPolicy : policy,
          ...(network !== undefined && { network }),
          service: name,
          createdMs,
        });
      };
      add("clusterIP", clusterIp, port.port);
      if (port.nodePort !== 0) add("nodePort", undefined, port.nodePort);
      for (const address of externalIps[family]) add("externalIP", address, port.port);
      for (const address of ingress[family]) add("loadBalancer", address, port.port);
    }
  }
  const healthCheckPort = readHealthCheckPort(service, problems);
  return {
    frontends,
    ...(wishes.weights && { weights: wishes.weights }),
    ...(network !== undefined && { network }),
    ...(healthCheckPort !== undefined && { healthCheckPort }),
    problems,
  };
}

/** What leads through the node leads nowhere: it is not on the network. */
function noteNodeOnly(
  { ports, externalIps, ingress }: WaysIn,
  { network, problems }: { readonly network: string; readonly problems: string[] },
): void {
  const isExternal = [externalIps, ingress].some((ips) => ips[4].length + ips[6].length > 0);
  if (!isExternal && ports.every(({ nodePort }) => nodePort === 0)) return;
  problems.push(
    `metadata.annotations[${networkAnnotation}]: NodePorts, external and load-balancer addresses are refused, for only pods on ${network} reach the Service`,
  );
}

/** services.md 3.1: what a proxy leaves alone, and why. undefined: it is ours. */
function whyUnserved({ spec, metadata }: Service): string | undefined {
  const labels = metadata.labels ?? {};
  const headless = labels["service.kubernetes.io/headless"] !== undefined;
  const proxy = labels["service.kubernetes.io/service-proxy-name"] ?? proxyName;
  if (spec.type === "ExternalName") return "it is of type ExternalName, which is DNS alone";
  if (spec.clusterIP === "None" || spec.clusterIPs?.[0] === "None" || headless) {
    return "it is headless, which is DNS alone";
  }
  return proxy === proxyName ? undefined : `its label leaves it to the proxy ${proxy.slice(0, 63)}`;
}

/** What a Service names, none twice. */
export type ByFamily = Readonly<Record<Family, readonly AddressText[]>>;

function readByFamily(
  texts: readonly string[] | undefined,
  { field, problems }: { readonly field: string; readonly problems: string[] },
): ByFamily {
  if (!texts?.length) return noAddresses;
  const found = new Set<AddressText>();
  for (const text of texts) {
    const address = findAddressText(text);
    const special = address && specialAddress(address);
    if (address === undefined) {
      problems.push(`${field}: ${JSON.stringify(text)} is no IP address`);
    } else if (special !== undefined) {
      problems.push(`${field}: ${address} is ${special}: it is ignored`);
    } else {
      found.add(address);
    }
  }
  const all = [...found];
  return {
    4: all.filter((address) => familyOf(address) === 4),
    6: all.filter((address) => familyOf(address) === 6),
  };
}

const noAddresses: ByFamily = { 4: [], 6: [] };

/** Addresses that the load balancer sends here unchanged: with ipMode Proxy it dials us by itself (KEP-1860). */
function ingressIps({ status }: Service): readonly string[] | undefined {
  const ips: string[] = [];
  for (const { ip, ipMode } of status?.loadBalancer?.ingress ?? []) {
    if (ip !== undefined && ip !== "" && ipMode !== "Proxy") ips.push(ip);
  }
  return ips;
}

/** undefined: anyone. What cannot be read lets nobody in. */
function readRanges({ spec }: Service, problems: string[]): readonly IpPrefix[] | undefined {
  const texts = spec.loadBalancerSourceRanges;
  if (!texts?.length) return undefined;
  const ranges: IpPrefix[] = [];
  for (const text of texts) {
    try {
      ranges.push(canonicalPrefix(text));
    } catch {
      problems.push(`spec.loadBalancerSourceRanges: ${JSON.stringify(text)} is no CIDR`);
    }
  }
  return ranges;
}

function readPolicy(
  { spec }: Service,
  {
    wishes,
    problems,
  }: { readonly wishes: ReturnType<typeof readWishes>; readonly problems: string[] },
): FrontendPolicy {
  const externalTrafficPolicy = spec.externalTrafficPolicy ?? "Cluster";
  if (externalTrafficPolicy === "Local" && wishes.topologyKeys.length > 0) {
    problems.push(
      `metadata.annotations[${topologyKeysAnnotation}] is ignored: spec.externalTrafficPolicy is Local`,
    );
  }
  const affinitySeconds = readAffinity(spec, problems);
  return {
    internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
    externalTrafficPolicy,
    ...(affinitySeconds !== undefined && { affinitySeconds }),
    pick: wishes.pick,
    topologyKeys: externalTrafficPolicy === "Local" ? [] : wishes.topologyKeys,
    countConnections: wishes.countConnections,
    closeTcpFlows: wishes.closeTcpFlows,
  };
}

/** core/v1 DefaultClientIPServiceAffinitySeconds. */
const defaultAffinitySeconds = 10_800;
const maxAffinitySeconds = 86_400;

function readAffinity(spec: Service["spec"], problems: string[]): number | undefined {
  if (spec.sessionAffinity !== "ClientIP") return undefined;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= maxAffinitySeconds) return seconds;
  problems.push(
    `spec.sessionAffinityConfig.clientIP.timeoutSeconds is ${seconds}, expected 1 to ${maxAffinitySeconds}: ${defaultAffinitySeconds} it is`,
  );
  return defaultAffinitySeconds;
}

export interface ReadPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
}

function readPorts({ spec }: Service, problems: string[]): readonly ReadPort[] {
  const ports: ReadPort[] = [];
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const field = `spec.ports[${index}]`;
    if (!isPort(port.port)) {
      problems.push(`${field}.port is ${port.port}, expected 1 to 65535`);
      continue;
    }
    if (!port.name && (spec.ports?.length ?? 0) > 1) {
      problems.push(`${field}.name is missing: with several ports each has one`);
    }
    ports.push({
      name: port.name ?? "",
      protocol: port.protocol ?? "TCP",
      port: port.port,
      nodePort: readNodePort(port, { field, problems }),
    });
  }
  return ports;
}

function readNodePort(
  { nodePort }: ServicePort,
  { field, problems }: { readonly field: string; readonly problems: string[] },
): number {
  if (nodePort === undefined || nodePort === 0 || isPort(nodePort)) return nodePort ?? 0;
  problems.push(`${field}.nodePort is ${nodePort}, expected 1 to 65535`);
  return 0;
}

function readHealthCheckPort({ spec }: Service, problems: string[]): number | undefined {
  const port = spec.healthCheckNodePort;
  if (spec.externalTrafficPolicy !== "Local" || port === undefined || port === 0) return undefined;
  if (isPort(port)) return port;
  problems.push(`spec.healthCheckNodePort is ${port}, expected 1 to 65535`);
  return undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
