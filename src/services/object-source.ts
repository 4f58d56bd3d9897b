import type { FrontendRoom } from "./frontend-room.ts";
import { findUnusedWeights, weightsAnnotation } from "./annotations.ts";
import type { EndpointGroup, Frontend } from "./model.ts";
import {
  type EndpointSlice,
  type ObjectEvent,
  type ObjectKey,
  objectKey,
  type Pod,
  type Service,
  type ServicesObject,
} from "./objects.ts";
import type { UnitPlan } from "./plan-unit.ts";
import type { PodNetworks } from "./pod-networks.ts";
import { maxProblemsOfObject, type Problems } from "./problems.ts";
import type { SharedTexts } from "./shared-texts.ts";
import { mergeSlices, type ReadSlice, readSlice, slicesOnNetwork, versionOf } from "./slices.ts";
import type { ObjectProblem } from "./table-types.ts";
import { type TranslatedService, translateService } from "./translate.ts";
import type { Unit } from "./unit.ts";

/** What a source of objects needs of the table. */
export interface SourceSurroundings {
  readonly source: string;
  readonly texts: SharedTexts;
  readonly problems: Problems;
  /** Of all sources together. */
  readonly room: FrontendRoom;
  /** Where pods are on networks, for the Services that are there. */
  readonly podNetworks: PodNetworks;
  /** Of this node. */
  readonly nodeName: () => string;
  /** A unit has to be planned anew. */
  readonly touch: (unit: Unit) => void;
}

/** Services and EndpointSlices of one source. Other kinds of objects are not its business. */
export class ObjectSource {
  readonly #around: SourceSurroundings;
  readonly #units = new Map<string, ObjectUnit>();
  /** Units that hold a slice, by the slice's key. */
  readonly #sliceUnits = new Map<ObjectKey, ObjectUnit>();
  readonly #serviceKeys = new Map<ObjectKey, ObjectUnit>();
  /** Units whose Service is on a network of its own, by network. */
  readonly #onNetwork = new Map<string, Set<ObjectUnit>>();

  constructor(around: SourceSurroundings) {
    this.#around = around;
  }

  apply(event: ObjectEvent): void {
    switch (event.kind) {
      case "put":
        this.#put(event.object);
        return;
      case "delete":
        this.#delete(event.key);
        return;
      case "relist":
        this.#relist(event.objects);
    }
  }

  /** A pod's addresses on networks changed. */
  touchPod(pod: string, networks: Iterable<string>): void {
    for (const network of networks) {
      for (const unit of this.#onNetwork.get(network) ?? []) {
        if (unit.hasPod(pod)) this.#around.touch(unit);
      }
    }
  }

  /** Forgets a unit of which nothing is left. */
  drop(unit: Unit): void {
    if (this.#units.get(unit.service) === unit) this.#units.delete(unit.service);
  }

  /** What is wrong between objects: weights of nobody, slices without a Service. */
  *problems(): Generator<ObjectProblem> {
    const { source } = this.#around;
    let orphans = 0;
    let example = "";
    for (const { service, slices, translated } of this.#units.values()) {
      if (translated === undefined && slices.size > 0) {
        orphans += slices.size;
        if (example === "" || service < example) example = service;
      }
      const { weights } = translated ?? {};
      if (weights === undefined || slices.size === 0) continue;
      const endpoints = [...slices.values()].flatMap((slice) => slice.endpoints);
      for (const name of findUnusedWeights(weights, endpoints).slice(0, maxProblemsOfObject)) {
        const what = `${JSON.stringify(name)} is no address, pod or node of an endpoint`;
        const message = `metadata.annotations[${weightsAnnotation}]: ${what}`;
        yield { source, object: `Service ${service}`, message };
      }
    }
    if (orphans === 0) return;
    const message = `${orphans} of Services that are not there, for example of ${example}`;
    yield { source, object: "EndpointSlice", message };
  }

  /** Services of which nothing is programmed, in no order, each with the reason. */
  *unserved(): Generator<readonly [service: string, reason: string]> {
    for (const { service, translated } of this.#units.values()) {
      if (translated?.unserved !== undefined) yield [service, translated.unserved];
    }
  }

  #relist(objects: readonly ServicesObject[]): void {
    const gone = new Set<ObjectKey>([...this.#serviceKeys.keys(), ...this.#sliceUnits.keys()]);
    for (const key of this.#around.podNetworks.podsOf(this.#around.source)) gone.add(key);
    for (const object of objects) gone.delete(objectKey(object));
    for (const key of gone) this.#delete(key);
    for (const object of objects) if (!this.#isHeld(object)) this.#put(object);
  }

  /** A relist repeats mostly what is known. */
  #isHeld(object: ServicesObject): boolean {
    const version = versionOf(object.metadata);
    if (version === undefined) return false;
    const key = objectKey(object);
    const held =
      object.kind === "Service"
        ? this.#serviceKeys.get(key)?.version
        : this.#sliceUnits.get(key)?.slices.get(key)?.version;
    return held === version;
  }

  #put(object: ServicesObject): void {
    if (object.kind === "Service") this.#putService(object);
    else if (object.kind === "EndpointSlice") this.#putSlice(object);
    else if (object.kind === "Pod") this.#putPod(object);
  }

  #putPod(object: Pod): void {
    const { podNetworks, problems, source } = this.#around;
    const problem = podNetworks.putPod(source, object);
    problems.set(objectKey(object), problem === "" ? [] : [problem]);
  }

  #putService(object: Service): void {
    const key = objectKey(object);
    const unit = this.#unit(`${object.metadata.namespace}/${object.metadata.name}`);
    unit.version = versionOf(object.metadata);
    this.#serviceKeys.set(key, unit);
    this.#translate(unit, object);
  }

  #translate(unit: ObjectUnit, object: Service): void {
    const { room, problems, touch } = this.#around;
    const translated = translateService(object);
    const count = sizeOf(translated);
    const fits = room.take(unit, { count, retry: () => this.#translate(unit, object) });
    this.#note(unit, fits ? translated : notServed(translated, { count, max: room.max }));
    problems.set(objectKey(object), unit.translated?.problems ?? []);
    touch(unit);
  }

  #putSlice(object: EndpointSlice): void {
    const key = objectKey(object);
    const problems: string[] = [];
    const slice = readSlice(object, { texts: this.#around.texts, problems });
    this.#around.problems.set(key, problems);
    const before = this.#sliceUnits.get(key);
    if (before && before.service !== slice?.service) this.#removeSlice(key, before);
    if (slice === undefined) return;
    const unit = this.#unit(slice.service);
    unit.setSlice(key, slice);
    this.#sliceUnits.set(key, unit);
    if (slice.triggeredMs !== undefined) {
      unit.triggeredMs = Math.max(unit.triggeredMs ?? 0, slice.triggeredMs);
    }
    this.#around.touch(unit);
  }

  #delete(key: ObjectKey): void {
    this.#around.problems.set(key, []);
    if (key.startsWith("Pod/")) {
      this.#around.podNetworks.removePod(this.#around.source, key);
      return;
    }
    const sliceUnit = this.#sliceUnits.get(key);
    if (sliceUnit) this.#removeSlice(key, sliceUnit);
    const unit = this.#serviceKeys.get(key);
    if (unit === undefined) return;
    this.#around.room.giveBack(unit);
    this.#note(unit, undefined);
    unit.version = undefined;
    this.#serviceKeys.delete(key);
    this.#around.touch(unit);
  }

  #removeSlice(key: ObjectKey, unit: ObjectUnit): void {
    unit.setSlice(key, undefined);
    this.#sliceUnits.delete(key);
    this.#around.touch(unit);
  }

  /** Files a unit below the network that its Service is on. */
  #note(unit: ObjectUnit, translated: TranslatedService | undefined): void {
    const before = unit.translated?.network;
    const after = translated?.network;
    unit.translated = translated;
    if (before === after) return;
    if (before !== undefined) {
      const units = this.#onNetwork.get(before);
      units?.delete(unit);
      if (units?.size === 0) this.#onNetwork.delete(before);
    }
    if (after === undefined) return;
    const units = this.#onNetwork.get(after);
    if (units) units.add(unit);
    else this.#onNetwork.set(after, new Set([unit]));
  }

  #unit(service: string): ObjectUnit {
    let unit = this.#units.get(service);
    if (unit === undefined) {
      unit = new ObjectUnit(service, `${this.#around.source}:`, this.#around);
      this.#units.set(service, unit);
    }
    return unit;
  }
}

/** What a Service costs a data plane: its ways in, and each with each source that may come that way. */
function sizeOf({ frontends }: TranslatedService): number {
  return frontends.reduce((sum, { policy }) => sum + 1 + (policy.sourceRanges?.length ?? 0), 0);
}

function notServed(
  { problems }: TranslatedService,
  { count, max }: { readonly count: number; readonly max: number },
): TranslatedService {
  const sentence = `The Service is not served: with its ${count} frontends and source ranges those of all Services would be more than ${max}`;
  return { frontends: [], problems: [sentence, ...problems] };
}

/** A Service object and its slices, whichever of them are there. */
class ObjectUnit implements Unit {
  readonly service: string;
  readonly addressField = "spec.clusterIPs";
  readonly scope: string;
  translated: TranslatedService | undefined;
  /** Of the Service object. */
  version: string | undefined;
  readonly #slices = new Map<ObjectKey, ReadSlice>();
  readonly #around: Pick<SourceSurroundings, "podNetworks" | "nodeName">;
  /** Of all slices, "namespace/name"; made when asked for. */
  #pods: ReadonlySet<string> | undefined;
  planned: UnitPlan | undefined;
  revision = 0;
  triggeredMs: number | undefined;

  constructor(
    service: string,
    scope: string,
    around: Pick<SourceSurroundings, "podNetworks" | "nodeName">,
  ) {
    this.service = service;
    this.scope = scope;
    this.#around = around;
  }

  get slices(): ReadonlyMap<ObjectKey, ReadSlice> {
    return this.#slices;
  }

  setSlice(key: ObjectKey, slice: ReadSlice | undefined): void {
    if (slice) this.#slices.set(key, slice);
    else this.#slices.delete(key);
    this.#pods = undefined;
  }

  /** True where an endpoint is this pod. */
  hasPod(pod: string): boolean {
    this.#pods ??= new Set(
      [...this.#slices.values()].flatMap(({ endpoints }) =>
        endpoints.flatMap(({ podName }) => (podName === undefined ? [] : [this.#podOf(podName)])),
      ),
    );
    return this.#pods.has(pod);
  }

  /** A slice, its Service and its pods share a namespace. */
  #podOf(podName: string): string {
    return `${this.service.slice(0, this.service.indexOf("/"))}/${podName}`;
  }

  get frontends(): readonly Frontend[] {
    return this.translated?.frontends ?? [];
  }

  get healthCheckPort(): number | undefined {
    return this.translated?.healthCheckPort;
  }

  get isEmpty(): boolean {
    return this.translated === undefined && this.slices.size === 0;
  }

  group(id: string): EndpointGroup | undefined {
    const family = id.endsWith("/6") ? 6 : 4;
    const { weights, network } = this.translated ?? {};
    const slices = this.#slices.values();
    if (network === undefined) return mergeSlices(slices, { id, family, weights });
    const { podNetworks, nodeName } = this.#around;
    const wanted = { network, family, nodeName: nodeName() } as const;
    return slicesOnNetwork(slices, {
      id,
      family,
      weights,
      findAddress: (podName) => podNetworks.find(this.#podOf(podName), wanted),
    });
  }
}
