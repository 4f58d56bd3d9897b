import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { Attachment__Output } from "./generated/patchbay/host/v1/Attachment.ts";
import type { AttachmentChange__Output } from "./generated/patchbay/host/v1/AttachmentChange.ts";
import type { AttachNetworkRequest } from "./generated/patchbay/host/v1/AttachNetworkRequest.ts";
import type { AttachNetworkResponse__Output } from "./generated/patchbay/host/v1/AttachNetworkResponse.ts";
import type { CheckAttachmentsRequest } from "./generated/patchbay/host/v1/CheckAttachmentsRequest.ts";
import type { CheckAttachmentsResponse__Output } from "./generated/patchbay/host/v1/CheckAttachmentsResponse.ts";
import type { DetachNetworkRequest } from "./generated/patchbay/host/v1/DetachNetworkRequest.ts";
import type { DetachNetworkResponse__Output } from "./generated/patchbay/host/v1/DetachNetworkResponse.ts";
import type { DoctorResponse__Output } from "./generated/patchbay/host/v1/DoctorResponse.ts";
import type { Event__Output } from "./generated/patchbay/host/v1/Event.ts";
import type { GetStatusResponse__Output } from "./generated/patchbay/host/v1/GetStatusResponse.ts";
import type { GetNetworkStatusRequest } from "./generated/patchbay/host/v1/GetNetworkStatusRequest.ts";
import type { GetNetworkStatusResponse__Output } from "./generated/patchbay/host/v1/GetNetworkStatusResponse.ts";
import type { HostClient as GrpcHostClient } from "./generated/patchbay/host/v1/Host.ts";
import type { ImportHostLocalRequest } from "./generated/patchbay/host/v1/ImportHostLocalRequest.ts";
import type { ImportHostLocalResponse__Output } from "./generated/patchbay/host/v1/ImportHostLocalResponse.ts";
import type { ListAttachmentsRequest } from "./generated/patchbay/host/v1/ListAttachmentsRequest.ts";
import type { ListAttachmentsResponse__Output } from "./generated/patchbay/host/v1/ListAttachmentsResponse.ts";
import type { ListNetworkDefinitionsRequest } from "./generated/patchbay/host/v1/ListNetworkDefinitionsRequest.ts";
import type { ListNetworkDefinitionsResponse__Output } from "./generated/patchbay/host/v1/ListNetworkDefinitionsResponse.ts";
import type { ReleaseIpamRequest } from "./generated/patchbay/host/v1/ReleaseIpamRequest.ts";
import type { ReleaseIpamResponse__Output } from "./generated/patchbay/host/v1/ReleaseIpamResponse.ts";
import type { ShowIpamRequest } from "./generated/patchbay/host/v1/ShowIpamRequest.ts";
import type { ShowIpamResponse__Output } from "./generated/patchbay/host/v1/ShowIpamResponse.ts";
import type { WatchEventsRequest } from "./generated/patchbay/host/v1/WatchEventsRequest.ts";
import { call, type Done, findShortPath, readStream } from "./host-call.ts";
import { hostProto } from "./services.ts";

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
  attachNetwork(request: AttachNetworkRequest): Promise<AttachNetworkResponse__Output>;
  detachNetwork(request: DetachNetworkRequest): Promise<DetachNetworkResponse__Output>;
  listNetworkDefinitions(
    request: ListNetworkDefinitionsRequest,
  ): Promise<ListNetworkDefinitionsResponse__Output>;
  getNetworkStatus(request: GetNetworkStatusRequest): Promise<GetNetworkStatusResponse__Output>;
  close(): void;
}

/** Connects to the host's control socket. timeoutMs bounds each unary call. */
export function connectHost(socketPath: string, options: { timeoutMs: number }): HostClient {
  const short = findShortPath(socketPath);
  const insecure: ChannelCredentials = credentials.createInsecure();
  const client: GrpcHostClient = new hostProto.Host(`unix:${short.path}`, insecure, {
    "grpc.default_authority": "localhost",
  });

  const how = () => ({ deadline: Date.now() + options.timeoutMs });

  return {
    getStatus: () => call((done) => client.getStatus({}, how(), done)),
    listAttachments: async (request) => {
      const start = (done: Done<ListAttachmentsResponse__Output>) =>
        client.listAttachments(request, how(), done);
      return (await call(start)).attachments;
    },
    watchAttachments: (request) => readStream(client.watchAttachments(request)),
    watchEvents: (request) => readStream(client.watchEvents(request)),
    showIpam: (request) => call((done) => client.showIpam(request, how(), done)),
    releaseIpam: (request) => call((done) => client.releaseIpam(request, how(), done)),
    importHostLocal: (request) => call((done) => client.importHostLocal(request, how(), done)),
    checkAttachments: (request) => call((done) => client.checkAttachments(request, how(), done)),
    attachNetwork: (request) => call((done) => client.attachNetwork(request, how(), done)),
    detachNetwork: (request) => call((done) => client.detachNetwork(request, how(), done)),
    listNetworkDefinitions: (request) =>
      call((done) => client.listNetworkDefinitions(request, how(), done)),
    getNetworkStatus: (request) => call((done) => client.getNetworkStatus(request, how(), done)),
    doctor: () => call((done) => client.doctor({}, how(), done)),
    close() {
      client.close();
      short.close();
    },
  };
}
