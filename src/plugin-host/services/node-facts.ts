import {
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  networkOf,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../ip/address.ts";
import type { AddressText, NodeFacts } from "../../services/model.ts";
import {
  type Node,
  type ObjectEvent,
  type ObjectKey,
  objectKey,
  type ServiceCidr,
  type ServicesObject,
} from "../../services/objects.ts";
import type { ServicesConfig } from "../host-config.ts";

export interface NodeFactsOptions {
  readonly nodeName: string;
  readonly config: Pick<ServicesConfig, "clusterCidrs" | "nodePortAddresses" | "masqueradeAll">;
}

type Fact = Node | ServiceCidr;

/**
 * What is known of the nodes, out of Node and ServiceCIDR objects of all sources, the kernel's
 * addresses where there is no own Node object, and the configuration. Pure: sources and kernel tell it,
 * the owner reads facts() when it says that they changed.
 */
export class NodeFactsTracker {
  readonly #options: NodeFactsOptions;
  readonly #sources = new Map<string, Map<ObjectKey, Fact>>();
  #kernelAddresses: readonly IpAddress[] = [];
  #printed = "";
  #facts: NodeFacts;

  constructor(options: NodeFactsOptions) {
    this.#options = options;
    this.#facts = this.#compute();
    this.#printed = print(this.#facts);
  }

  get facts(): NodeFacts {
    return this.#facts;
  }

  /** The own Node object; of several sources the first by name has it. */
  get ownNode(): Node | undefined {
    return this.#nodes().find(({ metadata }) => metadata.name === this.#options.nodeName);
  }

  /** True while the kernel is asked for the node's addresses. */
  get needsKernel(): boolean {
    return addressesOf(this.ownNode).length === 0;
  }

  /** NodePorts answer on loopback too. */
  get servesLocalhost(): boolean {
    return this.#options.config.nodePortAddresses.some(
      (address) => address === "localhost" || address === "all" || isLoopback(address),
    );
  }

  /** Why NodePorts are served nowhere although they should be; "": they are, or nobody wants them. */
  get nodePortTrouble(): string {
    const wanted = this.#options.config.nodePortAddresses;
    const { nodeAddresses, nodePortAddresses } = this.#facts;
    if (wanted.length === 0 || nodePortAddresses.length > 0 || this.servesLocalhost) return "";
    const said = wanted.map((entry) => (typeof entry === "string" ? entry : formatPrefix(entry)));
    const own = nodeAddresses.length === 0 ? "it has none" : `it has ${nodeAddresses.join(", ")}`;
    return `services.nodePortAddresses (${said.join(", ")}) matches no address of the node (${own}): NodePorts are served nowhere`;
  }

  /** Returns true when the facts changed. */
  applyObjects(source: string, events: readonly ObjectEvent[]): boolean {
    let isTouched = false;
    for (const event of events) isTouched = this.#applyEvent(source, event) || isTouched;
    return isTouched && this.#refresh();
  }

  /** The node's addresses as the kernel has them, primary ones first. Returns true when the facts changed. */
  setKernelAddresses(addresses: readonly IpAddress[]): boolean {
    this.#kernelAddresses = addresses;
    return this.#refresh();
  }

  #applyEvent(source: string, event: ObjectEvent): boolean {
    const held = this.#sources.get(source) ?? new Map<ObjectKey, Fact>();
    this.#sources.set(source, held);
    switch (event.kind) {
      case "put":
        if (!isFact(event.object)) return false;
        held.set(objectKey(event.object), event.object);
        return true;
      case "delete":
        return held.delete(event.key);
      case "relist": {
        const facts = event.objects.filter(isFact);
        if (facts.length === 0 && held.size === 0) return false;
        this.#sources.set(source, new Map(facts.map((fact) => [objectKey(fact), fact])));
        return true;
      }
    }
  }

  #refresh(): boolean {
    const facts = this.#compute();
    const printed = print(facts);
    if (printed === this.#printed) return false;
    this.#printed = printed;
    this.#facts = facts;
    return true;
  }

  #compute(): NodeFacts {
    const { nodeName, config } = this.#options;
    const nodes = this.#nodes();
    const ownNode = this.ownNode;
    const told = addressesOf(ownNode);
    const addresses = told.length > 0 ? told : this.#kernelAddresses;
    const podCidrs = nodes.flatMap(({ spec }) => spec?.podCIDRs ?? spec?.podCIDR ?? []);
    const serviceCidrs = this.#objects().flatMap((fact) =>
      fact.kind === "ServiceCIDR" ? fact.spec.cidrs : [],
    );
    return {
      nodeName,
      nodeLabels: new Map(
        nodes.map(({ metadata }) => [
          metadata.name,
          new Map(Object.entries(metadata.labels ?? {})),
        ]),
      ),
      nodeAddresses: unique(addresses.map(textOf)),
      nodePortAddresses: unique(
        config.nodePortAddresses.flatMap((wanted) => pickAddresses(wanted, addresses)),
      ),
      podPrefixes: uniquePrefixes([...podCidrs.flatMap(findNetwork), ...config.clusterCidrs]),
      servicePrefixes: uniquePrefixes(serviceCidrs.flatMap(findNetwork)),
      masqueradeAll: config.masqueradeAll,
      ...(this.servesLocalhost && { servesLocalhost: true }),
    };
  }

  #nodes(): Node[] {
    const nodes = new Map<string, Node>();
    for (const fact of this.#objects()) {
      if (fact.kind === "Node" && !nodes.has(fact.metadata.name)) {
        nodes.set(fact.metadata.name, fact);
      }
    }
    return [...nodes.values()];
  }

  #objects(): Fact[] {
    const bySource = [...this.#sources].sort(([left], [right]) => (left < right ? -1 : 1));
    return bySource.flatMap(([, held]) => [...held.values()]);
  }
}

function isFact(object: ServicesObject): object is Fact {
  return object.kind === "Node" || object.kind === "ServiceCIDR";
}

/** InternalIP before ExternalIP: the first of a family is the primary one, as upstream has it. */
function addressesOf(node: Node | undefined): IpAddress[] {
  const listed = node?.status?.addresses ?? [];
  return ["InternalIP", "ExternalIP"].flatMap((type) =>
    listed.filter((entry) => entry.type === type).flatMap(({ address }) => findAddress(address)),
  );
}

function pickAddresses(wanted: NodePortAddressOf, addresses: readonly IpAddress[]): AddressText[] {
  switch (wanted) {
    case "all":
      return addresses.map(textOf);
    case "localhost":
      return [];
    case "primary":
      return ([4, 6] as const satisfies Family[]).flatMap((family) => {
        const first = addresses.find((address) => address.family === family);
        return first ? [textOf(first)] : [];
      });
    default:
      return addresses.filter((address) => prefixContains(wanted, address)).map(textOf);
  }
}

type NodePortAddressOf = NodeFactsOptions["config"]["nodePortAddresses"][number];

const LOOPBACK = [parsePrefix("127.0.0.0/8"), parsePrefix("::1/128")];

/** A prefix that loopback lies in serves there as well: 0.0.0.0/0 upstream means all, loopback included. */
function isLoopback(wanted: NodePortAddressOf): boolean {
  if (typeof wanted === "string") return false;
  return LOOPBACK.some((loopback) => prefixContains(wanted, loopback));
}

function findAddress(text: string): IpAddress[] {
  try {
    return [parseAddress(text)];
  } catch {
    // A Node may be registered under a name; the API does not check.
    return [];
  }
}

function findNetwork(text: string): IpPrefix[] {
  try {
    return [networkOf(parsePrefix(text))];
  } catch {
    return [];
  }
}

function textOf(address: IpAddress): AddressText {
  return formatAddress(address) as AddressText;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

function uniquePrefixes(prefixes: readonly IpPrefix[]): IpPrefix[] {
  return [...new Map(prefixes.map((prefix) => [formatPrefix(prefix), prefix])).values()];
}

/** Equal texts, equal facts. */
function print(facts: NodeFacts): string {
  const labels = [...facts.nodeLabels].map(([name, own]) => {
    const pairs = [...own].map(([key, value]) => `${key}=${value}`);
    return [name, ...pairs.sort()].join(" ");
  });
  return JSON.stringify({
    ...facts,
    nodeLabels: labels.sort(),
    podPrefixes: facts.podPrefixes.map(formatPrefix),
    servicePrefixes: facts.servicePrefixes.map(formatPrefix),
  });
}
