import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { GetInfoResponse__Output } from "./generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { ProgramAck__Output } from "./generated/patchbay/plugin/v1/ProgramAck.ts";
import type { ProgramRequest } from "./generated/patchbay/plugin/v1/ProgramRequest.ts";
import { reasonOf } from "./plugin-call-error.ts";
import { askPluginInfo, openPluginChannel } from "./plugin-channel.ts";
import { servicePluginProto } from "./service-plugin-proto.ts";

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

/** Connects to a plugin's socket. Throws Error where the folder is gone. */
export function connectPlugin(
  socketPath: string,
  options: { readonly timeoutMs: number; readonly messageBytesMax: number },
): PluginConnection {
  // What a plugin sends is small; what it gets may be a whole plan.
  const { messageBytesMax, timeoutMs } = options;
  const channel = openPluginChannel(socketPath, { messageBytesMax });
  const services = channel.open(servicePluginProto.ServicePlugin);
  return {
    getInfo: (hostVersion) =>
      askPluginInfo(channel, { hostVersion, timeoutMs }).catch((error: unknown) => {
        throw new Error(reasonOf(error as ServiceError));
      }),
    program: (listener) => openProgram(services.program(), listener),
    close: () => channel.close(),
  };
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
