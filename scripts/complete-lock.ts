// Completes package-lock.json: `npm ci` refuses a lock that lacks an optional dependency, even one
// for another machine, and npm leaves those out that the registry at hand does not serve. Each
// gets an entry with what its name says of its machine. Run after `npm install` of something new.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockPackages = Readonly<Record<string, LockEntry>>;

const systems = "aix android darwin freebsd linux netbsd openbsd openharmony sunos win32".split(
  " ",
);

/** Entries that the lock lacks, by their place in node_modules. */
export function findMissingEntries(packages: LockPackages): LockPackages {
  const missing: Record<string, LockEntry> = {};
  for (const [place, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const hoisted = `node_modules/${name}`;
      if (packages[`${place}/${hoisted}`] || packages[hoisted]) continue;
      missing[hoisted] = entryFromName(name, version, entry.dev === true);
    }
  }
  return missing;
}

/** For example "@oxlint/binding-linux-x64-musl": linux, x64, musl. */
function entryFromName(name: string, version: string, dev: boolean): LockEntry {
  const words = name.slice(name.indexOf("/") + 1).split("-");
  const index = words.findIndex((word) => systems.includes(word));
  const [os, cpu] = words.slice(index);
  if (index < 0 || os === undefined || cpu === undefined) {
    throw new Error(
      `Cannot tell the machine of ${name}: add its entry to package-lock.json by hand`,
    );
  }
  const abi = words[index + 2] ?? "";
  const libc = abi.startsWith("musl")
    ? ["musl"]
    : os === "linux" && abi.startsWith("gnu")
      ? ["glibc"]
      : undefined;
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev }),
    ...(libc && { libc }),
    optional: true,
    os: [os],
  };
}

if (import.meta.main) {
  const file = join(import.meta.dirname, "../package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: LockPackages };
  const missing = findMissingEntries(lock.packages);
  const all = Object.entries({ ...lock.packages, ...missing });
  const packages = Object.fromEntries(
    all.toSorted(([left], [right]) => left.localeCompare(right, "en")),
  );
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`${Object.keys(missing).length} entries added to package-lock.json`);
}
