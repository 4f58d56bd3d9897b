// Generates the TypeScript types of every .proto into src/rpc/generated. `--check` writes to a
// temporary folder instead and fails when the committed files differ.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const committed = join(root, "src/rpc/generated");
const check = process.argv.includes("--check");
const out = check ? mkdtempSync(join(tmpdir(), "patchbay-types-")) : committed;

// Must say the same as src/rpc/load-options.ts, so that the types are those of the values.
const loaderFlags = [
  "--longs=Number",
  "--enums=String",
  "--defaults",
  "--oneofs",
  "--includeDirs=proto",
];

if (!check) rmSync(out, { recursive: true, force: true });
execFileSync(
  join(root, "node_modules/.bin/proto-loader-gen-types"),
  [
    ...loaderFlags,
    "--grpcLib=@grpc/grpc-js",
    "--includeComments",
    "--targetFileExtension=.ts",
    "--importFileExtension=.ts",
    `--outDir=${out}`,
    ...protoFiles(),
  ],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
);

if (check) {
  const drift = compareFolders(out, committed);
  rmSync(out, { recursive: true, force: true });
  if (drift.length > 0) {
    console.error(`Generated types differ from proto/: ${drift.join(", ")}\nRun: npm run generate`);
    process.exitCode = 1;
  }
}

function protoFiles(): string[] {
  return listFiles(join(root, "proto"))
    .filter((name) => name.endsWith(".proto"))
    .map((name) => relative(join(root, "proto"), name))
    .sort();
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function compareFolders(fresh: string, old: string): string[] {
  const names = (folder: string) => listFiles(folder).map((name) => relative(folder, name));
  const all = new Set([...names(fresh), ...names(old)]);
  return [...all]
    .sort()
    .filter((name) => readIfThere(join(fresh, name)) !== readIfThere(join(old, name)));
}

function readIfThere(name: string): string | undefined {
  try {
    return readFileSync(name, "utf8");
  } catch {
    return undefined;
  }
}
