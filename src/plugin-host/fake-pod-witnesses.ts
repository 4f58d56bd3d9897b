import type { PodTestimony, PodWitnesses } from "./core/ports.ts";

/** A list of pods that a test sets. Undefined: it says nothing. */
interface FakeList {
  ids: Set<string> | undefined;
  isSettled: boolean;
  life: string;
}

/** Runtime and cluster as a test wants them. */
export class FakePodWitnesses implements PodWitnesses {
  /** Container ids. */
  readonly sandboxes: FakeList = { ids: undefined, isSettled: true, life: "1" };
  /** Uids. */
  readonly pods: FakeList = { ids: undefined, isSettled: true, life: "1" };
  /** Awaited between the making of the lists and the answer. */
  before: () => Promise<void> = async () => {};

  async ask(): Promise<readonly PodTestimony[]> {
    const testimonies = [...this.#testify()];
    await this.before();
    return testimonies;
  }

  *#testify(): Generator<PodTestimony> {
    const [sandboxes, pods] = [this.sandboxes, this.pods].map(({ ids }) => ids && new Set(ids));
    if (sandboxes) {
      yield {
        witness: "not-in-sandbox-list",
        isSettled: this.sandboxes.isSettled,
        life: this.sandboxes.life,
        has: ({ containerId }) => sandboxes.has(containerId),
      };
    }
    if (pods) {
      yield {
        witness: "not-in-pod-list",
        isSettled: this.pods.isSettled,
        life: this.pods.life,
        has: ({ request }) => pods.has(request.pod?.uid ?? ""),
      };
    }
  }
}
