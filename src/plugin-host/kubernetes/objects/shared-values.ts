import type {
  EndpointSlice,
  Service,
  ServicePort,
  SliceEndpoint,
  SlicePort,
} from "../../../services/objects.ts";
import type { ManifestObject } from "../../manifests/manifest-object.ts";

/** Distinct values of one kind that are remembered; then it starts anew, which costs memory and nothing else. */
const SHARED_MAX = 10_000;

type Conditions = NonNullable<SliceEndpoint["conditions"]>;

/**
 * Texts and small parts that a hundred thousand objects repeat, held once: namespaces, names of
 * nodes and zones, ports, conditions.
 */
export class SharedValues {
  readonly #texts = new Bounded<string>();
  readonly #conditions = new Bounded<Conditions>();
  readonly #slicePorts = new Bounded<readonly SlicePort[]>();
  readonly #servicePorts = new Bounded<readonly ServicePort[]>();

  /** Equal to the object; what it repeats of others is theirs. */
  share(object: ManifestObject): ManifestObject {
    if (object.kind === "Service") return this.#shareService(object);
    if (object.kind === "EndpointSlice") return this.#shareSlice(object);
    return object;
  }

  #shareService(service: Service): Service {
    const { metadata, spec } = service;
    const { ports } = spec;
    return {
      ...service,
      metadata: { ...metadata, namespace: this.#text(metadata.namespace) },
      spec: ports === undefined ? spec : { ...spec, ports: this.#servicePortsOf(ports) },
    };
  }

  #shareSlice(slice: EndpointSlice): EndpointSlice {
    const { metadata, endpoints, ports } = slice;
    return {
      kind: slice.kind,
      metadata: { ...metadata, namespace: this.#text(metadata.namespace) },
      addressType: slice.addressType,
      endpoints: (endpoints ?? []).map((endpoint) => this.#shareEndpoint(endpoint)),
      ports: this.#slicePortsOf(ports ?? []),
    };
  }

  #shareEndpoint(endpoint: SliceEndpoint): SliceEndpoint {
    const { conditions, nodeName, zone } = endpoint;
    const shared: { -readonly [Key in keyof SliceEndpoint]: SliceEndpoint[Key] } = { ...endpoint };
    if (conditions) shared.conditions = this.#conditionsOf(conditions);
    if (nodeName) shared.nodeName = this.#text(nodeName);
    if (zone) shared.zone = this.#text(zone);
    return shared;
  }

  #text(text: string): string {
    return this.#texts.share(text, text);
  }

  #conditionsOf(conditions: Conditions): Conditions {
    const { ready, serving, terminating } = conditions;
    return this.#conditions.share(`${ready} ${serving} ${terminating}`, conditions);
  }

  #slicePortsOf(ports: readonly SlicePort[]): readonly SlicePort[] {
    let key = "";
    for (const { name, protocol, port } of ports) key += `${name} ${protocol} ${port},`;
    return this.#slicePorts.share(key, ports);
  }

  #servicePortsOf(ports: readonly ServicePort[]): readonly ServicePort[] {
    let key = "";
    for (const port of ports) {
      key += `${port.name} ${port.protocol} ${port.port} ${port.nodePort},`;
    }
    return this.#servicePorts.share(key, ports);
  }
}

class Bounded<Value> {
  readonly #held = new Map<string, Value>();

  share(key: string, value: Value): Value {
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    if (this.#held.size >= SHARED_MAX) this.#held.clear();
    this.#held.set(key, value);
    return value;
  }
}
