import type { Kept } from "./objects/kept.ts";
import type { StoreChange } from "./resource-store.ts";
import type { OwnPod, OwnPods } from "./view.ts";

/** The pods of this node, by uid and by name. */
export class PodList implements OwnPods {
  readonly #byUid = new Map<string, OwnPod>();
  /** Uid by "namespace/name". */
  readonly #byName = new Map<string, string>();
  isCurrent = false;

  get size(): number {
    return this.#byUid.size;
  }

  get(uid: string): OwnPod | undefined {
    return this.#byUid.get(uid);
  }

  find(namespace: string, name: string): OwnPod | undefined {
    return this.#byUid.get(this.#byName.get(`${namespace}/${name}`) ?? "");
  }

  [Symbol.iterator](): Iterator<OwnPod> {
    return this.#byUid.values();
  }

  /** What an earlier host knew. */
  restore(kept: Iterable<Kept>): void {
    for (const each of kept) if (each.kind === "own-pod") this.#put(each.pod);
  }

  /** Returns the uids of pods that came, changed or went. */
  apply(changes: readonly StoreChange[]): string[] {
    return changes.flatMap(({ before, value }) => {
      const uids: string[] = [];
      if (before?.kind === "own-pod") {
        this.#remove(before.pod);
        uids.push(before.pod.uid);
      }
      if (value?.kind === "own-pod") {
        this.#put(value.pod);
        uids.push(value.pod.uid);
      }
      return uids;
    });
  }

  #put(pod: OwnPod): void {
    this.#byUid.set(pod.uid, pod);
    this.#byName.set(`${pod.namespace}/${pod.name}`, pod.uid);
  }

  #remove({ uid, namespace, name }: OwnPod): void {
    this.#byUid.delete(uid);
    if (this.#byName.get(`${namespace}/${name}`) === uid)
      this.#byName.delete(`${namespace}/${name}`);
  }
}
