import {
  type Family,
  formatAddress,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../ip/address.ts";
import type {
  AddressText,
  EndpointGroup,
  EndpointPort,
  Frontend,
  FrontendPolicy,
} from "../../services/model.ts";
import type { PortMapping } from "../cni/network-config.ts";
import { PatchbayError } from "../errors.ts";
import type { AttachmentId, AttachmentRecord } from "./attachment.ts";
import { describePod } from "./detach.ts";

export interface WantedHostPorts {
  readonly containerId: string;
  /** The pod that gets more of them; undefined: a pod that has none yet. */
  readonly primaryId: AttachmentId | undefined;
  /** For each attachment that is to come. */
  readonly mappings: readonly (readonly PortMapping[])[];
}

/**
 * Throws PatchbayError HOST_PORT_TAKEN when a port leads to another pod already, or still, and
 * INVALID_NETWORK_CONFIG when two networks of the pod want it.
 */
export function requireFreeHostPorts(
  records: Iterable<AttachmentRecord>,
  wanted: WantedHostPorts,
): void {
  const mappings = wanted.mappings.flat();
  if (mappings.length === 0) return;
  requireDifferent(wanted.mappings);
  for (const record of records) {
    const isOwn = record.containerId === wanted.containerId;
    if (isOwn && record.primaryId !== wanted.primaryId) continue;
    for (const held of record.portMappings ?? []) {
      const mapping = mappings.find((candidate) => overlaps(candidate, held));
      if (!mapping) continue;
      const message = `Host port ${describeMapping(mapping)} leads to ${describePod(record)}`;
      throw new PatchbayError("HOST_PORT_TAKEN", message);
    }
  }
}

function requireDifferent(lists: WantedHostPorts["mappings"]): void {
  for (const [index, list] of lists.entries()) {
    const others = lists.slice(index + 1).flat();
    const twice = list.find((mapping) => others.some((other) => overlaps(mapping, other)));
    if (!twice) continue;
    const message = `Host port ${describeMapping(twice)} is asked for on two networks of the pod`;
    throw new PatchbayError("INVALID_NETWORK_CONFIG", message);
  }
}

function describeMapping({ hostPort, protocol, hostIp }: PortMapping): string {
  return `${hostPort}/${protocol}${hostIp === "" ? "" : ` of ${hostIp}`}`;
}

function overlaps(left: PortMapping, right: PortMapping): boolean {
  if (left.hostPort !== right.hostPort || left.protocol !== right.protocol) return false;
  if (left.hostIp === right.hostIp || left.hostIp === "" || right.hostIp === "") return true;
  const families = [familyOf(left.hostIp), familyOf(right.hostIp)];
  return families[0] === families[1] && (isAny(left.hostIp) || isAny(right.hostIp));
}

/** All of the node's addresses of a family. */
export function isAny(hostIp: string): boolean {
  return hostIp === "0.0.0.0" || hostIp === "::";
}

const LOOPBACK = [parsePrefix("127.0.0.0/8"), parsePrefix("::1/128")];

export function isLoopback(hostIp: string): boolean {
  const address = parseAddress(hostIp);
  return LOOPBACK.some((prefix) => prefixContains(prefix, address));
}

function familyOf(address: string): Family {
  return parseAddress(address).family;
}

/** What the host ports of an attachment are in the Services model. */
export interface HostPortModel {
  readonly service: string;
  readonly groups: readonly EndpointGroup[];
  readonly frontends: readonly Frontend[];
}

/** The client's address stays as it is, as with CNI's portmap: the pod is always here. */
const POLICY: FrontendPolicy = {
  internalTrafficPolicy: "Cluster",
  externalTrafficPolicy: "Local",
  pick: "random",
  topologyKeys: [],
  countConnections: false,
  closeTcpFlows: false,
};

/** Host ports of an attachment as frontends, for each family that pod and mapping have in common. */
export function toHostPortModel(
  record: AttachmentRecord,
  options: { readonly nodeName: string },
): HostPortModel {
  const mappings = record.portMappings ?? [];
  const pod = record.request.pod;
  const service = `host-port/${pod?.name ? describePod(record) : record.containerId}`;
  const addresses = new Map(addressesOf(record).map((entry) => [entry.family, entry.address]));
  const ports: EndpointPort[] = mappings.map(({ containerPort, protocol }) => ({
    name: `${containerPort}`,
    protocol,
    port: containerPort,
  }));
  const groups = [...addresses].map(([family, address]): EndpointGroup => {
    const endpoint = {
      address,
      ports: unique(ports),
      nodeName: options.nodeName,
      ...(record.request.pod?.name && { podName: record.request.pod.name }),
      ready: true,
      serving: true,
      terminating: false,
      weight: 1,
    };
    return { id: groupId(record, family), family, endpoints: [endpoint] };
  });
  const frontends = [...addresses.keys()].flatMap((family) =>
    mappings
      .filter((mapping) => isOfFamily(mapping, family))
      .map(
        ({ hostPort, containerPort, protocol, hostIp }): Frontend => ({
          id: `${record.id}/${family}/${protocol}/${hostPort}/${hostIp}`,
          family,
          kind: "hostPort",
          ...(hostIp !== "" && !isAny(hostIp) && { address: hostIp as AddressText }),
          protocol,
          port: hostPort,
          group: groupId(record, family),
          portName: `${containerPort}`,
          policy: POLICY,
          service,
          createdMs: record.createdWallMs,
        }),
      ),
  );
  return { service, groups, frontends };
}

function isOfFamily({ hostIp }: PortMapping, family: Family): boolean {
  return hostIp === "" || familyOf(hostIp) === family;
}

function groupId(record: AttachmentRecord, family: Family): string {
  return `${record.id}/${family}`;
}

function addressesOf(record: AttachmentRecord): { family: Family; address: AddressText }[] {
  const response = record.state.kind === "attached" ? record.state.response : undefined;
  // The first of a family is the one that counts: later ones are additions.
  return (response ?? record.request).addresses.toReversed().map((entry) => {
    const { family, value } = parsePrefix(entry.address);
    return { family, address: formatAddress({ family, value }) as AddressText };
  });
}

function unique(ports: readonly EndpointPort[]): EndpointPort[] {
  return [...new Map(ports.map((port) => [`${port.protocol} ${port.port}`, port])).values()];
}
