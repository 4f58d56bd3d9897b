import { openHttp2Api } from "../../src/plugin-host/kubernetes/connect/http2-api.ts";
import { readApiAccess } from "../../src/plugin-host/kubernetes/connect/read-api-access.ts";
import { systemClock } from "../../src/plugin-host/system-clock.ts";
import { isReady } from "../../test/kubernetes/lane.ts";

const WATCHES_MAX = 5;

/** When pods become Ready, as a watch tells. */
export interface ReadyPods extends AsyncDisposable {
  /** performance.now() of each, when all are. Throws at the limit. */
  until(names: readonly string[], limitMs: number): Promise<number[]>;
}

/** Resolves when the API server has accepted the watch of the pods at a path. */
export async function watchReadyPods(kubeconfig: string, path: string): Promise<ReadyPods> {
  const api = openHttp2Api(await readApiAccess({ kubeconfig, apiServers: [] }), {
    clock: systemClock,
  });
  const ending = new AbortController();
  const timesMs = new Map<string, number>();
  const accepted = Promise.withResolvers<void>();
  const changed = new EventTarget();
  const query = { watch: true };
  let failure: unknown;
  const read = async (): Promise<void> => {
    for await (const lines of api.stream({ path, query, signal: ending.signal })) {
      accepted.resolve();
      const nowMs = performance.now();
      for (const line of lines) {
        const { object } = JSON.parse(line);
        if (isReady(object) && !timesMs.has(object.metadata.name)) {
          timesMs.set(object.metadata.name, nowMs);
        }
      }
      changed.dispatchEvent(new Event("change"));
    }
    throw new Error(`The watch of ${path} ended`);
  };
  const reading = (async () => {
    // A watch that breaks off begins anew with all that is there.
    for (let attempt = 1; !ending.signal.aborted; attempt++) {
      await read().catch((error: unknown) => {
        if (attempt === WATCHES_MAX) throw error;
      });
    }
  })().catch((error: unknown) => {
    accepted.reject(error);
    failure = error;
    changed.dispatchEvent(new Event("change"));
  });
  await accepted.promise;
  return {
    async until(names, limitMs) {
      const signal = AbortSignal.timeout(limitMs);
      for (;;) {
        const times = names.flatMap((name) => timesMs.get(name) ?? []);
        if (times.length === names.length) return times;
        if (failure !== undefined) throw new Error("The watch broke off", { cause: failure });
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        changed.addEventListener("change", () => resolve(), { once: true });
        const fail = () => reject(new Error(`${times.length} of ${names.length} are Ready`));
        if (signal.aborted) fail();
        signal.addEventListener("abort", fail, { once: true });
        await promise.finally(() => signal.removeEventListener("abort", fail));
      }
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await reading;
      await api[Symbol.asyncDispose]();
    },
  };
}
