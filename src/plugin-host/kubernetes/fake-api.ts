import {
  ApiError,
  type ApiQuery,
  type ApiRequest,
  type KubernetesApi,
  type StreamRequest,
} from "./api.ts";
import {
  errorLine,
  eventLine,
  expired,
  invalid,
  isPartial,
  notFound,
  toItem,
  toPartial,
  tooLarge,
} from "./fake-answers.ts";
import { merge } from "./fake-patch.ts";
import { type FakeObject, matchesFields, matchesLabels } from "./fake-selectors.ts";
import { FakeStream } from "./fake-stream.ts";

/** Resources that a FakeApi serves from the start, by the path of their collection over all namespaces. */
const KINDS: Readonly<Record<string, string>> = {
  "/api/v1/services": "Service",
  "/api/v1/nodes": "Node",
  "/api/v1/pods": "Pod",
  "/api/v1/events": "Event",
  "/apis/discovery.k8s.io/v1/endpointslices": "EndpointSlice",
  "/apis/networking.k8s.io/v1/servicecidrs": "ServiceCIDR",
  "/apis/events.k8s.io/v1/events": "Event",
};

/** One call that reached the fake, also one that it refused. */
export interface FakeRequest {
  readonly verb: "get" | "list" | "watch" | "create" | "patch";
  readonly path: string;
  readonly query: ApiQuery;
  readonly contentType: string;
  readonly body: unknown;
}

interface Change {
  readonly version: number;
  readonly collection: string;
  readonly before: FakeObject | undefined;
  readonly after: FakeObject | undefined;
}

interface Failure {
  readonly matches: (request: FakeRequest) => boolean;
  readonly error: ApiError;
  remaining: number;
}

/** Where a path leads: "/api/v1/namespaces/default/pods/web/status". */
interface Target {
  readonly collection: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * An API server in memory, with no time of its own: nothing happens unless a test asks for it.
 * Answers, versions and errors are those of kube-apiserver 1.36 (apiserver/pkg/storage/cacher,
 * apimachinery/pkg/api/errors), as far as lists and watches see them.
 */
export class FakeApi implements KubernetesApi {
  readonly server = "https://fake.invalid:6443";
  /** All that was asked, oldest first. */
  readonly requests: FakeRequest[] = [];
  /** Of uids that it gives; no two clusters have the same. */
  uidPrefix = "uid-";
  /** Lines in one chunk of a stream, at most. */
  linesPerChunk = 100;
  /** Lists by a watch are refused, as by servers that do not know them; undefined: they are answered. */
  initialEventsRefusal: ApiError | undefined;
  /** What lists by a watch begin with is told, but not yet that it was all: what changes meanwhile comes first. */
  holdsListEnds = false;
  /** How a watch from a forgotten version is refused: in the stream, as the watch cache does, or as an HTTP answer. */
  expiredBy: "event" | "answer" = "event";
  readonly #kinds = new Map(Object.entries(KINDS));
  /** By collection, then by "namespace/name". */
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  #history: Change[] = [];
  readonly #pages = new Map<string, { readonly version: number; readonly rest: FakeObject[] }>();
  readonly #streams = new Set<FakeStream>();
  /** Lists by a watch that are not complete yet. */
  readonly #held = new Set<FakeStream>();
  readonly #failures: Failure[] = [];
  readonly #breaks: { readonly path: string; readonly lines: number }[] = [];
  readonly #hangs: string[] = [];
  readonly #waiters = new Set<() => void>();
  #version = 1;
  #compacted = 0;
  /** By collection that was not served for a while: as #compacted. */
  readonly #forgotten = new Map<string, number>();
  #uids = 0;
  #isDown = false;

  /** The newest version. */
  get version(): string {
    return String(this.#version);
  }

  /** Begins to serve a resource, a CRD for example: serve("/apis/k8s.cni.cncf.io/v1/ipamclaims", "IPAMClaim"). */
  serve(collection: string, kind: string): void {
    this.#kinds.set(collection, kind);
  }

  /** From now on 404, and its watches end. Its objects are forgotten, and its versions as well. */
  unserve(collection: string): void {
    this.#kinds.delete(collection);
    this.#objects.delete(collection);
    this.#forgotten.set(collection, ++this.#version);
    this.endStreams(collection);
  }

  isServed(collection: string): boolean {
    return this.#kinds.has(collection);
  }

  /** Creates or replaces. Gives uid, version and creation time; a uid that is named counts. Tells watches. */
  put(collection: string, object: FakeObject): FakeObject {
    const objects = this.#collection(collection);
    const key = keyOf(object);
    const before = objects.get(key);
    this.#version++;
    const after: FakeObject = {
      apiVersion: apiVersionOf(collection),
      kind: this.#kinds.get(collection) ?? "Unknown",
      ...object,
      metadata: {
        uid: before?.metadata.uid ?? `${this.uidPrefix}${++this.#uids}`,
        creationTimestamp: "2026-01-01T00:00:00Z",
        ...object.metadata,
        resourceVersion: String(this.#version),
      },
    };
    objects.set(key, after);
    this.#changed({ version: this.#version, collection, before, after });
    return after;
  }

  /** Absent is success. Key: "namespace/name", or "name" of what has no namespace. */
  remove(collection: string, key: string): void {
    const objects = this.#collection(collection);
    const before = objects.get(key);
    if (!before) return;
    objects.delete(key);
    this.#version++;
    this.#changed({ version: this.#version, collection, before, after: undefined });
  }

  find(collection: string, key: string): FakeObject | undefined {
    return this.#objects.get(collection)?.get(key);
  }

  /** All of a collection. */
  list(collection: string): readonly FakeObject[] {
    return [...(this.#objects.get(collection)?.values() ?? [])];
  }

  /** Returns what brings back what is there now, under the versions of now, as from a backup; nothing is told. */
  backUp(): () => void {
    const version = this.#version;
    const kinds = [...this.#kinds];
    const objects = [...this.#objects].map(([name, each]) => [name, new Map(each)] as const);
    return () => {
      this.#kinds.clear();
      for (const [name, kind] of kinds) this.#kinds.set(name, kind);
      this.#objects.clear();
      for (const [name, each] of objects) this.#objects.set(name, new Map(each));
      this.goBackTo(version);
    };
  }

  /** What changes while nobody hears of it: versions go on, of other resources. */
  advance(versions = 1): void {
    this.#version += versions;
  }

  /** Forgets the history: watches from earlier versions and pages begun before are refused (410). */
  compact(): void {
    this.#compacted = this.#version;
    this.#history = [];
    this.#pages.clear();
  }

  /** Another etcd, or one restored from a backup: versions go back to the one named; nothing is told. */
  goBackTo(version: number): void {
    this.#version = version;
    this.#history = [];
    this.#compacted = version;
    this.#forgotten.clear();
    this.#pages.clear();
  }

  /** Tells open watches of a path prefix (default: all) of the newest version. */
  bookmark(path = ""): void {
    for (const stream of this.#open(path)) {
      const isQuiet = stream.fromVersion > this.#version || this.#held.has(stream);
      if (!stream.wantsBookmarks || isQuiet) continue;
      stream.push(this.#bookmarkLine(stream));
    }
  }

  /** Tells of lists by a watch that were held back that they are complete. */
  endLists(): void {
    for (const stream of this.#held) {
      if (!stream.wantsBookmarks) continue;
      stream.push(this.#bookmarkLine(stream, { "k8s.io/initial-events-end": "true" }));
    }
    this.#held.clear();
  }

  /** The server ends watches, as it does when timeoutSeconds are over. */
  endStreams(path = ""): void {
    for (const stream of this.#open(path)) stream.end();
  }

  /** The connection of watches breaks. */
  breakStreams(path = ""): void {
    for (const stream of this.#open(path)) stream.fail(new ApiError("Stream broken off"));
  }

  /** Says in open watches that their versions are gone, and ends them. */
  expireStreams(path = ""): void {
    for (const stream of this.#open(path)) {
      stream.push(errorLine(expired("The resourceVersion for the provided watch is too old.")));
      stream.end();
    }
  }

  /** Any line in open watches: what is no JSON, kinds that nobody knows. */
  pushLine(path: string, line: string): void {
    for (const stream of this.#open(path)) stream.push(line);
  }

  /** The next stream of this path breaks off after so many lines. */
  breakNextStream(path: string, lines: number): void {
    this.#breaks.push({ path, lines });
  }

  /** The next stream of this path is accepted and stays silent. */
  hangNextStream(path: string): void {
    this.#hangs.push(path);
  }

  /** Requests that match get this instead of an answer, so many times. */
  fail(
    matches: string | ((request: FakeRequest) => boolean),
    error: ApiError,
    { times = 1 }: { readonly times?: number } = {},
  ): void {
    const matchesRequest =
      typeof matches === "string"
        ? (request: FakeRequest) => request.path.startsWith(matches)
        : matches;
    this.#failures.push({ matches: matchesRequest, error, remaining: times });
  }

  /** No connection, until up(): streams break, requests fail with status 0. */
  down(): void {
    this.#isDown = true;
    this.breakStreams();
  }

  up(): void {
    this.#isDown = false;
  }

  /** Streams under way of a path prefix. */
  streams(path = ""): number {
    return this.#open(path).length;
  }

  count(verb: FakeRequest["verb"], path = ""): number {
    return this.requests.filter((each) => each.verb === verb && each.path.startsWith(path)).length;
  }

  /** Resolves once this holds; looked at after whatever reaches the fake, and whatever leaves it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  async request(request: ApiRequest): Promise<unknown> {
    const target = this.#locate(request.path);
    const verb =
      request.method === "POST"
        ? "create"
        : request.method === "PATCH"
          ? "patch"
          : target?.name
            ? "get"
            : "list";
    this.#note(request, verb);
    await Promise.resolve();
    request.signal?.throwIfAborted();
    if (!target) throw notFound("the server could not find the requested resource");
    const partial = isPartial(request.accept);
    switch (verb) {
      case "list":
        return this.#list(target, request.query ?? {}, partial);
      case "get":
        return partial ? toPartial(this.#get(target)) : this.#get(target);
      case "create":
        return this.#create(target, request.body as FakeObject);
      case "patch":
        return this.#patch(target, request);
    }
  }

  async *stream(request: StreamRequest): AsyncGenerator<readonly string[], void> {
    this.#note({ ...request, method: "GET" }, "watch");
    await Promise.resolve();
    const target = this.#locate(request.path);
    if (!target) throw notFound("the server could not find the requested resource");
    const stream = this.#begin(target, request);
    this.#streams.add(stream);
    this.#wake();
    try {
      // Accepted.
      yield [];
      yield* stream.chunks(this.linesPerChunk);
    } finally {
      stream.end();
      this.#streams.delete(stream);
      this.#held.delete(stream);
      this.#wake();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.down();
    await Promise.resolve();
  }

  /** One line for each object, sorted: what a server's memory looks like. */
  toString(): string {
    return [...this.#objects]
      .flatMap(([collection, objects]) =>
        [...objects].map(([key, object]) => `${collection} ${key} ${versionOf(object)}`),
      )
      .toSorted()
      .join("\n");
  }

  #note(request: ApiRequest, verb: FakeRequest["verb"]): void {
    const noted: FakeRequest = {
      verb,
      path: request.path,
      query: request.query ?? {},
      contentType: request.contentType ?? "application/json",
      body: request.body,
    };
    this.requests.push(noted);
    this.#wake();
    if (this.#isDown) throw new ApiError("Cannot connect to https://fake.invalid:6443");
    const failure = this.#failures.find((each) => each.remaining > 0 && each.matches(noted));
    if (!failure) return;
    failure.remaining--;
    throw failure.error;
  }

  #list(target: Target, query: ApiQuery, partial: boolean): unknown {
    const token = textOf(query["continue"]);
    const page = token === "" ? undefined : this.#pages.get(token);
    if (token !== "" && !page) {
      throw expired("The provided continue parameter is too old to display a consistent list.");
    }
    if (!page && this.#isAhead(query)) {
      throw tooLarge(textOf(query["resourceVersion"]), this.version);
    }
    const version = page?.version ?? this.#version;
    const found = page?.rest ?? this.#select(target, query);
    const limit = Number(query["limit"] ?? 0);
    const items = limit > 0 ? found.slice(0, limit) : found;
    const rest = found.slice(items.length);
    const next = rest.length > 0 ? `page-${version}-${rest.length}-${this.#pages.size}` : "";
    if (next !== "") this.#pages.set(next, { version, rest });
    const kind = partial ? "PartialObjectMetadata" : (this.#kinds.get(target.collection) ?? "");
    return {
      kind: `${kind}List`,
      apiVersion: partial ? "meta.k8s.io/v1" : apiVersionOf(target.collection),
      metadata: {
        resourceVersion: String(version),
        ...(next === "" ? {} : { continue: next, remainingItemCount: rest.length }),
      },
      items: items.map((object) => (partial ? toPartial(object) : toItem(object))),
    };
  }

  #get(target: Target): FakeObject {
    const object = this.#collection(target.collection).get(keyOfTarget(target));
    if (!object) throw notFound(`${target.collection} "${target.name}" not found`);
    return object;
  }

  #create(target: Target, body: FakeObject): FakeObject {
    const { generateName: generated = "" } = body.metadata;
    const name = body.metadata.name ?? `${generated}${this.#uids + 1}`;
    const object: FakeObject = {
      ...body,
      metadata: {
        ...body.metadata,
        name,
        ...(target.namespace === "" ? {} : { namespace: target.namespace }),
      },
    };
    if (this.find(target.collection, keyOf(object))) {
      throw new ApiError(`"${name}" already exists`, { status: 409, reason: "AlreadyExists" });
    }
    return this.put(target.collection, object);
  }

  #patch(target: Target, { body, contentType }: ApiRequest): FakeObject {
    const current = this.#get(target);
    const wished = (body as { metadata?: { uid?: string; resourceVersion?: string } }).metadata;
    if (wished?.uid !== undefined && wished.uid !== current.metadata.uid) {
      throw invalid(`metadata.uid: Invalid value: "${wished.uid}": field is immutable`);
    }
    const { resourceVersion } = current.metadata;
    if (wished?.resourceVersion !== undefined && wished.resourceVersion !== resourceVersion) {
      throw new ApiError("the object has been modified", { status: 409, reason: "Conflict" });
    }
    const isStrategic = contentType === "application/strategic-merge-patch+json";
    return this.put(target.collection, merge(current, body, isStrategic) as FakeObject);
  }

  #begin(target: Target, request: StreamRequest): FakeStream {
    const { query } = request;
    const broken = this.#breaks.findIndex((each) => each.path === request.path);
    const stream = new FakeStream(request.path, {
      signal: request.signal,
      wantsBookmarks: query["allowWatchBookmarks"] === true,
      isPartial: isPartial(request.accept),
      fromVersion: query["sendInitialEvents"] === true ? 0 : Number(query["resourceVersion"] ?? 0),
      collection: target.collection,
      matches: (object) => selects(target, query, object),
      breakAfterLines: broken < 0 ? undefined : this.#breaks.splice(broken, 1)[0]?.lines,
    });
    const hanging = this.#hangs.indexOf(request.path);
    if (hanging >= 0) {
      this.#hangs.splice(hanging, 1);
      return stream;
    }
    const from = textOf(query["resourceVersion"]);
    if (query["sendInitialEvents"] === true) {
      if (this.initialEventsRefusal) throw this.initialEventsRefusal;
      if (query["resourceVersionMatch"] !== "NotOlderThan") {
        throw invalid("resourceVersionMatch: Forbidden: sendInitialEvents requires NotOlderThan");
      }
      if (this.#isAhead(query)) {
        stream.push(errorLine(tooLarge(from, this.version)));
        stream.end();
        return stream;
      }
      this.#pushAll(stream, target, query);
      this.#held.add(stream);
      if (!this.holdsListEnds) this.endLists();
      return stream;
    }
    if (from === "" || from === "0") {
      this.#pushAll(stream, target, query);
      return stream;
    }
    const compacted = Math.max(this.#compacted, this.#forgotten.get(target.collection) ?? 0);
    if (Number(from) < compacted) {
      const error = expired(`too old resource version: ${from} (${compacted})`);
      if (this.expiredBy === "answer") throw error;
      stream.push(errorLine(error));
      stream.end();
      return stream;
    }
    for (const change of this.#history) tell(stream, change);
    return stream;
  }

  #pushAll(stream: FakeStream, target: Target, query: ApiQuery): void {
    for (const object of this.#select(target, query)) {
      stream.push(eventLine("ADDED", stream.isPartial ? toPartial(object) : object));
    }
  }

  #bookmarkLine(stream: FakeStream, annotations?: Readonly<Record<string, string>>): string {
    const metadata = {
      resourceVersion: String(this.#version),
      creationTimestamp: null,
      ...(annotations ? { annotations } : {}),
    };
    const kind = stream.isPartial
      ? { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" }
      : { kind: this.#kinds.get(stream.collection), apiVersion: apiVersionOf(stream.collection) };
    return eventLine("BOOKMARK", { ...kind, metadata });
  }

  #isAhead(query: ApiQuery): boolean {
    return Number(query["resourceVersion"] ?? 0) > this.#version;
  }

  #select(target: Target, query: ApiQuery): FakeObject[] {
    return [...this.#collection(target.collection)]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => object)
      .filter((object) => selects(target, query, object));
  }

  #changed(change: Change): void {
    this.#history.push(change);
    for (const stream of this.#streams) {
      if (stream.collection === change.collection) tell(stream, change);
    }
    this.#wake();
  }

  #collection(collection: string): Map<string, FakeObject> {
    const found = this.#objects.get(collection) ?? new Map<string, FakeObject>();
    this.#objects.set(collection, found);
    return found;
  }

  #locate(path: string): Target | undefined {
    const parts =
      /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/status)?$/.exec(
        path,
      );
    if (!parts) return undefined;
    const [, root, namespace = "", resource, name = ""] = parts;
    const collection = `${root}/${resource}`;
    if (!this.#kinds.has(collection)) return undefined;
    return {
      collection,
      namespace: decodeURIComponent(namespace),
      name: decodeURIComponent(name),
    };
  }

  #open(path: string): FakeStream[] {
    return [...this.#streams].filter((stream) => stream.path.startsWith(path));
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

/** What a watch hears of a change: an object that ceases to match has gone, for it. */
function tell(stream: FakeStream, change: Change): void {
  if (stream.collection !== change.collection) return;
  // A watch from a version that is yet to come hears nothing until then, not even bookmarks.
  if (change.version <= stream.fromVersion) return;
  const before = change.before && stream.matches(change.before) ? change.before : undefined;
  const after = change.after && stream.matches(change.after) ? change.after : undefined;
  const show = stream.isPartial ? toPartial : (object: FakeObject) => object;
  if (after) stream.push(eventLine(before ? "MODIFIED" : "ADDED", show(after)));
  else if (before) {
    // The last state under the version of the deletion: storage/cacher, transformToEvent.
    const metadata = { ...before.metadata, resourceVersion: String(change.version) };
    stream.push(eventLine("DELETED", show({ ...before, metadata })));
  }
}

function selects(target: Target, query: ApiQuery, object: FakeObject): boolean {
  if (target.namespace !== "" && object.metadata.namespace !== target.namespace) return false;
  if (target.name !== "" && object.metadata.name !== target.name) return false;
  return (
    matchesLabels(textOf(query["labelSelector"]), object.metadata.labels ?? {}) &&
    matchesFields(textOf(query["fieldSelector"]), object)
  );
}

function apiVersionOf(collection: string): string {
  return collection.replace(/^\/apis?\//, "").replace(/\/[^/]+$/, "");
}

function keyOf({ metadata: { namespace, name } }: FakeObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function keyOfTarget({ namespace, name }: Target): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function versionOf(object: FakeObject): string {
  return object.metadata.resourceVersion ?? "";
}

function textOf(value: ApiQuery[string]): string {
  return value === undefined ? "" : String(value);
}
