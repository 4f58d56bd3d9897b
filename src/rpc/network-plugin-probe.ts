import { type ServiceError, status } from "@grpc/grpc-js";
import type { HealthCheckResponse__Output } from "./generated/grpc/health/v1/HealthCheckResponse.ts";
import type { AttachRequest } from "./generated/patchbay/plugin/v1/AttachRequest.ts";
import type { AttachResponse__Output } from "./generated/patchbay/plugin/v1/AttachResponse.ts";
import type { GetInfoRequest } from "./generated/patchbay/plugin/v1/GetInfoRequest.ts";
import type { GetInfoResponse__Output } from "./generated/patchbay/plugin/v1/GetInfoResponse.ts";
import { PluginCallError } from "./plugin-call-error.ts";
import { healthProto, networkPluginProto } from "./network-plugin-proto.ts";
import { callPlugin, HOST_CONTRACTS, openPluginChannel } from "./plugin-channel.ts";
import { pluginProto } from "./plugin-proto.ts";

/** Calls that no host of today makes, for testing plugins. They reject with PluginCallError. */
export interface NetworkPluginProbe {
  /** GetInfo by a host that speaks more contracts and sends fields of tomorrow. */
  getInfoFromNewerHost(): Promise<GetInfoResponse__Output>;
  /** Attach with fields of tomorrow. */
  attachFromNewerHost(request: AttachRequest): Promise<AttachResponse__Output>;
  /** grpc.health.v1. Undefined: the plugin does not serve it. */
  health(): Promise<HealthCheckResponse__Output["status"] | undefined>;
  close(): void;
}

/**
 * Two fields that no message has, in protobuf's wire format: number 2047 as a varint (1), and 2046 as
 * three bytes ("new").
 */
const FIELDS_OF_TOMORROW = Buffer.from("f87f01f27f036e6577", "hex");

const MESSAGE_BYTES_MAX = 4 << 20;

/** Connects to a plugin's socket. timeoutMs bounds each call. Throws Error where its folder is gone. */
export function connectNetworkPluginProbe(
  socketPath: string,
  options: { readonly timeoutMs: number },
): NetworkPluginProbe {
  const channel = openPluginChannel(socketPath, { messageBytesMax: MESSAGE_BYTES_MAX });
  const network = channel.open(networkPluginProto.NetworkPlugin);
  const health = channel.open(healthProto.Health);
  const how = () => ({ deadline: Date.now() + options.timeoutMs });
  const orPluginError = (what: string) => (error: unknown) => {
    throw new PluginCallError(what, error as ServiceError);
  };

  return {
    getInfoFromNewerHost() {
      const { path, requestSerialize, responseDeserialize } = pluginProto.Plugin.service.GetInfo;
      const contractVersions = ["patchbay.plugin.v2", ...HOST_CONTRACTS];
      const request: GetInfoRequest = { hostVersion: "99.0.0", contractVersions };
      const serialize = withMore(requestSerialize);
      return callPlugin<GetInfoResponse__Output>((done) =>
        network.makeUnaryRequest(path, serialize, responseDeserialize, request, how(), done),
      ).catch(orPluginError("GetInfo"));
    },
    attachFromNewerHost(request) {
      const { path, requestSerialize, responseDeserialize } =
        networkPluginProto.NetworkPlugin.service.Attach;
      const serialize = withMore(requestSerialize);
      return callPlugin<AttachResponse__Output>((done) =>
        network.makeUnaryRequest(path, serialize, responseDeserialize, request, how(), done),
      ).catch(orPluginError("Attach"));
    },
    health: () =>
      callPlugin<HealthCheckResponse__Output>((done) =>
        health.check({ service: "" }, how(), done),
      ).then(
        (answer) => answer.status,
        (error: unknown) =>
          (error as ServiceError).code === status.UNIMPLEMENTED
            ? undefined
            : orPluginError("Health.Check")(error),
      ),
    close: () => channel.close(),
  };
}

function withMore<Request>(serialize: (request: Request) => Buffer): (request: Request) => Buffer {
  return (request) => Buffer.concat([serialize(request), FIELDS_OF_TOMORROW]);
}
