import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import type { AttachRequest__Output } from "./generated/patchbay/plugin/v1/AttachRequest.ts";
import type { AttachResponse } from "./generated/patchbay/plugin/v1/AttachResponse.ts";
import type { CheckRequest__Output } from "./generated/patchbay/plugin/v1/CheckRequest.ts";
import type { CheckResponse } from "./generated/patchbay/plugin/v1/CheckResponse.ts";
import type { DetachRequest__Output } from "./generated/patchbay/plugin/v1/DetachRequest.ts";
import type { DetachResponse } from "./generated/patchbay/plugin/v1/DetachResponse.ts";
import type { GetInfoRequest__Output } from "./generated/patchbay/plugin/v1/GetInfoRequest.ts";
import type { GetInfoResponse } from "./generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { ListRequest__Output } from "./generated/patchbay/plugin/v1/ListRequest.ts";
import type { ListResponse } from "./generated/patchbay/plugin/v1/ListResponse.ts";
import type { NetworkPluginHandlers } from "./generated/patchbay/plugin/v1/NetworkPlugin.ts";
import type { PluginHandlers } from "./generated/patchbay/plugin/v1/Plugin.ts";
import type { RepairNetworkRequest__Output } from "./generated/patchbay/plugin/v1/RepairNetworkRequest.ts";
import type { RepairNetworkResponse } from "./generated/patchbay/plugin/v1/RepairNetworkResponse.ts";
import type { StatusRequest__Output } from "./generated/patchbay/plugin/v1/StatusRequest.ts";
import type { StatusResponse } from "./generated/patchbay/plugin/v1/StatusResponse.ts";
import { createHealthService } from "./health-service.ts";
import { networkPluginProto } from "./network-plugin-proto.ts";
import { pluginProto } from "./plugin-proto.ts";
import { grpcError, type GrpcStatusName } from "./status.ts";
import { serveUnix } from "./unix-server.ts";

/** A call's handler. The signal aborts when the caller hangs up or its deadline passes. */
export type PluginCallHandler<Q, A> = (request: Q, signal: AbortSignal) => Promise<A>;

/** patchbay.plugin.v1.Plugin and NetworkPlugin, a handler for each call. */
export interface NetworkPluginCalls {
  readonly getInfo: PluginCallHandler<GetInfoRequest__Output, GetInfoResponse>;
  readonly attach: PluginCallHandler<AttachRequest__Output, AttachResponse>;
  readonly detach: PluginCallHandler<DetachRequest__Output, DetachResponse>;
  readonly check: PluginCallHandler<CheckRequest__Output, CheckResponse>;
  readonly list: PluginCallHandler<ListRequest__Output, ListResponse>;
  readonly status: PluginCallHandler<StatusRequest__Output, StatusResponse>;
  readonly repairNetwork: PluginCallHandler<RepairNetworkRequest__Output, RepairNetworkResponse>;
}

/** A failure as it goes over the wire. */
export interface WireFailure {
  readonly status: GrpcStatusName;
  readonly message: string;
}

export interface ServeNetworkPluginOptions {
  /** What a handler's failure is called on the wire. Must not throw. */
  readonly failureOf: (error: unknown) => WireFailure;
  /** Whose the socket's folder is; "own" gives it mode 0700. */
  readonly folder: "own" | "shared";
}

/** A network plugin that listens. */
export interface NetworkPluginServer {
  /** What grpc.health.v1 answers from now on. */
  setServing(isServing: boolean): void;
  /**
   * NOT_SERVING, the socket goes, later calls are answered UNAVAILABLE; calls under way may end by
   * themselves for graceMs, then their signals abort and their callers are hung up on.
   */
  stop(graceMs: number): Promise<void>;
}

/** Time in which last answers leave the process, ms. */
const FAREWELL_MS = 500;

/**
 * Longest message of a status, in UTF-16 units: it travels percent-encoded in a header, and HTTP/2
 * peers take 16 KiB of headers.
 */
const STATUS_MESSAGE_MAX = 1024;

/**
 * Serves a network plugin and its health. The socket (mode 0600, its folder made with 0700 where it is
 * missing) appears when calls are answered, not before. Error with code "EADDRINUSE" where another
 * process serves it.
 */
export async function serveNetworkPlugin(
  socketPath: string,
  calls: NetworkPluginCalls,
  options: ServeNetworkPluginOptions,
): Promise<NetworkPluginServer> {
  const health = createHealthService(["", "patchbay.plugin.v1.NetworkPlugin"]);
  const running = new RunningCalls();
  const { failureOf } = options;
  const handle = <Q, A>(handler: PluginCallHandler<Q, A>) => unary(handler, { running, failureOf });
  const identity: PluginHandlers = { GetInfo: handle(calls.getInfo) };
  const network: NetworkPluginHandlers = {
    Attach: handle(calls.attach),
    Detach: handle(calls.detach),
    Check: handle(calls.check),
    List: handle(calls.list),
    Status: handle(calls.status),
    RepairNetwork: handle(calls.repairNetwork),
  };
  const services = [
    { definition: pluginProto.Plugin.service, handlers: identity },
    { definition: networkPluginProto.NetworkPlugin.service, handlers: network },
    health.service,
  ];
  const server = await serveUnix(socketPath, services, {
    appears: "ready",
    folder: options.folder,
  });
  return {
    setServing: (isServing) => health.setServing(isServing),
    async stop(graceMs) {
      running.close();
      health.close();
      server.hide();
      await running.end(graceMs);
      await server.stop(FAREWELL_MS);
    },
  };
}

/** The calls that are being answered. */
class RunningCalls {
  readonly #controllers = new Set<AbortController>();
  #isClosed = false;
  #onEmpty: (() => void) | undefined;

  /** undefined: no more calls. */
  enter(): AbortController | undefined {
    if (this.#isClosed) return undefined;
    const controller = new AbortController();
    this.#controllers.add(controller);
    return controller;
  }

  leave(controller: AbortController): void {
    this.#controllers.delete(controller);
    if (this.#controllers.size === 0) this.#onEmpty?.();
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when no call runs, or after graceMs, when what runs is told to stop. */
  async end(graceMs: number): Promise<void> {
    if (this.#controllers.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const controller of this.#controllers) {
      controller.abort(new Error("The plugin is being stopped"));
    }
  }
}

function unary<Q, A>(
  handler: PluginCallHandler<Q, A>,
  { running, failureOf }: Pick<ServeNetworkPluginOptions, "failureOf"> & { running: RunningCalls },
): (call: ServerUnaryCall<Q, A>, done: sendUnaryData<A>) => void {
  return (call, done) => {
    const controller = running.enter();
    if (!controller) {
      done(grpcError("UNAVAILABLE", "The plugin is being stopped"));
      return;
    }
    const onCancelled = () => controller.abort(new Error("The caller hung up"));
    // Also when the deadline has passed, and after every answer.
    call.once("cancelled", onCancelled);
    // A handler may forget that it is to return a promise.
    Promise.resolve()
      .then(() => handler(call.request, controller.signal))
      .then(
        (answer) => {
          call.off("cancelled", onCancelled);
          done(null, answer);
        },
        (error: unknown) => {
          call.off("cancelled", onCancelled);
          const { status, message } = failureOf(error);
          done(grpcError(status, wireText(message)));
        },
      )
      .finally(() => running.leave(controller))
      .catch(() => {});
  };
}

/** Percent-encoding knows no halves of surrogate pairs. */
function wireText(message: string): string {
  const short =
    message.length > STATUS_MESSAGE_MAX ? `${message.slice(0, STATUS_MESSAGE_MAX - 1)}…` : message;
  return short.toWellFormed();
}
