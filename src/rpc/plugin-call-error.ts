import { type ServiceError, status } from "@grpc/grpc-js";
import { PluginError, type PluginErrorKind } from "../plugin-sdk/network-plugin.ts";
import type { GrpcStatusName } from "./status.ts";

/** A plugin's failure with the gRPC status that it came as. No cause: it says the same in grpc-js' words. */
export class PluginCallError extends PluginError {
  readonly status: GrpcStatusName;

  constructor(what: string, error: ServiceError) {
    super(kindOf(error), `${what}: ${reasonOf(error)}`);
    this.status = (status[error.code] ?? "UNKNOWN") as GrpcStatusName;
  }
}

/** network.proto, "Failures are gRPC statuses". */
function kindOf({ code }: ServiceError): PluginErrorKind {
  if (code === status.INVALID_ARGUMENT) return "invalid-config";
  if (code === status.ALREADY_EXISTS) return "interface-exists";
  return "transient";
}

/** grpc-js says a refused connection twice, and of a deadline what it did meanwhile. */
export function reasonOf({ details, message }: ServiceError): string {
  const text = details || message;
  if (/^deadline exceeded\b/i.test(text)) return "it did not answer by its deadline";
  const code = /\bconnect (E[A-Z]+)\b/.exec(text)?.[1];
  return code === undefined ? text : `its socket cannot be connected to (${code})`;
}
