import { credentials, type ServiceError } from "@grpc/grpc-js";
import { connectHost, type HostClient } from "./client.ts";
import type { ApplyServicesRequest } from "./generated/patchbay/host/v1/ApplyServicesRequest.ts";
import type { ApplyServicesResponse__Output } from "./generated/patchbay/host/v1/ApplyServicesResponse.ts";
import type { ExplainRequest } from "./generated/patchbay/host/v1/ExplainRequest.ts";
import type { ExplainResponse__Output } from "./generated/patchbay/host/v1/ExplainResponse.ts";
import type { HostClient as GrpcHostClient } from "./generated/patchbay/host/v1/Host.ts";
import type { ListServicesRequest } from "./generated/patchbay/host/v1/ListServicesRequest.ts";
import type { ListServicesResponse__Output } from "./generated/patchbay/host/v1/ListServicesResponse.ts";
import type { ServiceChange__Output } from "./generated/patchbay/host/v1/ServiceChange.ts";
import type { WaitProgrammedRequest } from "./generated/patchbay/host/v1/WaitProgrammedRequest.ts";
import type { WaitProgrammedResponse__Output } from "./generated/patchbay/host/v1/WaitProgrammedResponse.ts";
import { call, findShortPath, HostCallError, readStream, toCallError } from "./host-call.ts";
import { hostProto } from "./services.ts";

/** ListServices of 30,000 Services is some 30 MB; grpc-js alone would take 4. */
const MESSAGE_BYTES_MAX = 512 * 1024 * 1024;

/** The Services part of patchbay.host.v1 as promises. Every call rejects with HostCallError. */
export interface ServicesClient {
  listServices(request: ListServicesRequest): Promise<ListServicesResponse__Output>;
  watchServices(request: ListServicesRequest): AsyncIterable<ServiceChange__Output>;
  waitProgrammed(request: WaitProgrammedRequest): Promise<WaitProgrammedResponse__Output>;
  explain(request: ExplainRequest): Promise<ExplainResponse__Output>;
  /** One message of an ApplyServices stream, and its answer. What it gave stays when the stream ends. */
  applyServices(request: ApplyServicesRequest): Promise<ApplyServicesResponse__Output>;
}

/** Connects to the host's control socket. timeoutMs bounds each call that is no watch. */
export function connectHostWithServices(
  socketPath: string,
  options: { timeoutMs: number },
): HostClient & ServicesClient {
  const host = connectHost(socketPath, options);
  const short = findShortPath(socketPath);
  // The same address and credentials as the host client's: grpc-js shares the connection.
  const client: GrpcHostClient = new hostProto.Host(
    `unix:${short.path}`,
    credentials.createInsecure(),
    {
      "grpc.default_authority": "localhost",
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    },
  );
  const how = () => ({ deadline: Date.now() + options.timeoutMs });

  return {
    ...host,
    listServices: (request) => call((done) => client.listServices(request, how(), done)),
    watchServices: (request) => readStream(client.watchServices(request)),
    waitProgrammed: (request) => call((done) => client.waitProgrammed(request, how(), done)),
    explain: (request) => call((done) => client.explain(request, how(), done)),
    applyServices: (request) =>
      new Promise((resolve, reject) => {
        const stream = client.applyServices(how());
        stream.once("data", (answer: ApplyServicesResponse__Output) => {
          resolve(answer);
          stream.end();
        });
        stream.once("error", (error: ServiceError) => reject(toCallError(error)));
        stream.once("end", () => reject(new HostCallError("The host hung up", true)));
        stream.write(request);
      }),
    close() {
      client.close();
      short.close();
      host.close();
    },
  };
}
