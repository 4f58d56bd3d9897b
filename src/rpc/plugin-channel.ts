import {
  type ChannelOptions,
  type ClientOptions,
  credentials,
  type ServiceError,
} from "@grpc/grpc-js";
import type { ChannelCredentials } from "@grpc/grpc-js";
import type { GetInfoResponse__Output } from "./generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { PluginClient } from "./generated/patchbay/plugin/v1/Plugin.ts";
import { pluginProto } from "./plugin-proto.ts";
import { shortenSocketPath } from "./unix-server.ts";

/** Contract packages that the host speaks, newest first. */
export const HOST_CONTRACTS: readonly string[] = ["patchbay.plugin.v1"];

/** A connection to whatever listens on a plugin's socket; dialled anew by grpc-js when it breaks. */
export interface PluginChannel {
  /** Of the service that every plugin has. */
  readonly identity: PluginClient;
  /** A client of another of its services, on the same connection. */
  open<C>(Client: new (address: string, how: ChannelCredentials, settings: ClientOptions) => C): C;
  /** Calls under way go on, and end the connection when they end. */
  close(): void;
}

/** Throws Error where the folder is gone. */
export function openPluginChannel(
  socketPath: string,
  options: { readonly messageBytesMax: number },
): PluginChannel {
  const short = shortenSocketPath(socketPath);
  const address = `unix:${short.path}`;
  const insecure = credentials.createInsecure();
  const settings: ChannelOptions = {
    "grpc.default_authority": "localhost",
    "grpc.max_receive_message_length": options.messageBytesMax,
    "grpc.max_send_message_length": options.messageBytesMax,
    "grpc.enable_channelz": 0,
    // A channel of its own: two plugins, and a plugin's next life, share nothing.
    "grpc.use_local_subchannel_pool": 1,
    // On one machine; who dials has pauses of its own.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
  };
  const identity = new pluginProto.Plugin(address, insecure, settings);
  return {
    identity,
    open: (Client) =>
      new Client(address, insecure, { ...settings, channelOverride: identity.getChannel() }),
    close() {
      identity.close();
      short.close();
    },
  };
}

/** A unary call as a promise; rejects with ServiceError. */
export function callPlugin<A>(
  start: (done: (error: ServiceError | null, answer?: A) => void) => unknown,
): Promise<A> {
  return new Promise((resolve, reject) => {
    start((error, answer) => {
      if (error) reject(error);
      else resolve(answer as A);
    });
  });
}

/** Plugin.GetInfo. Rejects with ServiceError. */
export function askPluginInfo(
  { identity }: PluginChannel,
  options: { readonly hostVersion: string; readonly timeoutMs: number },
): Promise<GetInfoResponse__Output> {
  const request = { hostVersion: options.hostVersion, contractVersions: [...HOST_CONTRACTS] };
  const deadline = Date.now() + options.timeoutMs;
  return callPlugin((done) => identity.getInfo(request, { deadline }, done));
}
