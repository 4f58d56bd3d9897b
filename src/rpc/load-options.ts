import type { Options } from "@grpc/proto-loader";

/**
 * How every .proto is loaded. scripts/generate-types.ts passes the same settings to the type
 * generator, so that the committed types are those of the values. 64-bit numbers are JS numbers:
 * all of ours are times and counters below 2^53.
 */
export const loadOptions: Options = {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  arrays: true,
  objects: true,
};
