import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { ProtoGrpcType } from "./generated/api.ts";
import type { ListPodSandboxResponse__Output } from "./generated/runtime/v1/ListPodSandboxResponse.ts";
import type { StatusResponse__Output } from "./generated/runtime/v1/StatusResponse.ts";
import { findShortPath } from "./host-call.ts";
import { load } from "./load-proto.ts";
import { reasonOf } from "./plugin-call-error.ts";

/** Service and message definitions of the Container Runtime Interface, as far as they are spoken. */
export const criProto: ProtoGrpcType["runtime"]["v1"] = load<ProtoGrpcType>(
  "cri/runtime/v1/api.proto",
).runtime.v1;

/** A call of the container runtime that failed. */
export class CriCallError extends Error {
  override readonly name = "CriCallError";
  /** It took too long: whoever was asked is still there. */
  readonly isLate: boolean;

  constructor(message: string, options: { readonly isLate: boolean }) {
    super(message);
    this.isLate = options.isLate;
  }
}

/** The part of the CRI that the host asks for, as promises. Every call rejects with CriCallError. */
export interface CriClient {
  /** Why the runtime itself is not ready; "": it is. Whether its network is, is no matter here. */
  findUnready(): Promise<string>;
  /** Ids of all sandboxes, which are CNI's container ids; those that are stopped as well. */
  listSandboxes(): Promise<ReadonlySet<string>>;
  close(): void;
}

/** Connects to a runtime's unix socket, with the first call. timeoutMs bounds each call. */
export function connectCri(
  socketPath: string,
  options: { readonly timeoutMs: number; readonly answerBytesMax: number },
): CriClient {
  const short = findShortPath(socketPath);
  const client = new criProto.RuntimeService(`unix:${short.path}`, credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
    "grpc.max_receive_message_length": options.answerBytesMax,
    "grpc.enable_channelz": 0,
    // A connection of its own: the next life of the runtime is dialled anew.
    "grpc.use_local_subchannel_pool": 1,
  });
  const how = () => ({ deadline: Date.now() + options.timeoutMs });
  return {
    async findUnready() {
      const answer = await call<StatusResponse__Output>("Status", (done) =>
        client.status({}, how(), done),
      );
      const condition = answer.status?.conditions.find(({ type }) => type === "RuntimeReady");
      if (condition?.status === true) return "";
      return condition?.message || "RuntimeReady is not true";
    },
    async listSandboxes() {
      const { items } = await call<ListPodSandboxResponse__Output>("ListPodSandbox", (done) =>
        client.listPodSandbox({}, how(), done),
      );
      return new Set(items.map(({ id }) => id));
    },
    close() {
      client.close();
      short.close();
    },
  };
}

function call<A>(
  name: string,
  start: (done: (error: ServiceError | null, answer?: A) => void) => unknown,
): Promise<A> {
  return new Promise((resolve, reject) => {
    start((error, answer) => {
      if (!error) return resolve(answer as A);
      const isLate = error.code === status.DEADLINE_EXCEEDED;
      // No cause: it says the same in grpc-js' words.
      reject(new CriCallError(`${name}: ${reasonOf(error)}`, { isLate }));
    });
  });
}
