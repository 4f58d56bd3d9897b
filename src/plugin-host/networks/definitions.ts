import type { DefinitionEntry, EventSink, NetworkDefinitions } from "../core/ports.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import type {
  ManifestEvent,
  ManifestObject,
  NetworkAttachmentDefinition,
} from "../manifests/manifest-object.ts";
import type { NetworkDefinition } from "./network-definition.ts";
import { readDefinition } from "./read-definition.ts";

/** Annotation that links a definition to the device resource that pods get with it (device-info 1.1.0). */
const RESOURCE_NAME_ANNOTATION = "k8s.v1.cni.cncf.io/resourceName";

export interface DefinitionsOptions {
  /** True where there is no source: then there is nothing, and nothing will come. */
  readonly isComplete: boolean;
  /** The node's CNI configuration of a network's name: for definitions without one of their own. */
  readonly findConflist: (name: string) => string | undefined;
  readonly events: EventSink;
}

interface Held {
  readonly object: NetworkAttachmentDefinition;
  readonly entry: DefinitionEntry;
}

/**
 * The NetworkAttachmentDefinitions and IPAMClaims that a source told of, in memory. One that cannot
 * be read is kept with what is wrong with it: who asks for it is told.
 */
export class Definitions implements NetworkDefinitions {
  readonly #findConflist: DefinitionsOptions["findConflist"];
  readonly #events: EventSink;
  readonly #definitions = new Map<string, Held>();
  readonly #claims = new Set<string>();
  #isComplete: boolean;
  #problems: readonly string[] = [];

  constructor({ isComplete, findConflist, events }: DefinitionsOptions) {
    this.#isComplete = isComplete;
    this.#findConflist = findConflist;
    this.#events = events;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  /** All that the source cannot read. */
  setProblems(problems: readonly string[]): void {
    this.#problems = problems;
  }

  /** Objects of other kinds are passed by. */
  apply(events: readonly ManifestEvent[]): void {
    for (const event of events) {
      switch (event.kind) {
        case "put":
          this.#put(event.object);
          break;
        case "delete":
          this.#definitions.delete(event.key);
          this.#claims.delete(event.key);
          break;
        case "relist":
          this.#relist(event.objects);
          break;
      }
    }
  }

  find(namespace: string, name: string): NetworkDefinition | undefined {
    const held = this.#definitions.get(definitionKey(namespace, name));
    if (held === undefined) return undefined;
    const { definition, problem, place } = this.#current(held);
    if (definition !== undefined) return definition;
    const where = isElsewhere({ namespace, name, place }) ? ` (${place})` : "";
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      `NetworkAttachmentDefinition ${namespace}/${name}${where}: ${problem}`,
    );
  }

  list(): readonly DefinitionEntry[] {
    const entries = [...this.#definitions.values()].map((held) => this.#current(held));
    return entries.sort((left, right) => (identityOf(left) < identityOf(right) ? -1 : 1));
  }

  hasClaim(namespace: string, name: string): boolean {
    return this.#claims.has(`IPAMClaim/${namespace}/${name}`);
  }

  #relist(objects: readonly ManifestObject[]): void {
    const problems = new Map([...this.#definitions].map(([key, { entry }]) => [key, entry]));
    this.#definitions.clear();
    this.#claims.clear();
    for (const object of objects) this.#put(object, problems);
    this.#isComplete = true;
  }

  #put(object: ManifestObject, before?: ReadonlyMap<string, DefinitionEntry>): void {
    const { namespace, name } = object.metadata;
    if (object.kind === "IPAMClaim") this.#claims.add(`IPAMClaim/${namespace}/${name}`);
    if (object.kind !== "NetworkAttachmentDefinition") return;
    const key = definitionKey(namespace, name);
    const known = before?.get(key) ?? this.#definitions.get(key)?.entry;
    const entry = this.#read(object);
    this.#definitions.set(key, { object, entry });
    if (entry.problem !== "" && entry.problem !== known?.problem) this.#tell(entry, object);
  }

  /** A configuration of the node's may change without anybody telling. */
  #current({ object, entry }: Held): DefinitionEntry {
    return object.spec.config.trim() === "" ? this.#read(object) : entry;
  }

  #read(object: NetworkAttachmentDefinition): DefinitionEntry {
    const { namespace, name, annotations } = object.metadata;
    const named = { namespace, name, place: object.place };
    try {
      const definition = readDefinition({
        namespace,
        name,
        configText: object.spec.config,
        resourceName: annotations?.[RESOURCE_NAME_ANNOTATION] ?? "",
        findConflist: this.#findConflist,
      });
      return { ...named, definition, problem: "" };
    } catch (error) {
      if (!(error instanceof PatchbayError)) throw error;
      return { ...named, definition: undefined, problem: formatErrorChain(error) };
    }
  }

  #tell(entry: DefinitionEntry, { kind, metadata }: NetworkAttachmentDefinition): void {
    const { namespace, name, place, problem } = entry;
    const where = isElsewhere(entry) ? `${place}: ` : "";
    this.#events.emit({
      kind: "definition-failed",
      subject: identityOf(entry),
      message: `${where}${problem}`,
      about: { kind, namespace, name, uid: metadata.uid ?? "", sentence: problem },
    });
  }
}

function definitionKey(namespace: string, name: string): string {
  return `NetworkAttachmentDefinition/${namespace}/${name}`;
}

/** In the API its place is its own name, which everybody says anyway. */
export function isElsewhere(entry: Pick<DefinitionEntry, "namespace" | "name" | "place">): boolean {
  return entry.place !== "" && !entry.place.endsWith(` ${identityOf(entry)}`);
}

function identityOf({ namespace, name }: Pick<DefinitionEntry, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}
