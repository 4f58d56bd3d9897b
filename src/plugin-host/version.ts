import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { protoFolder } from "../rpc/services.ts";

/** Semantic version of this package. */
export const HOST_VERSION: string = (
  JSON.parse(readFileSync(join(dirname(protoFolder), "package.json"), "utf8")) as {
    version: string;
  }
).version;
