import { readdirSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { LIMITS } from "./limits.ts";
import { type FileIdentity, identify, readFile } from "./manifests/read-file.ts";

/** What a file of the folder holds. */
interface ConfFile {
  readonly identity: FileIdentity;
  /** Undefined: nothing that can be used. */
  readonly conf:
    | { readonly name: string; readonly isList: boolean; readonly text: string }
    | undefined;
}

const CONF_NAME = /^[^.].*\.(?:conflist|conf|json)$/;

/**
 * The node's CNI configurations, for network definitions that have none of their own (multi-network standard 1.3,
 * 3.2). Files are read again when they change, and only when somebody asks.
 */
export class CniConfFolder {
  readonly #folder: string;
  readonly #files = new Map<string, ConfFile>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Text of the configuration that has the name: a list rather than a single plugin, else the first by file name. */
  find(name: string): string | undefined {
    const named = this.#read().filter((conf) => conf.name === name);
    return (named.find(({ isList }) => isList) ?? named[0])?.text;
  }

  #read(): NonNullable<ConfFile["conf"]>[] {
    const names = this.#names();
    for (const name of this.#files.keys()) if (!names.includes(name)) this.#files.delete(name);
    return names.flatMap((name) => this.#readFile(name) ?? []);
  }

  #names(): readonly string[] {
    try {
      const names = readdirSync(this.#folder).filter((name) => CONF_NAME.test(name));
      return names.sort().slice(0, LIMITS.cniConfFilesMax);
    } catch {
      return [];
    }
  }

  #readFile(name: string): ConfFile["conf"] {
    const path = join(this.#folder, name);
    const identity = identify(path);
    const known = this.#files.get(name);
    if (identity === undefined || !this.#isInside(path)) return undefined;
    if (known?.identity === identity) return known.conf;
    const file = readFile(path, { bytesMax: LIMITS.configBytesMax });
    if (file.kind === "absent") return undefined;
    const conf = file.kind === "text" ? parseConf(file.text) : undefined;
    this.#files.set(name, { identity: file.identity, conf });
    return conf;
  }

  /** A link may lead to another file of the folder (a mounted ConfigMap), not out of it. */
  #isInside(path: string): boolean {
    try {
      return realpathSync(path).startsWith(realpathSync(this.#folder) + sep);
    } catch {
      return false;
    }
  }
}

/** What is wrong inside is told by whoever reads the definition. */
function parseConf(text: string): ConfFile["conf"] {
  try {
    const json = JSON.parse(text) as { name?: unknown; plugins?: unknown } | null;
    if (typeof json?.name !== "string") return undefined;
    return { name: json.name, isList: Array.isArray(json.plugins), text };
  } catch {
    return undefined;
  }
}
