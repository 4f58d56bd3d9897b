import type { Clock } from "../core/ports.ts";
import { withJitter } from "./backoff.ts";
import { ApiError, type ApiQuery, type KubernetesApi } from "./api.ts";
import { LIMITS } from "../limits.ts";
import { findResourceVersion } from "./objects/keep-object.ts";
import { describeTrouble } from "./trouble.ts";
import type { WatchState } from "./view.ts";
import type { WatchedResource } from "./resources.ts";
import { initialEventsEnd, readWatchLine, type WatchLine } from "./watch-line.ts";

export type ReflectedChange =
  | { readonly kind: "put"; readonly object: unknown }
  | { readonly kind: "delete"; readonly object: unknown };

/** Hears of everything in the order of the resource's versions. */
export interface ReflectorListener {
  /** A list begins: what was given of an earlier one that did not end is void. */
  onListBegins(): void;
  /** A part of the list, in any order. Where the server lists by a watch, changes come in the middle of it. */
  onListed(changes: readonly ReflectedChange[]): void;
  /** The list is complete and the resource stands at this version. What it did not name is gone. */
  onListEnds(version: string): void;
  /** What changed since, up to this version; without changes: nothing did. */
  onChanges(changes: readonly ReflectedChange[], version: string): void;
  /** What was told is of another history than that of the server: its versions mean nothing until a list ends. */
  onDistrust(): void;
  onState(state: WatchState): void;
}

export interface ReflectorOptions {
  readonly resource: Pick<WatchedResource, "name" | "path" | "query" | "accept" | "isOptional">;
  readonly api: KubernetesApi;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly listener: ReflectorListener;
  /** Where an earlier host left off, unless it `isConfirmed` by a list at the start; undefined: nothing is known. */
  readonly restored?: { readonly version: string; readonly isConfirmed: boolean };
  /** Of one object: what it is now is told before a watch goes on, also where it has no later version. */
  readonly isWitness?: boolean;
}

/**
 * Keeps up with one resource: lists it once, watches it from there, and goes on from the last version
 * after whatever happens. It lists anew only when the server no longer has that version (KEP-365,
 * KEP-956, KEP-3157).
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #abort = new AbortController();
  #version: string;
  #state: WatchState;
  /** Failures in a row. */
  #failures = 0;
  /** The server refuses lists by watch: they come in pages. */
  #listsInPages = false;
  /** When the resource was first found absent, monotonic ms. */
  #absentSinceMs: number | undefined;
  #running: Promise<void> | undefined;
  #cancelPause: () => void = () => {};
  /** Ends the watch under way. */
  #endWatch: () => void = () => {};
  #isOutdated = false;
  /** The server may be another one than the version is from. */
  #isUnsure: boolean;
  /** When the last list ended, monotonic ms. */
  #listedMs = Number.NEGATIVE_INFINITY;
  /** Times in a row that the version of a list was gone soon after. */
  #expired = 0;
  /** Times in a row that it was behind of the version. */
  #behind = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    const { restored } = options;
    this.#version = restored?.isConfirmed === false ? restored.version : "";
    this.#isUnsure = this.#version !== "";
    this.#state = {
      resource: options.resource.name,
      resourceVersion: restored?.version ?? "",
      objects: 0,
      phase: restored ? "restored" : "starting",
      trouble: "",
      lists: 0,
      watches: 0,
      heardMs: 0,
    };
  }

  get state(): WatchState {
    return this.#state;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Tells nothing any more once it resolves. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#cancelPause();
    await this.#running;
  }

  /** Everything is listed anew: the version that is known is of another cluster. */
  relist(): void {
    this.#isOutdated = true;
    this.#options.listener.onDistrust();
    this.#endWatch();
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      if (this.#isOutdated) this.#version = "";
      this.#isOutdated = false;
      try {
        if (this.#version === "") await this.#list();
        else {
          if (this.#isUnsure) await this.#confirm();
          await this.#follow({ resourceVersion: this.#version });
        }
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (this.#isOutdated) continue;
        await this.#recover(error instanceof ApiError ? error : toApiError(error));
      }
    }
  }

  /** Everything there is, and by a watch what changes then. */
  async #list(): Promise<void> {
    const { listener } = this.#options;
    this.#note({ phase: "listing" });
    listener.onListBegins();
    if (this.#listsInPages) return this.#listPages();
    return this.#follow({
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
    });
  }

  /**
   * Asks for no object at the version or later: a watch from a version that is still to come is silent
   * for ever, as on a server whose data were restored from a backup. Throws ApiError "Too large resource version".
   * Of a witness it asks for the object.
   */
  async #confirm(): Promise<void> {
    const { api, resource, listener, isWitness = false } = this.#options;
    const none = [resource.query["fieldSelector"], isWitness ? undefined : "metadata.name=-"];
    const answer = (await api.request({
      method: "GET",
      path: resource.path,
      query: {
        ...resource.query,
        fieldSelector: none.filter((selector) => selector !== undefined).join(","),
        limit: 1,
        resourceVersion: this.#version,
        resourceVersionMatch: "NotOlderThan",
      },
      ...(resource.accept && { accept: resource.accept.list }),
      signal: this.#abort.signal,
    })) as { items?: unknown } | null;
    if (this.#abort.signal.aborted) return;
    this.#isUnsure = false;
    this.#behind = 0;
    const version = findResourceVersion(answer);
    if (!isWitness || !Array.isArray(answer?.items) || version === undefined) return;
    // It is the whole list, and later than what the watch would tell of what was before.
    listener.onListBegins();
    this.#listed(answer.items.map((object: unknown) => ({ kind: "put", object })));
    this.#version = version;
    listener.onListEnds(version);
    this.#note({ resourceVersion: version });
  }

  /** One watch until it ends. Throws ApiError. */
  async #follow(from: ApiQuery): Promise<void> {
    const { api, resource, random, clock } = this.#options;
    const spreadS = LIMITS.kubernetesWatchS * (1 + random());
    const begunMs = clock.monotonicMs();
    this.#note({ watches: this.#state.watches + 1 });
    const ending = new AbortController();
    this.#endWatch = () => ending.abort();
    // A server that hangs may still answer PINGs, or a proxy does in its place.
    using patience = new Patience(clock, () => {
      ending.abort(new ApiError(`the API server fell silent about ${resource.name}`));
    });
    const watchMs = 1_000 * Math.round(spreadS) + LIMITS.kubernetesSilenceMs;
    patience.lasts(this.#version === "" ? LIMITS.kubernetesSilenceMs : watchMs);
    const stream = api.stream({
      path: resource.path,
      query: {
        ...resource.query,
        ...from,
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds: Math.round(spreadS),
      },
      ...(resource.accept && { accept: resource.accept.watch }),
      signal: AbortSignal.any([this.#abort.signal, ending.signal]),
    });
    let isListing = this.#version === "";
    for await (const lines of stream) {
      if (this.#abort.signal.aborted || this.#isOutdated) return;
      const wasListing = isListing;
      isListing = this.#hear(lines.map(readWatchLine), isListing);
      if (isListing) patience.lasts(LIMITS.kubernetesSilenceMs);
      else if (wasListing) patience.lasts(watchMs);
    }
    if (isListing) throw new ApiError("the list broke off");
    // A server that ends each watch at once must not be asked without a pause.
    const isBrief = clock.monotonicMs() - begunMs < LIMITS.kubernetesRetryMaxMs;
    if (!isBrief) {
      this.#failures = 0;
      return;
    }
    this.#isUnsure = true;
    await this.#pause(this.#backoffMs(this.#failures++));
  }

  /** Takes the lines of one chunk; returns whether the list still goes on. */
  #hear(lines: readonly WatchLine[], wasListing: boolean): boolean {
    const { listener, clock } = this.#options;
    let isListing = wasListing;
    let changes: ReflectedChange[] = [];
    let version = this.#version;
    const failed = lines.find((line) => line.type === "ERROR");
    const told = failed ? lines.slice(0, lines.indexOf(failed)) : lines;
    for (const line of told) {
      if (line.type === "ERROR") continue;
      version = findResourceVersion(line.object) ?? version;
      if (line.type === "BOOKMARK") {
        if (!isListing || !initialEventsEnd(line.object)) continue;
        this.#listed(changes);
        changes = [];
        isListing = false;
        this.#listEnds(version);
      } else {
        changes.push({ kind: line.type === "DELETED" ? "delete" : "put", object: line.object });
      }
    }
    if (isListing) {
      this.#listed(changes);
    } else {
      this.#version = version;
      listener.onChanges(changes, version);
      // A stream that begins with an error each time is a failure each time.
      if (told.length > 0) this.#failures = 0;
      this.#absentSinceMs = undefined;
      const heard = { heardMs: clock.wallMs(), resourceVersion: version };
      this.#note({ ...heard, phase: "watching", trouble: "" });
    }
    if (failed) throw failed.error;
    return isListing;
  }

  /** A server before 1.32, or one that has lists by watch switched off. */
  async #listPages(): Promise<void> {
    const { api, resource } = this.#options;
    let token: string | undefined;
    let version = "";
    do {
      const answer = (await api.request({
        method: "GET",
        path: resource.path,
        query: { ...resource.query, limit: LIMITS.kubernetesPageMax, continue: token },
        ...(resource.accept && { accept: resource.accept.list }),
        signal: this.#abort.signal,
      })) as { metadata?: { continue?: unknown }; items?: unknown };
      if (this.#abort.signal.aborted) return;
      version = findResourceVersion(answer) ?? "";
      if (!Array.isArray(answer.items) || version === "") throw new ApiError("this is no list");
      this.#listed(answer.items.map((object: unknown) => ({ kind: "put", object })));
      const next = answer.metadata?.continue;
      token = typeof next === "string" && next !== "" ? next : undefined;
    } while (token !== undefined);
    this.#listEnds(version);
  }

  #listed(changes: readonly ReflectedChange[]): void {
    if (changes.length > 0) this.#options.listener.onListed(changes);
  }

  #listEnds(version: string): void {
    this.#version = version;
    this.#absentSinceMs = undefined;
    this.#behind = 0;
    this.#listedMs = this.#options.clock.monotonicMs();
    this.#options.listener.onListEnds(version);
    this.#note({ lists: this.#state.lists + 1, resourceVersion: version });
  }

  async #recover(error: ApiError): Promise<void> {
    const { resource } = this.#options;
    if (isExpired(error)) {
      this.#version = "";
      // Neither a list that expires page after page nor one whose version is gone at once is begun again without a pause.
      const livedMs = this.#options.clock.monotonicMs() - this.#listedMs;
      this.#expired = livedMs < LIMITS.kubernetesRetryMaxMs ? this.#expired + 1 : 0;
      const failures = Math.max(this.#failures++, this.#expired);
      if (failures > 0) await this.#pause(this.#backoffMs(failures));
      return;
    }
    if (this.#version === "" && refusesInitialEvents(error) && !this.#listsInPages) {
      this.#listsInPages = true;
      return;
    }
    // Behind an address may be another server the next time, and one that was restored from a backup.
    this.#isUnsure = this.#version !== "";
    if (error.status === 404 && resource.isOptional) {
      this.#noteAbsence();
      await this.#pause(withJitter(LIMITS.kubernetesAbsentMs, this.#options.random));
      return;
    }
    if (isBehind(error) && ++this.#behind >= LIMITS.kubernetesBehindMax) this.#version = "";
    const pauseMs = Math.max(error.retryAfterMs, this.#backoffMs(this.#failures++));
    this.#note({ phase: "broken", trouble: describeTrouble(error) });
    await this.#pause(Math.min(pauseMs, LIMITS.kubernetesRetryAfterMaxMs));
  }

  /**
   * A server that starts may not have it yet: what is known stays for a while. Nothing is known: then
   * there is nothing.
   */
  #noteAbsence(): void {
    const { listener, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#absentSinceMs ??= nowMs;
    const isEmpty = this.#version === "";
    if (!isEmpty && nowMs - this.#absentSinceMs < LIMITS.kubernetesGoneMs) {
      this.#note({ phase: "broken", trouble: "the API server does not have it any more" });
      return;
    }
    if (this.#state.phase !== "absent") {
      listener.onListBegins();
      listener.onListEnds("");
    }
    this.#version = "";
    this.#note({ phase: "absent", trouble: "", resourceVersion: "" });
  }

  #note(changes: Partial<WatchState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#options.listener.onState(this.#state);
  }

  #backoffMs(failures: number): number {
    const { kubernetesRetryMinMs: min, kubernetesRetryMaxMs: max } = LIMITS;
    return withJitter(Math.min(max, min * 2 ** Math.min(failures, 16)), this.#options.random);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#abort.signal.aborted) return resolve();
      const cancel = this.#options.clock.after(ms, resolve);
      this.#cancelPause = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Calls once when it is at an end. */
class Patience implements Disposable {
  readonly #clock: Clock;
  readonly #ends: () => void;
  #cancel: () => void = () => {};

  constructor(clock: Clock, ends: () => void) {
    this.#clock = clock;
    this.#ends = ends;
  }

  /** From now on this long. */
  lasts(ms: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(ms, this.#ends);
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}

function isExpired({ status, reason }: ApiError): boolean {
  return status === 410 || reason === "Expired" || reason === "Gone";
}

/** Of several servers one may be behind for a moment; one with restored data is for long. */
function isBehind({ message }: ApiError): boolean {
  return /too large resource version/i.test(message);
}

function refusesInitialEvents({ status, message }: ApiError): boolean {
  const isInvalid = status === 422 || status === 400;
  return isInvalid && /sendInitialEvents|resourceVersionMatch/.test(message);
}

/** A fault of ours, or an answer that nobody expects: told and tried again like any other. */
function toApiError(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(message, { cause: error });
}
