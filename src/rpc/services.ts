import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type GrpcObject, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { ProtoGrpcType as HostProto } from "./generated/host.ts";
import type { InvokeRequest__Output } from "./generated/patchbay/shim/v1/InvokeRequest.ts";
import type { ProtoGrpcType as ShimProto } from "./generated/shim.ts";
import { loadOptions } from "./load-options.ts";

export type { ServerWritableStream } from "@grpc/grpc-js";

/** Folder of the .proto files: beside package.json, wherever this file was built to. */
export const protoFolder: string = join(findPackageFolder(import.meta.dirname), "proto");

/** Service and message definitions of patchbay.shim.v1. */
export const shimProto: ShimProto["patchbay"]["shim"]["v1"] = load<ShimProto>(
  "patchbay/shim/v1/shim.proto",
).patchbay.shim.v1;

/** Service and message definitions of patchbay.host.v1. */
export const hostProto: HostProto["patchbay"]["host"]["v1"] = load<HostProto>(
  "patchbay/host/v1/host.proto",
).patchbay.host.v1;

function load<T>(file: string): T {
  const definition = loadSync(file, { ...loadOptions, includeDirs: [protoFolder] });
  return loadPackageDefinition(definition) as GrpcObject & T;
}

function findPackageFolder(from: string): string {
  if (existsSync(join(from, "package.json")) && existsSync(join(from, "proto"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("Cannot find the folder proto/ of this package");
  return findPackageFolder(parent);
}

/** Decodes an InvokeRequest that was written to a file. Throws when the bytes are none. */
export function decodeInvokeRequest(bytes: Buffer): InvokeRequest__Output {
  return shimProto.Shim.service.Invoke.requestDeserialize(bytes);
}
