import type { ServiceError } from "@grpc/grpc-js";
import type { HealthCheckResponse__Output } from "./generated/grpc/health/v1/HealthCheckResponse.ts";
import type { AttachRequest } from "./generated/patchbay/plugin/v1/AttachRequest.ts";
import type { AttachResponse__Output } from "./generated/patchbay/plugin/v1/AttachResponse.ts";
import type { CheckRequest } from "./generated/patchbay/plugin/v1/CheckRequest.ts";
import type { CheckResponse__Output } from "./generated/patchbay/plugin/v1/CheckResponse.ts";
import type { DetachRequest } from "./generated/patchbay/plugin/v1/DetachRequest.ts";
import type { DetachResponse__Output } from "./generated/patchbay/plugin/v1/DetachResponse.ts";
import type { Finding__Output } from "./generated/patchbay/plugin/v1/Finding.ts";
import type { GetInfoResponse__Output } from "./generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { ListedAttachment__Output } from "./generated/patchbay/plugin/v1/ListedAttachment.ts";
import type { ListRequest } from "./generated/patchbay/plugin/v1/ListRequest.ts";
import type { ListResponse__Output } from "./generated/patchbay/plugin/v1/ListResponse.ts";
import type { RepairNetworkRequest } from "./generated/patchbay/plugin/v1/RepairNetworkRequest.ts";
import type { RepairNetworkResponse__Output } from "./generated/patchbay/plugin/v1/RepairNetworkResponse.ts";
import type { StatusRequest } from "./generated/patchbay/plugin/v1/StatusRequest.ts";
import type { StatusResponse__Output } from "./generated/patchbay/plugin/v1/StatusResponse.ts";
import { healthProto, networkPluginProto } from "./network-plugin-proto.ts";
import { PluginCallError } from "./plugin-call-error.ts";
import { askPluginInfo, callPlugin, openPluginChannel } from "./plugin-channel.ts";

/**
 * A connection to a network plugin's socket. Every call carries a gRPC deadline and rejects with
 * PluginCallError. Dialled anew by grpc-js when it breaks.
 */
export interface NetworkPluginClient {
  getInfo(): Promise<GetInfoResponse__Output>;
  attach(request: AttachRequest): Promise<AttachResponse__Output>;
  detach(request: DetachRequest): Promise<void>;
  check(request: CheckRequest): Promise<readonly Finding__Output[]>;
  list(request: ListRequest): Promise<readonly ListedAttachment__Output[]>;
  status(request: StatusRequest): Promise<StatusResponse__Output>;
  repairNetwork(request: RepairNetworkRequest): Promise<readonly Finding__Output[]>;
  /** grpc.health.v1, service "". A plugin without it counts as healthy. */
  health(): Promise<"serving" | "not-serving">;
  /** Later calls fail; calls under way may finish, up to their deadlines. */
  close(): void;
  /** Later calls fail, and calls under way are cancelled. */
  abort(): void;
}

/** Longest time of each call, ms. */
export interface NetworkPluginDeadlines {
  /** GetInfo and health. */
  readonly greetingMs: number;
  readonly attachMs: number;
  readonly detachMs: number;
  readonly checkMs: number;
  readonly listMs: number;
  readonly statusMs: number;
  readonly repairNetworkMs: number;
}

export interface ConnectNetworkPluginOptions {
  readonly hostVersion: string;
  readonly deadlines: NetworkPluginDeadlines;
  /** Bytes of one message, in both directions. Default: 4 MiB, as gRPC's own. */
  readonly messageBytesMax?: number;
}

/** Connects to a plugin's socket. Throws Error where its folder is gone. */
export function connectNetworkPlugin(
  socketPath: string,
  options: ConnectNetworkPluginOptions,
): NetworkPluginClient {
  const { hostVersion, deadlines, messageBytesMax = 4 << 20 } = options;
  const channel = openPluginChannel(socketPath, { messageBytesMax });
  const network = channel.open(networkPluginProto.NetworkPlugin);
  const health = channel.open(healthProto.Health);
  const within = (limitMs: number) => ({ deadline: Date.now() + limitMs });
  const underWay = new Set<{ cancel(): void }>();
  const call = async <A>(
    what: string,
    start: (done: (error: ServiceError | null, answer?: A) => void) => { cancel(): void },
  ): Promise<A> => {
    let started: { cancel(): void } | undefined;
    try {
      return await callPlugin<A>((done) => {
        started = start(done);
        underWay.add(started);
      });
    } catch (error) {
      throw new PluginCallError(what, error as ServiceError);
    } finally {
      if (started) underWay.delete(started);
    }
  };

  return {
    getInfo: () =>
      askPluginInfo(channel, { hostVersion, timeoutMs: deadlines.greetingMs }).catch(
        (error: unknown) => {
          throw new PluginCallError("GetInfo", error as ServiceError);
        },
      ),
    attach: (request) =>
      call<AttachResponse__Output>("Attach", (done) =>
        network.attach(request, within(deadlines.attachMs), done),
      ),
    async detach(request) {
      await call<DetachResponse__Output>("Detach", (done) =>
        network.detach(request, within(deadlines.detachMs), done),
      );
    },
    async check(request) {
      const answer = await call<CheckResponse__Output>("Check", (done) =>
        network.check(request, within(deadlines.checkMs), done),
      );
      return answer.findings;
    },
    async list(request) {
      const answer = await call<ListResponse__Output>("List", (done) =>
        network.list(request, within(deadlines.listMs), done),
      );
      return answer.attachments;
    },
    status: (request) =>
      call<StatusResponse__Output>("Status", (done) =>
        network.status(request, within(deadlines.statusMs), done),
      ),
    async repairNetwork(request) {
      const answer = await call<RepairNetworkResponse__Output>("RepairNetwork", (done) =>
        network.repairNetwork(request, within(deadlines.repairNetworkMs), done),
      );
      return answer.findings;
    },
    async health() {
      try {
        const answer = await call<HealthCheckResponse__Output>("Health", (done) =>
          health.check({ service: "" }, within(deadlines.greetingMs), done),
        );
        return answer.status === "SERVING" ? "serving" : "not-serving";
      } catch (error) {
        if (error instanceof PluginCallError && error.status === "UNIMPLEMENTED") return "serving";
        throw error;
      }
    },
    close: () => channel.close(),
    abort() {
      for (const running of underWay) running.cancel();
      channel.close();
    },
  };
}
