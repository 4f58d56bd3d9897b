import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../..");

/** An npm registry of the packages that this checkout has. Disposing of it closes it. */
export interface LocalRegistry extends AsyncDisposable {
  readonly url: string;
}

interface InstalledPackage {
  /** Below the checkout. */
  readonly folder: string;
  readonly manifest: Manifest;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Serves the packages that this checkout runs with, as npm put them into node_modules: a private node
 * has no way to the real registry, and what is tested is what is used here.
 */
export async function openLocalRegistry(): Promise<LocalRegistry> {
  const packages = findPackages();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "/").slice(1);
    const [name = "", file] = path.split("/-/");
    const versions = packages.get(name);
    const asked = versions?.find(({ manifest }) => file === `${manifest.version}.tgz`);
    if (versions && file === undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(describe(versions, { packages, url: urlOf(server) })));
    } else if (asked) {
      const folder = join(repository, asked.folder);
      // npm's tarballs have everything below "package"; packages within packages are packages of their own.
      const transform = ["--transform", "s,^\\.,package,", "--exclude", "./node_modules"];
      const tar = spawn("tar", ["-czf", "-", ...transform, "-C", folder, "."]);
      tar.stdout.pipe(response);
    } else {
      response.statusCode = 404;
      response.end("{}");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: urlOf(server),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function findPackages(): Map<string, readonly InstalledPackage[]> {
  const lock = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const packages = new Map<string, InstalledPackage[]>();
  for (const [folder, { dev }] of Object.entries(lock.packages)) {
    if (folder === "" || dev) continue;
    const manifest = findManifest(folder);
    // Of another platform.
    if (!manifest) continue;
    packages.set(manifest.name, [...(packages.get(manifest.name) ?? []), { folder, manifest }]);
  }
  return packages;
}

function findManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(repository, folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** What a registry says of a package: github.com/npm/registry, docs/responses/package-metadata.md. */
function describe(
  versions: readonly InstalledPackage[],
  where: { readonly packages: ReadonlyMap<string, unknown>; readonly url: string },
): object {
  const entries = versions.map(({ manifest }) => {
    const { name, version, optionalDependencies = {} } = manifest;
    const there = Object.entries(optionalDependencies).filter(([each]) => where.packages.has(each));
    const dist = { tarball: `${where.url}/${name}/-/${version}.tgz` };
    return [
      version,
      { ...manifest, optionalDependencies: Object.fromEntries(there), dist },
    ] as const;
  });
  const [latest] = entries.at(-1) ?? [];
  const [{ manifest } = { manifest: { name: "" } }] = versions;
  return {
    name: manifest.name,
    "dist-tags": { latest },
    versions: Object.fromEntries(entries),
  };
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
