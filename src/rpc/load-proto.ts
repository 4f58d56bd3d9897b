import { join } from "node:path";
import { type GrpcObject, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { loadOptions } from "./load-options.ts";
import { packageFolder } from "./package-folder.ts";

const protoFolder = join(packageFolder, "proto");

/** Loads a file below proto/. */
export function load<T>(file: string): T {
  const definition = loadSync(file, { ...loadOptions, includeDirs: [protoFolder] });
  return loadPackageDefinition(definition) as GrpcObject & T;
}
