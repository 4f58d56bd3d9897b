import type { ProtoGrpcType as HostProto } from "./generated/host.ts";
import type { InvokeRequest__Output } from "./generated/patchbay/shim/v1/InvokeRequest.ts";
import type { ProtoGrpcType as ShimProto } from "./generated/shim.ts";
import { load } from "./load-proto.ts";

export type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";

/** Service and message definitions of patchbay.shim.v1. */
export const shimProto: ShimProto["patchbay"]["shim"]["v1"] = load<ShimProto>(
  "patchbay/shim/v1/shim.proto",
).patchbay.shim.v1;

/** Service and message definitions of patchbay.host.v1. */
export const hostProto: HostProto["patchbay"]["host"]["v1"] = load<HostProto>(
  "patchbay/host/v1/host.proto",
).patchbay.host.v1;

/** Decodes an InvokeRequest that was written to a file. Throws when the bytes are none. */
export function decodeInvokeRequest(bytes: Buffer): InvokeRequest__Output {
  return shimProto.Shim.service.Invoke.requestDeserialize(bytes);
}
