import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Folder of package.json and proto/, wherever this file was built to. */
export const packageFolder: string = findPackageFolder(import.meta.dirname);

function findPackageFolder(from: string): string {
  if (existsSync(join(from, "package.json")) && existsSync(join(from, "proto"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("Cannot find the folder of this package");
  return findPackageFolder(parent);
}
