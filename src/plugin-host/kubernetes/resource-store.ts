import type { ReflectedChange, ReflectorListener } from "./reflector.ts";
import type { ObjectKey } from "../../services/objects.ts";
import type { SourceProblem } from "../manifests/object-source.ts";
import { findResourceVersion } from "./objects/keep-object.ts";
import type { Kept } from "./objects/kept.ts";
import { sameKept } from "./objects/same-kept.ts";
import type { WatchedResource } from "./resources.ts";
import type { WatchState } from "./view.ts";

/** undefined: there was none, or there is none any more. */
export interface StoreChange {
  readonly key: ObjectKey;
  readonly before: Kept | undefined;
  readonly value: Kept | undefined;
}

export interface Held {
  readonly value: Kept;
  /** resourceVersion; "": none. */
  readonly version: string;
}

export interface StoreListener {
  /** What is different now; after a list it may be nothing. */
  onStored(changes: readonly StoreChange[]): void;
  /** Nothing is different at a later version. */
  onVersion(): void;
  /** Problems came or went. */
  onProblems(): void;
  onState(state: WatchState): void;
}

/**
 * What is kept of one resource. Whatever a reflector tells becomes differences: a list as well. An
 * object that cannot be read stays what it was, with a problem.
 */
export class ResourceStore implements ReflectorListener {
  readonly #reader: Pick<WatchedResource, "keep" | "keyOf">;
  readonly #listener: StoreListener;
  #held = new Map<ObjectKey, Held>();
  #incoming = new Map<ObjectKey, Held>();
  #problems = new Map<string, SourceProblem>();
  #incomingProblems = new Map<string, SourceProblem>();
  #version = "";
  #isListed = false;
  #isDistrusted = false;

  constructor(reader: Pick<WatchedResource, "keep" | "keyOf">, listener: StoreListener) {
    this.#reader = reader;
    this.#listener = listener;
  }

  /** It was listed, by this host or an earlier one. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** What is held is of the version, and that of the cluster that is followed. */
  get isTrusted(): boolean {
    return this.#isListed && !this.#isDistrusted;
  }

  /** The version at which it stands; "": none, or the server does not have such objects. */
  get version(): string {
    return this.#version;
  }

  get size(): number {
    return this.#held.size;
  }

  get(key: ObjectKey): Kept | undefined {
    return this.#held.get(key)?.value;
  }

  /** With the version of each. */
  held(key: ObjectKey): Held | undefined {
    return this.#held.get(key);
  }

  keys(): IterableIterator<ObjectKey> {
    return this.#held.keys();
  }

  *values(): Generator<Kept> {
    for (const { value } of this.#held.values()) yield value;
  }

  /** Objects that cannot be read, with what is wrong. */
  get problems(): ReadonlyMap<string, SourceProblem> {
    return this.#problems;
  }

  /** What an earlier host kept. */
  restore(version: string, objects: Iterable<readonly [ObjectKey, Held]>): void {
    this.#held = new Map(objects);
    this.#version = version;
    this.#isListed = true;
  }

  onListBegins(): void {
    this.#incoming = new Map();
    this.#incomingProblems = new Map();
  }

  onListed(changes: readonly ReflectedChange[]): void {
    for (const { kind, object } of changes) {
      const key = this.#reader.keyOf(object);
      if (key === undefined) continue;
      this.#incomingProblems.delete(key);
      if (kind === "delete") {
        this.#incoming.delete(key);
        continue;
      }
      const before = this.#held.get(key);
      const version = findResourceVersion(object) ?? "";
      // Read even where the version is the one that is known: in data restored from a backup, and in a
      // cluster made anew, versions come a second time with other content.
      const kept = this.#keep(object, this.#incomingProblems);
      if (kept !== undefined)
        this.#incoming.set(key, { value: newer(before?.value, kept), version });
      else if (before !== undefined) this.#incoming.set(key, before);
    }
  }

  onListEnds(version: string): void {
    const before = this.#held;
    const changes: StoreChange[] = [];
    for (const [key, held] of before) {
      if (this.#incoming.has(key)) continue;
      changes.push({ key, before: held.value, value: undefined });
    }
    for (const [key, { value }] of this.#incoming) {
      const old = before.get(key);
      if (old?.value !== value) changes.push({ key, before: old?.value, value });
    }
    const hadProblems = this.#problems.size > 0;
    this.#held = this.#incoming;
    this.#problems = this.#incomingProblems;
    this.#version = version;
    this.#isListed = true;
    this.#isDistrusted = false;
    this.onListBegins();
    this.#listener.onStored(changes);
    if (hadProblems || this.#problems.size > 0) this.#listener.onProblems();
  }

  onChanges(changes: readonly ReflectedChange[], version: string): void {
    const stored: StoreChange[] = [];
    const versionBefore = this.#version;
    let hasNewProblems = false;
    for (const { kind, object } of changes) {
      const key = this.#reader.keyOf(object);
      if (key === undefined) continue;
      const before = this.#held.get(key)?.value;
      const hadProblem = this.#problems.delete(key);
      if (kind === "delete") {
        this.#held.delete(key);
        if (before !== undefined) stored.push({ key, before, value: undefined });
      } else {
        const kept = this.#keep(object, this.#problems);
        if (kept === undefined) {
          hasNewProblems = true;
          continue;
        }
        const value = newer(before, kept);
        this.#held.set(key, { value, version: findResourceVersion(object) ?? "" });
        if (value !== before) stored.push({ key, before, value });
      }
      hasNewProblems ||= hadProblem;
    }
    this.#version = version;
    if (stored.length > 0) this.#listener.onStored(stored);
    else if (version !== versionBefore) this.#listener.onVersion();
    if (hasNewProblems) this.#listener.onProblems();
  }

  /** It stays in force until it is listed. */
  onDistrust(): void {
    this.#isDistrusted = true;
  }

  onState(state: WatchState): void {
    this.#listener.onState(state);
  }

  #keep(object: unknown, problems: Map<string, SourceProblem>): Kept | undefined {
    const kept = this.#reader.keep(object);
    if (kept.kind !== "unreadable") return kept;
    problems.set(kept.key ?? "", kept.problem);
    return undefined;
  }
}

/** What is kept from now on: what was there, where the news is no news here. */
function newer(before: Kept | undefined, kept: Kept): Kept {
  return before !== undefined && sameKept(before, kept) ? before : kept;
}
