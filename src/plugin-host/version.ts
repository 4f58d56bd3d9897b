import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../rpc/package-folder.ts";

/** Semantic version of this package. */
export const HOST_VERSION: string = (
  JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string }
).version;
