import { type ServiceError, status } from "@grpc/grpc-js";

/** Names of gRPC status codes, as in google.rpc.Code. */
export type GrpcStatusName = keyof typeof status;

/** An error that a grpc-js handler hands to its callback. */
export function grpcError(name: GrpcStatusName, message: string): Partial<ServiceError> {
  return { code: status[name], details: message };
}
