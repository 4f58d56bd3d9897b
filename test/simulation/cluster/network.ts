import {
  ApiError,
  type ApiQuery,
  type ApiRequest,
  type KubernetesApi,
  type StreamRequest,
} from "../../../src/plugin-host/kubernetes/api.ts";
import type { FakeApi } from "../../../src/plugin-host/kubernetes/fake-api.ts";
import { LIMITS } from "../../../src/plugin-host/limits.ts";

/** What becomes of requests of a resource. */
export type Weather =
  | { readonly kind: "fair" }
  | { readonly kind: "refused"; readonly error: ApiError }
  /** No version is old enough to be watched from. */
  | { readonly kind: "expired"; readonly error: ApiError }
  /** Each stream begins with a line that says so, or is none. */
  | { readonly kind: "garbled"; readonly line: string }
  /** Each stream ends after so many chunks, with an error or without. */
  | { readonly kind: "short"; readonly chunks: number; readonly error: ApiError | undefined };

/** Why a resource may be listed. */
type Course = "new" | "resumed" | "listing" | "expired" | "absent" | "following" | "refused";

/**
 * The way of one host to its server: trouble by resource, and nothing comes any more once the host is dead.
 * Notes of each list why it was asked for.
 */
export class Network implements KubernetesApi {
  readonly server = "https://fake.invalid:6443";
  /** By what a request asks for: path and selectors. */
  readonly weather = new Map<string, Weather>();
  /** Lists for which there was no reason. */
  readonly idleLists: string[] = [];
  /** Requests by resource, since they were last looked at. */
  readonly counts = new Map<string, number>();
  /** Another cluster than the host knew has been found: everything is listed. */
  mayListAll = false;
  readonly #api: FakeApi;
  readonly #courses = new Map<string, Course>();
  readonly #behind = new Map<string, number>();
  /** Resources that have not been listed since the own Node was found to be another. */
  readonly #outdated = new Set<string>();
  #nodeUid: () => string | undefined = () => undefined;
  #uid: string | undefined;
  readonly #death = new AbortController();

  /** Restored: resources of which the host need not ask for a list. */
  constructor(api: FakeApi, options: { readonly restored: Iterable<string> }) {
    this.#api = api;
    for (const asked of options.restored) this.#courses.set(asked, "resumed");
  }

  /** The process has died: it hears nothing any more. */
  die(): void {
    this.#death.abort();
  }

  /** The host knows this own Node. */
  follow(nodeUid: () => string | undefined): void {
    this.#nodeUid = nodeUid;
    this.#uid = nodeUid();
    // Nothing says that it is the cluster that was known.
    if (this.#uid === undefined) this.#courses.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.die();
  }

  async request(request: ApiRequest): Promise<unknown> {
    const query = request.query ?? {};
    const isConfirm = query["limit"] === 1;
    const asked = askedFor(request.path, query);
    this.#count(asked);
    if (!isConfirm && query["continue"] === undefined) this.#noteList(asked);
    try {
      await this.#waitUnlessDead(Promise.resolve());
      const weather = this.weather.get(asked);
      if (weather?.kind === "refused") throw weather.error;
      const answer = await this.#waitUnlessDead(this.#api.request(request));
      const { metadata } = answer as { metadata?: { continue?: string } };
      if (isConfirm) this.#behind.delete(asked);
      else if (!metadata?.continue) this.#courses.set(asked, "following");
      return answer;
    } catch (error) {
      this.#noteError(asked, error);
      throw error;
    }
  }

  async *stream(request: StreamRequest): AsyncGenerator<readonly string[], void> {
    const { query } = request;
    const asked = askedFor(request.path, query);
    this.#count(asked);
    const isList = query["sendInitialEvents"] === true;
    if (isList) this.#noteList(asked);
    const weather = this.weather.get(asked) ?? { kind: "fair" };
    const signal = AbortSignal.any([request.signal, this.#death.signal]);
    try {
      if (weather.kind === "refused" || (weather.kind === "expired" && !isList)) {
        await this.#waitUnlessDead(Promise.resolve());
        throw weather.error;
      }
      const stream = this.#api.stream({ ...request, signal });
      let chunks = 0;
      for await (const lines of stream) {
        if (this.#death.signal.aborted) await never();
        if (weather.kind === "garbled" && lines.length > 0) {
          this.#noteLines(asked, [weather.line]);
          yield [weather.line, ...lines];
        } else {
          this.#noteLines(asked, lines);
          yield lines;
        }
        chunks++;
        if (weather.kind !== "short" || chunks < weather.chunks) continue;
        if (weather.error) throw weather.error;
        return;
      }
    } catch (error) {
      if (this.#death.signal.aborted) await never();
      this.#noteError(asked, error);
      throw error;
    }
  }

  #count(asked: string): void {
    this.counts.set(asked, (this.counts.get(asked) ?? 0) + 1);
  }

  #noteList(asked: string): void {
    const course = this.#courses.get(asked) ?? "new";
    const isBehind = (this.#behind.get(asked) ?? 0) >= LIMITS.kubernetesBehindMax;
    this.#noteUid();
    const isOutdated = this.#outdated.delete(asked);
    const hasReason = isOutdated || !(course === "following" || course === "resumed");
    if (!hasReason && !isBehind && !this.mayListAll) this.idleLists.push(`${asked}: ${course}`);
    this.#courses.set(asked, "listing");
  }

  #noteUid(): void {
    const uid = this.#nodeUid();
    if (uid !== undefined && this.#uid !== undefined && uid !== this.#uid) {
      for (const each of this.#courses.keys()) this.#outdated.add(each);
    }
    this.#uid = uid ?? this.#uid;
  }

  #noteLines(asked: string, lines: readonly string[]): void {
    this.#noteUid();
    for (const line of lines) {
      if (line.includes("initial-events-end")) this.#courses.set(asked, "following");
      if (line.includes('"ERROR"') && line.includes("Expired")) this.#courses.set(asked, "expired");
    }
  }

  #noteError(asked: string, error: unknown): void {
    if (!(error instanceof ApiError)) return;
    if (error.status === 410) this.#courses.set(asked, "expired");
    if (error.status === 404) this.#courses.set(asked, "absent");
    if (/Too large/.test(error.message)) {
      this.#behind.set(asked, (this.#behind.get(asked) ?? 0) + 1);
    }
  }

  async #waitUnlessDead<T>(what: Promise<T>): Promise<T> {
    const done = await Promise.allSettled([what]);
    if (this.#death.signal.aborted) await never();
    const [result] = done;
    if (result.status === "rejected") throw result.reason;
    return result.value;
  }
}

/** Which resource a request is about: of one followed twice, the field selector tells. */
export function askedFor(path: string, query: ApiQuery): string {
  const fields = String(query["fieldSelector"] ?? "").replace(/,?metadata\.name=-$/, "");
  return `${path}?${fields}`;
}

function never(): Promise<never> {
  return new Promise(() => {});
}
