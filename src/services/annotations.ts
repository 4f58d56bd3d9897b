import { findAddressText } from "./address-text.ts";
import type { Endpoint } from "./model.ts";
import type { Service } from "./objects.ts";

/** What a Service asks for beyond its spec. */
export interface ServiceWishes {
  readonly topologyKeys: readonly string[];
  readonly pick: "random" | "consistent-hash";
  /** Weights by endpoint address, pod name or node name. */
  readonly weights?: ReadonlyMap<string, number>;
  readonly countConnections: boolean;
  readonly closeTcpFlows: boolean;
  /** "namespace/name" of the network whose addresses its endpoints are dialled at. Absent: the pods' own. */
  readonly network?: string;
}

export const topologyKeysAnnotation = "services.patchbay.dev/topology-keys";
export const pickAnnotation = "services.patchbay.dev/pick";
export const weightsAnnotation = "services.patchbay.dev/weights";
export const countConnectionsAnnotation = "services.patchbay.dev/count-connections";
export const closeTcpFlowsAnnotation = "services.patchbay.dev/close-tcp-flows";
export const networkAnnotation = "services.patchbay.dev/network";

const prefix = "services.patchbay.dev/";
const known: ReadonlySet<string> = new Set([
  topologyKeysAnnotation,
  pickAnnotation,
  weightsAnnotation,
  countConnectionsAnnotation,
  closeTcpFlowsAnnotation,
  networkAnnotation,
]);

/** As KEP-536 had it. */
export const maxTopologyKeys = 16;
export const maxWeight = 256;

/** Reads the annotations of a Service. One that is wrong is ignored, and `problems` gets a sentence. */
export function readWishes(metadata: Service["metadata"], problems: string[]): ServiceWishes {
  const annotations = metadata.annotations;
  if (!annotations) return noWishes;
  for (const name of Object.keys(annotations)) {
    if (name.startsWith(prefix) && !known.has(name)) {
      problems.push(`metadata.annotations[${name}] is not known: see docs/services.md`);
    }
  }
  const read = <T>(
    name: keyof typeof annotations,
    parse: (text: string) => T | Complaint,
  ): T | undefined => {
    const text = annotations[name];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (!(value instanceof Complaint)) return value;
    problems.push(`metadata.annotations[${name}] is ignored: ${value.why}`);
    return undefined;
  };
  const weights = read(weightsAnnotation, parseWeights);
  const network = read(networkAnnotation, (text) => parseNetwork(text, metadata.namespace));
  return {
    topologyKeys: read(topologyKeysAnnotation, parseTopologyKeys) ?? [],
    pick: read(pickAnnotation, parsePick) ?? "random",
    ...(weights && { weights }),
    countConnections: read(countConnectionsAnnotation, parseFlag) ?? false,
    closeTcpFlows: read(closeTcpFlowsAnnotation, parseFlag) ?? false,
    ...(network !== undefined && { network }),
  };
}

/** Weight of an endpoint: by its address, else its pod's name, else its node's. */
export function weightOf(endpoint: Endpoint, weights: ReadonlyMap<string, number>): number {
  return (
    weights.get(endpoint.address) ??
    weights.get(endpoint.podName ?? "") ??
    weights.get(endpoint.nodeName ?? "") ??
    endpoint.weight
  );
}

/** Names to which a weight is given and that no endpoint has. */
export function findUnusedWeights(
  weights: ReadonlyMap<string, number>,
  endpoints: Iterable<Endpoint>,
): readonly string[] {
  const left = new Set(weights.keys());
  for (const { address, podName = "", nodeName = "" } of endpoints) {
    left.delete(address);
    left.delete(podName);
    left.delete(nodeName);
    if (left.size === 0) break;
  }
  return [...left];
}

class Complaint {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

const noWishes: ServiceWishes = {
  topologyKeys: [],
  pick: "random",
  countConnections: false,
  closeTcpFlows: false,
};

function parseTopologyKeys(text: string): readonly string[] | Complaint {
  const keys = text.split(",").map((key) => key.trim());
  if (keys.length > maxTopologyKeys) {
    return new Complaint(`${keys.length} keys, at most ${maxTopologyKeys}`);
  }
  for (const [index, key] of keys.entries()) {
    if (keys.indexOf(key) !== index) return new Complaint(`${JSON.stringify(key)} stands twice`);
    if (key === "*") {
      if (index !== keys.length - 1) return new Complaint('"*" may only be last');
    } else if (!LABEL_KEY.test(key)) {
      return new Complaint(`${JSON.stringify(key)} is no label key`);
    }
  }
  return keys;
}

function parsePick(text: string): ServiceWishes["pick"] | Complaint {
  if (text === "random" || text === "consistent-hash") return text;
  return new Complaint(`${JSON.stringify(text)}, expected "random" or "consistent-hash"`);
}

function parseWeights(text: string): ReadonlyMap<string, number> | Complaint {
  const weights = new Map<string, number>();
  for (const part of text.split(",")) {
    const equals = part.lastIndexOf("=");
    const name = part.slice(0, Math.max(equals, 0)).trim();
    const digits = part.slice(equals + 1).trim();
    if (name === "" || !/^\d{1,3}$/.test(digits) || Number(digits) > maxWeight) {
      return new Complaint(
        `${JSON.stringify(part.trim())}, expected an address, pod or node name, "=" and 0 to ${maxWeight}`,
      );
    }
    const key = findAddressText(name) ?? name;
    if (weights.has(key)) return new Complaint(`${JSON.stringify(name)} stands twice`);
    weights.set(key, Number(digits));
  }
  return weights;
}

/** As a pod names its networks: "name" is one of the Service's own namespace. */
function parseNetwork(text: string, namespace: string): string | Complaint {
  const parts = text.trim().split("/");
  const [first = "", second] = parts;
  const network = second === undefined ? [namespace, first] : [first, second];
  const isName = parts.length <= 2 && network.every((part) => DNS_NAME.test(part));
  if (isName) return network.join("/");
  return new Complaint(`${JSON.stringify(text)}, expected "namespace/name" or "name" of a network`);
}

function parseFlag(text: string): boolean | Complaint {
  if (text === "true") return true;
  if (text === "false") return false;
  return new Complaint(`${JSON.stringify(text)}, expected "true" or "false"`);
}

/** RFC 1123 subdomain: what a NetworkAttachmentDefinition may be called. */
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Qualified name of k8s.io/apimachinery/pkg/util/validation: an optional DNS name, then up to 63 characters. */
const LABEL_KEY =
  /^(?:(?=.{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
