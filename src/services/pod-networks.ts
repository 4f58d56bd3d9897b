import type { Family } from "../ip/address.ts";
import { familyOf, findAddressText } from "./address-text.ts";
import type { AddressText } from "./model.ts";
import { type ObjectKey, objectKey, type Pod } from "./objects.ts";
import { specialAddress } from "./special-address.ts";

/** One interface of a pod of this node. */
export interface PodNetworkAddresses {
  /** Unique: the attachment's. */
  readonly id: string;
  /** "namespace/name" */
  readonly pod: string;
  /** "namespace/name" */
  readonly network: string;
  readonly ifname: string;
  readonly addresses: readonly AddressText[];
}

/** Annotation in which a pod's networks stand (multi-network standard 1.3, section 5). */
export const networkStatusAnnotation = "k8s.v1.cni.cncf.io/network-status";
/** Of one pod; a pod has at most 64 networks and a default one. */
const INTERFACES_MAX = 128;
const ADDRESSES_MAX = 32;
const ANNOTATION_CHARACTERS_MAX = 256 << 10;

type Interface = Pick<PodNetworkAddresses, "network" | "ifname" | "addresses">;

interface RemotePod {
  readonly nodeName: string;
  readonly interfaces: readonly Interface[];
}

/**
 * Which addresses pods have on which networks. What this node's host attached is known from it alone; of pods of other nodes
 * their annotations tell. Tells of each pod and network that changes.
 */
export class PodNetworks {
  readonly #onChange: (pod: string, networks: ReadonlySet<string>) => void;
  readonly #byId = new Map<string, PodNetworkAddresses>();
  readonly #local = new Map<string, Set<PodNetworkAddresses>>();
  /** By "namespace/name", then by source. */
  readonly #remote = new Map<string, Map<string, RemotePod>>();

  constructor(onChange: (pod: string, networks: ReadonlySet<string>) => void) {
    this.#onChange = onChange;
  }

  /** A pod's first address of a family on a network: interfaces by name, addresses as they were given. */
  find(
    pod: string,
    wanted: { readonly network: string; readonly family: Family; readonly nodeName: string },
  ): AddressText | undefined {
    const interfaces = [...this.#interfaces(pod, wanted.nodeName)]
      .filter(({ network }) => network === wanted.network)
      .sort((one, other) => compareTexts(one.ifname, other.ifname));
    for (const { addresses } of interfaces) {
      const found = addresses.find(
        (address) => familyOf(address) === wanted.family && specialAddress(address) === undefined,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  put(entry: PodNetworkAddresses): void {
    this.remove(entry.id);
    this.#byId.set(entry.id, entry);
    let entries = this.#local.get(entry.pod);
    if (entries === undefined) this.#local.set(entry.pod, (entries = new Set()));
    entries.add(entry);
    this.#tell(entry.pod, [entry]);
  }

  remove(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    const entries = this.#local.get(entry.pod);
    entries?.delete(entry);
    if (entries?.size === 0) this.#local.delete(entry.pod);
    this.#tell(entry.pod, [entry]);
  }

  /** Answers what is wrong with the annotation, "" nothing. */
  putPod(source: string, pod: Pod): string {
    const { metadata, spec } = pod;
    const key = objectKey(pod);
    const name = podOf(key);
    const text = metadata.annotations?.[networkStatusAnnotation];
    const interfaces = text === undefined ? [] : readStatus(text, metadata.namespace);
    if (typeof interfaces !== "string" && interfaces.length === 0) {
      this.removePod(source, key);
      return "";
    }
    const isWrong = typeof interfaces === "string";
    const after = { nodeName: spec?.nodeName ?? "", interfaces: isWrong ? [] : interfaces };
    let sources = this.#remote.get(name);
    if (sources === undefined) this.#remote.set(name, (sources = new Map()));
    const before = sources.get(source)?.interfaces ?? [];
    // One that is wrong is held as well: its problem goes with it.
    sources.set(source, after);
    this.#tell(name, [...before, ...after.interfaces]);
    return isWrong
      ? `metadata.annotations[${networkStatusAnnotation}] is ignored: ${interfaces}`
      : "";
  }

  removePod(source: string, key: ObjectKey): void {
    const name = podOf(key);
    const sources = this.#remote.get(name);
    const before = sources?.get(source);
    if (sources === undefined || before === undefined) return;
    sources.delete(source);
    if (sources.size === 0) this.#remote.delete(name);
    this.#tell(name, before.interfaces);
  }

  /** Pods of a source, by the keys of their objects. */
  *podsOf(source: string): Generator<ObjectKey> {
    for (const [name, sources] of this.#remote) {
      if (sources.has(source)) yield `Pod/${name}` as ObjectKey;
    }
  }

  *#interfaces(pod: string, nodeName: string): Generator<Interface> {
    const local = this.#local.get(pod);
    if (local !== undefined) {
      yield* local;
      return;
    }
    for (const remote of this.#remote.get(pod)?.values() ?? []) {
      // A pod of this node that its host knows nothing of is gone, whatever its object still says.
      if (nodeName === "" || remote.nodeName !== nodeName) yield* remote.interfaces;
    }
  }

  #tell(pod: string, interfaces: readonly Interface[]): void {
    // With the first local interface the annotation is not asked any more.
    const remote = [...(this.#remote.get(pod)?.values() ?? [])].flatMap((each) => each.interfaces);
    this.#onChange(pod, new Set([...interfaces, ...remote].map(({ network }) => network)));
  }
}

function podOf(key: ObjectKey): string {
  return key.slice("Pod/".length);
}

/** The status of a pod's networks, or what is wrong with it. Nothing of it is trusted. */
function readStatus(text: string, namespace: string): readonly Interface[] | string {
  if (text.length > ANNOTATION_CHARACTERS_MAX) {
    return `${text.length} characters, at most ${ANNOTATION_CHARACTERS_MAX}`;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "it is no JSON";
  }
  if (!Array.isArray(parsed)) return "expected a list";
  if (parsed.length > INTERFACES_MAX) return `${parsed.length} networks, at most ${INTERFACES_MAX}`;
  const interfaces: Interface[] = [];
  for (const [index, entry] of parsed.entries()) {
    if (typeof entry !== "object" || entry === null) return `[${index}]: expected a mapping`;
    const { name, interface: ifname, ips, default: isDefault } = entry as Record<string, unknown>;
    if (typeof name !== "string") return `[${index}].name: expected text`;
    if (ips !== undefined && !Array.isArray(ips)) return `[${index}].ips: expected a list`;
    // A default network is mostly no NetworkAttachmentDefinition: its name is CNI's.
    if (!name.includes("/") && isDefault === true) continue;
    const network = name.includes("/") ? name : `${namespace}/${name}`;
    const addresses: AddressText[] = [];
    for (const ip of (ips ?? []).slice(0, ADDRESSES_MAX) as unknown[]) {
      const address = typeof ip === "string" ? findAddressText(withoutLength(ip)) : undefined;
      if (address === undefined) return `[${index}].ips: ${JSON.stringify(ip)} is no IP address`;
      addresses.push(address);
    }
    if (addresses.length === 0) continue;
    interfaces.push({ network, ifname: typeof ifname === "string" ? ifname : "", addresses });
  }
  return interfaces;
}

/** Some write addresses as CNI does, with the prefix length. */
function withoutLength(text: string): string {
  const slash = text.indexOf("/");
  return slash < 0 ? text : text.slice(0, slash);
}

function compareTexts(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : Number(one > other);
}
