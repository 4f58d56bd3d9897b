import { type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import type { GetInfoResponse__Output } from "./generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { ProgramAck__Output } from "./generated/patchbay/plugin/v1/ProgramAck.ts";
import type { ProgramRequest } from "./generated/patchbay/plugin/v1/ProgramRequest.ts";
import { pluginProto, servicePluginProto } from "./plugin-proto.ts";
import { shortenSocketPath } from "./unix-server.ts";

/** A connection to a plugin's socket. Dialled anew by grpc-js when it breaks; close() ends it. */
export interface PluginConnection {
  /** Throws Error: nobody answers, or what answers is no plugin. */
  getInfo(hostVersion: string): Promise<GetInfoResponse__Output>;
  /** Opens a Program stream. */
  program(listener: ProgramListener): ProgramStream;
  close(): void;
}

export interface ProgramListener {
  readonly onAck: (ack: ProgramAck__Output) => void;
  /** The stream is over; called once. */
  readonly onEnd: (reason: string) => void;
}

export interface ProgramStream {
  send(request: ProgramRequest): void;
  /** Hangs up; onEnd is not called any more. */
  cancel(): void;
}

/** Contract packages that the host speaks. */
const CONTRACTS = ["patchbay.plugin.v1"];

/** Connects to a plugin's socket. Throws Error where the folder is gone. */
export function connectPlugin(
  socketPath: string,
  options: { readonly timeoutMs: number; readonly messageBytesMax: number },
): PluginConnection {
  const short = shortenSocketPath(socketPath);
  const insecure = credentials.createInsecure();
  const settings = {
    "grpc.default_authority": "localhost",
    // What a plugin sends is small; what it gets may be a whole plan.
    "grpc.max_receive_message_length": options.messageBytesMax,
    "grpc.max_send_message_length": options.messageBytesMax,
    "grpc.enable_channelz": 0,
    // A channel of its own: two plugins, and a plugin's next life, share nothing.
    "grpc.use_local_subchannel_pool": 1,
  };
  const identity = new pluginProto.Plugin(`unix:${short.path}`, insecure, settings);
  const services = new servicePluginProto.ServicePlugin(`unix:${short.path}`, insecure, {
    ...settings,
    channelOverride: identity.getChannel(),
  });
  return {
    getInfo: (hostVersion) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + options.timeoutMs;
        const request = { hostVersion, contractVersions: CONTRACTS };
        identity.getInfo(request, { deadline }, (error, answer) => {
          if (error) reject(new Error(reasonOf(error)));
          else resolve(answer as GetInfoResponse__Output);
        });
      }),
    program: (listener) => openProgram(services.program(), listener),
    close() {
      identity.close();
      short.close();
    },
  };
}

/** grpc-js says a refused connection twice, with its own words around. */
function reasonOf({ details, message }: ServiceError): string {
  const text = details || message;
  const code = /\bconnect (E[A-Z]+)\b/.exec(text)?.[1];
  return code === undefined ? text : `its socket cannot be connected to (${code})`;
}

function openProgram(
  stream: ClientDuplexStream<ProgramRequest, ProgramAck__Output>,
  listener: ProgramListener,
): ProgramStream {
  let isOver = false;
  const end = (reason: string) => {
    if (isOver) return;
    isOver = true;
    listener.onEnd(reason);
  };
  stream.on("data", (ack: ProgramAck__Output) => {
    if (!isOver) listener.onAck(ack);
  });
  stream.on("error", (error: ServiceError) => end(reasonOf(error)));
  stream.on("end", () => end("the plugin ended the stream"));
  return {
    send: (request) => {
      if (!isOver) stream.write(request);
    },
    cancel() {
      isOver = true;
      stream.cancel();
    },
  };
}
