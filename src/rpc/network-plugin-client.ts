import { type ServiceError, status } from "@grpc/grpc-js";
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
  const orPluginError =
    (what: string) =>
    (error: unknown): never => {
      throw new PluginCallError(what, error as ServiceError);
    };

  return {
    getInfo: () =>
      askPluginInfo(channel, { hostVersion, timeoutMs: deadlines.greetingMs }).catch(
        orPluginError("GetInfo"),
      ),
    attach: (request) =>
      callPlugin<AttachResponse__Output>((done) =>
        network.attach(request, within(deadlines.attachMs), done),
      ).catch(orPluginError("Attach")),
    detach: (request) =>
      callPlugin<DetachResponse__Output>((done) =>
        network.detach(request, within(deadlines.detachMs), done),
      ).then(() => {}, orPluginError("Detach")),
    check: (request) =>
      callPlugin<CheckResponse__Output>((done) =>
        network.check(request, within(deadlines.checkMs), done),
      ).then(({ findings }) => findings, orPluginError("Check")),
    list: (request) =>
      callPlugin<ListResponse__Output>((done) =>
        network.list(request, within(deadlines.listMs), done),
      ).then(({ attachments }) => attachments, orPluginError("List")),
    status: (request) =>
      callPlugin<StatusResponse__Output>((done) =>
        network.status(request, within(deadlines.statusMs), done),
      ).catch(orPluginError("Status")),
    repairNetwork: (request) =>
      callPlugin<RepairNetworkResponse__Output>((done) =>
        network.repairNetwork(request, within(deadlines.repairNetworkMs), done),
      ).then(({ findings }) => findings, orPluginError("RepairNetwork")),
    health: () =>
      callPlugin<HealthCheckResponse__Output>((done) =>
        health.check({ service: "" }, within(deadlines.greetingMs), done),
      ).then(
        ({ status: served }) => (served === "SERVING" ? "serving" : "not-serving"),
        (error: unknown) =>
          (error as ServiceError).code === status.UNIMPLEMENTED
            ? "serving"
            : orPluginError("Health")(error),
      ),
    close: () => channel.close(),
  };
}
