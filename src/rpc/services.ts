import { join } from "node:path";
import { type GrpcObject, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { ProtoGrpcType as HostProto } from "./generated/host.ts";
import type { InvokeRequest__Output } from "./generated/patchbay/shim/v1/InvokeRequest.ts";
import type { ProtoGrpcType as ShimProto } from "./generated/shim.ts";
import { loadOptions } from "./load-options.ts";
import { packageFolder } from "./package-folder.ts";

export type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";

const protoFolder = join(packageFolder, "proto");

/** Service and message definitions of patchbay.shim.v1. */
export const shimProto: ShimProto["patchbay"]["shim"]["v1"] = load<ShimProto>(
  "patchbay/shim/v1/shim.proto",
).patchbay.shim.v1;

/** Service and message definitions of patchbay.host.v1. */
export const hostProto: HostProto["patchbay"]["host"]["v1"] = load<HostProto>(
  "patchbay/host/v1/host.proto",
).patchbay.host.v1;

/** Loads a file below proto/. */
export function load<T>(file: string): T {
  const definition = loadSync(file, { ...loadOptions, includeDirs: [protoFolder] });
  return loadPackageDefinition(definition) as GrpcObject & T;
}

/** Decodes an InvokeRequest that was written to a file. Throws when the bytes are none. */
export function decodeInvokeRequest(bytes: Buffer): InvokeRequest__Output {
  return shimProto.Shim.service.Invoke.requestDeserialize(bytes);
}
