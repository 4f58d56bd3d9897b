import type { StatusRequest, StatusResponse } from "./network-plugin.ts";

/**
 * Why a network last could not be had, for Status: answered from memory. What failed is looked at again
 * beside, so that a mended node recovers without an ADD.
 */
export class LastFailures {
  readonly #failures = new Map<string, { readonly configJson: string; readonly reason: string }>();

  /** Runs a look at what a network needs of the node, and remembers how it went. */
  async watch<Result>(request: StatusRequest, look: () => Promise<Result>): Promise<Result> {
    const { network, configJson } = request;
    try {
      const result = await look();
      this.#failures.delete(network);
      return result;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#failures.set(network, { configJson, reason });
      throw error;
    }
  }

  /** A failure says nothing about another configuration: who mends that gets its pods. */
  status(request: StatusRequest, look: () => Promise<unknown>): StatusResponse {
    const failure = this.#failures.get(request.network);
    if (failure?.configJson !== request.configJson) return { ready: true, reason: "" };
    void this.watch(request, look).catch(() => {});
    return { ready: false, reason: failure.reason };
  }
}
