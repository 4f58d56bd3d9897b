import type { ObjectEvent, ObjectKey, ServicesObject } from "../../services/objects.ts";
import { ObjectCache } from "./object-cache.ts";
import type { ObjectListener, ObjectSource, SourceProblem } from "./object-source.ts";

/** A source that a test drives, in the order of an API watch: late and repeated news are dropped. */
export class FakeObjectSource implements ObjectSource {
  readonly name: string;
  readonly #listener: ObjectListener;
  readonly #cache = new ObjectCache();
  #closed = false;

  constructor(name: string, listener: ObjectListener) {
    this.name = name;
    this.#listener = listener;
  }

  relist(...objects: readonly ServicesObject[]): void {
    this.tell({ kind: "relist", objects });
  }

  put(...objects: readonly ServicesObject[]): void {
    this.tell(...objects.map((object) => ({ kind: "put" as const, object })));
  }

  delete(...keys: readonly ObjectKey[]): void {
    this.tell(...keys.map((key) => ({ kind: "delete" as const, key })));
  }

  tell(...events: readonly ObjectEvent[]): void {
    if (this.#closed) return;
    const news = this.#cache.apply(events);
    if (news.length > 0) this.#listener.onEvents(this.name, news);
  }

  report(...problems: readonly SourceProblem[]): void {
    if (!this.#closed) this.#listener.onProblems(this.name, problems);
  }

  /** Sorted, one object a line. */
  toString(): string {
    const lines = this.#cache.objects().map((object) => JSON.stringify(object));
    return lines.sort().join("\n");
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
