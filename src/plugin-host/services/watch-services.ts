import type { ListServicesRequest__Output } from "../../rpc/generated/patchbay/host/v1/ListServicesRequest.ts";
import type { ServiceChange } from "../../rpc/generated/patchbay/host/v1/ServiceChange.ts";
import type { ServerWritableStream } from "../../rpc/services.ts";
import { push, writePaced } from "../grpc-answers.ts";
import type { ServicesCore, ServiceWatchChange } from "./services-core.ts";
import { toServiceView } from "./services-view.ts";

type Watcher = ServerWritableStream<ListServicesRequest__Output, ServiceChange>;

/**
 * Tells a watcher what stands there, at its own pace, and then what happens. What happens to a Service
 * meanwhile is told once, as it is in the end. Resolves when the first list is through.
 */
export async function watchServices(core: ServicesCore, call: Watcher): Promise<void> {
  const prefix = call.request.service;
  /** Of the first list, and what changed since it was told. One entry for each Service bounds it. */
  const waiting = new Map<string, ServiceWatchChange["change"] | "present">();
  for (const service of core.table.serviceNames()) {
    if (service.startsWith(prefix)) waiting.set(service, "present");
  }
  let isListed = false;
  const stop = core.watch(({ change, service }) => {
    if (!service.startsWith(prefix)) return;
    if (isListed) {
      if (!push(call, toChange(core, { change, service }))) stop();
    } else if (waiting.get(service) !== "present") waiting.set(service, change);
  });
  call.on("cancelled", stop);
  call.on("close", stop);
  for (const [service, change] of waiting) {
    waiting.delete(service);
    // It went before it was told of.
    if (change === "present" && !core.table.view(service)) continue;
    if (!(await writePaced(call, toChange(core, { change, service })))) {
      stop();
      return;
    }
  }
  isListed = true;
}

function toChange(
  core: ServicesCore,
  { change, service }: { readonly change: string; readonly service: string },
): ServiceChange {
  const state = core.table.view(service);
  const view = state
    ? toServiceView(core, state)
    : { service, frontends: [], revision: core.revision, programmed: false };
  return { change, service: view };
}
