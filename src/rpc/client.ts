import {
  type ChannelCredentials,
  type ClientReadableStream,
  credentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { Attachment__Output } from "./generated/patchbay/host/v1/Attachment.ts";
import type { AttachmentChange__Output } from "./generated/patchbay/host/v1/AttachmentChange.ts";
import type { CheckAttachmentsRequest } from "./generated/patchbay/host/v1/CheckAttachmentsRequest.ts";
import type { CheckAttachmentsResponse__Output } from "./generated/patchbay/host/v1/CheckAttachmentsResponse.ts";
import type { DoctorResponse__Output } from "./generated/patchbay/host/v1/DoctorResponse.ts";
import type { Event__Output } from "./generated/patchbay/host/v1/Event.ts";
import type { GetStatusResponse__Output } from "./generated/patchbay/host/v1/GetStatusResponse.ts";
import type { HostClient as GrpcHostClient } from "./generated/patchbay/host/v1/Host.ts";
import type { ImportHostLocalRequest } from "./generated/patchbay/host/v1/ImportHostLocalRequest.ts";
import type { ImportHostLocalResponse__Output } from "./generated/patchbay/host/v1/ImportHostLocalResponse.ts";
import type { ListAttachmentsRequest } from "./generated/patchbay/host/v1/ListAttachmentsRequest.ts";
import type { ListAttachmentsResponse__Output } from "./generated/patchbay/host/v1/ListAttachmentsResponse.ts";
import type { ReleaseIpamRequest } from "./generated/patchbay/host/v1/ReleaseIpamRequest.ts";
import type { ReleaseIpamResponse__Output } from "./generated/patchbay/host/v1/ReleaseIpamResponse.ts";
import type { ShowIpamRequest } from "./generated/patchbay/host/v1/ShowIpamRequest.ts";
import type { ShowIpamResponse__Output } from "./generated/patchbay/host/v1/ShowIpamResponse.ts";
import type { WatchEventsRequest } from "./generated/patchbay/host/v1/WatchEventsRequest.ts";
import { hostProto } from "./services.ts";
import { shortenSocketPath } from "./unix-server.ts";

/** Failure of a call to the host. `unreachable`: nothing answers on the socket. */
export class HostCallError extends Error {
  override readonly name = "HostCallError";
  readonly unreachable: boolean;

  constructor(message: string, unreachable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.unreachable = unreachable;
  }
}

/** patchbay.host.v1 as promises. Every call rejects with HostCallError. */
export interface HostClient {
  getStatus(): Promise<GetStatusResponse__Output>;
  listAttachments(request: ListAttachmentsRequest): Promise<readonly Attachment__Output[]>;
  watchAttachments(request: ListAttachmentsRequest): AsyncIterable<AttachmentChange__Output>;
  watchEvents(request: WatchEventsRequest): AsyncIterable<Event__Output>;
  showIpam(request: ShowIpamRequest): Promise<ShowIpamResponse__Output>;
  releaseIpam(request: ReleaseIpamRequest): Promise<ReleaseIpamResponse__Output>;
  importHostLocal(request: ImportHostLocalRequest): Promise<ImportHostLocalResponse__Output>;
  checkAttachments(request: CheckAttachmentsRequest): Promise<CheckAttachmentsResponse__Output>;
  doctor(): Promise<DoctorResponse__Output>;
  close(): void;
}

/** Connects to the host's control socket. timeoutMs bounds each unary call. */
export function connectHost(socketPath: string, options: { timeoutMs: number }): HostClient {
  const short = findShortPath(socketPath);
  const insecure: ChannelCredentials = credentials.createInsecure();
  const client: GrpcHostClient = new hostProto.Host(`unix:${short.path}`, insecure, {
    "grpc.default_authority": "localhost",
  });

  type Done<A> = (error: ServiceError | null, answer?: A) => void;
  const call = <A>(start: (options: { deadline: number }, done: Done<A>) => unknown): Promise<A> =>
    new Promise((resolve, reject) => {
      start({ deadline: Date.now() + options.timeoutMs }, (error, answer) => {
        if (error) reject(toCallError(error));
        else resolve(answer as A);
      });
    });

  return {
    getStatus: () => call((how, done) => client.getStatus({}, how, done)),
    listAttachments: async (request) => {
      const start = (how: { deadline: number }, done: Done<ListAttachmentsResponse__Output>) =>
        client.listAttachments(request, how, done);
      return (await call(start)).attachments;
    },
    watchAttachments: (request) => rethrow(client.watchAttachments(request)),
    watchEvents: (request) => rethrow(client.watchEvents(request)),
    showIpam: (request) => call((how, done) => client.showIpam(request, how, done)),
    releaseIpam: (request) => call((how, done) => client.releaseIpam(request, how, done)),
    importHostLocal: (request) => call((how, done) => client.importHostLocal(request, how, done)),
    checkAttachments: (request) => call((how, done) => client.checkAttachments(request, how, done)),
    doctor: () => call((how, done) => client.doctor({}, how, done)),
    close() {
      client.close();
      short.close();
    },
  };
}

/** Hangs up when the reader stops reading. */
async function* rethrow<T>(stream: ClientReadableStream<T>): AsyncIterable<T> {
  try {
    yield* stream as AsyncIterable<T>;
  } catch (error) {
    throw toCallError(error as ServiceError);
  } finally {
    stream.cancel();
  }
}

function toCallError(error: ServiceError): HostCallError {
  const unreachable = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  return new HostCallError(error.details || error.message, unreachable, { cause: error });
}

/** A folder that does not exist has no socket either: the call will say so. */
function findShortPath(path: string): ReturnType<typeof shortenSocketPath> {
  try {
    return shortenSocketPath(path);
  } catch {
    return { path, close: () => {} };
  }
}
