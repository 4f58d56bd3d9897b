import type { ServerWritableStream } from "@grpc/grpc-js";
import type { HealthHandlers } from "./generated/grpc/health/v1/Health.ts";
import type { HealthCheckRequest__Output } from "./generated/grpc/health/v1/HealthCheckRequest.ts";
import type { HealthCheckResponse } from "./generated/grpc/health/v1/HealthCheckResponse.ts";
import { healthProto } from "./network-plugin-proto.ts";
import { grpcError } from "./status.ts";
import type { ServedService } from "./unix-server.ts";

type Watcher = ServerWritableStream<HealthCheckRequest__Output, HealthCheckResponse>;

/** grpc.health.v1.Health of a process whose services live and die together. */
export interface HealthService {
  readonly service: ServedService;
  setServing(isServing: boolean): void;
  /** NOT_SERVING for good; watchers are told and hung up on. */
  close(): void;
}

/** Watchers at the same time; one more is refused. The host has one. */
const WATCHERS_MAX = 16;

/** Answers for the names given; "" is the whole server. */
export function createHealthService(names: readonly string[]): HealthService {
  const watchers = new Set<Watcher>();
  let isServing = true;
  let isClosed = false;
  const current = (): HealthCheckResponse => ({ status: isServing ? "SERVING" : "NOT_SERVING" });

  const handlers: HealthHandlers = {
    Check({ request }, done) {
      if (names.includes(request.service)) done(null, current());
      else done(grpcError("NOT_FOUND", `No service ${request.service}`));
    },
    Watch(watcher) {
      if (watchers.size >= WATCHERS_MAX) {
        watcher.emit("error", grpcError("RESOURCE_EXHAUSTED", `${WATCHERS_MAX} watchers already`));
        return;
      }
      const isKnown = names.includes(watcher.request.service);
      watcher.write(isKnown ? current() : { status: "SERVICE_UNKNOWN" });
      if (isClosed) {
        watcher.end();
        return;
      }
      // A name that is not known now is not known later either; its watcher stays, as the protocol says.
      watchers.add(watcher);
      const leave = () => watchers.delete(watcher);
      watcher.on("cancelled", leave);
      watcher.on("close", leave);
      watcher.on("error", leave);
    },
  };

  const tell = () => {
    for (const watcher of watchers) {
      if (names.includes(watcher.request.service)) watcher.write(current());
    }
  };
  return {
    service: { definition: healthProto.Health.service, handlers },
    setServing(next) {
      if (isClosed || next === isServing) return;
      isServing = next;
      tell();
    },
    close() {
      if (isClosed) return;
      isServing = false;
      isClosed = true;
      tell();
      for (const watcher of watchers) watcher.end();
      watchers.clear();
    },
  };
}
