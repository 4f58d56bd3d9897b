import { statSync } from "node:fs";
import { join } from "node:path";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import type { ChainMember } from "./config.ts";
import type { Exec } from "./exec.ts";
import { planEnvironment } from "./plan.ts";
import type { SupportedVersions } from "./versions.ts";

/** An executable file of a CNI plugin, as it is now. */
export interface PluginBinary {
  readonly type: string;
  readonly file: string;
  /** Another one: the file was replaced. */
  readonly identity: string;
}

/** Binaries remembered at the same time. */
const REMEMBERED_MAX = 256;

/** CNI plugins by type, and which versions of CNI each speaks. */
export class PluginBinaries {
  readonly binDirs: readonly string[];
  readonly #exec: Exec;
  readonly #versions = new Map<string, SupportedVersions>();

  constructor(binDirs: readonly string[], exec: Exec) {
    this.binDirs = binDirs;
    this.#exec = exec;
  }

  /** The first in binDirs. Throws PluginError transient: whoever installs it may not be done. */
  find(type: string): PluginBinary {
    const reasons: string[] = [];
    for (const folder of this.binDirs) {
      const file = join(folder, type);
      const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
      if (stat?.isFile() && (stat.mode & 0o111n) !== 0n) {
        const identity = [file, stat.dev, stat.ino, stat.size, stat.mtimeNs].join(" ");
        return { type, file, identity };
      }
      if (stat) reasons.push(`${file} is no executable file`);
    }
    const why = reasons.length > 0 ? `: ${reasons.join(", ")}` : "";
    throw new PluginError(
      "transient",
      `CNI plugin ${type} is not in ${this.binDirs.join(" or ")}${why}; install it, or correct its name`,
    );
  }

  /** Throws as find() where a program that the chain executes is not there, as far as `ipam.type` names it. */
  requireAll(chain: readonly ChainMember[]): void {
    for (const { type, ipamType } of chain) {
      this.find(type);
      if (ipamType !== undefined) this.find(ipamType);
    }
  }

  /**
   * What VERSION answered; asked once of each file. A plugin that does not know the verb is one
   * that nobody ever asked. Throws ExecError.
   */
  async versionsOf(binary: PluginBinary, call: VersionCall): Promise<SupportedVersions> {
    const known = this.#versions.get(binary.identity);
    if (known) return known;
    const answer = await this.#exec.run({
      file: binary.file,
      env: { ...call.env, ...planEnvironment("VERSION", this.binDirs) },
      stdin: JSON.stringify({ cniVersion: "1.0.0" }),
      limitMs: call.limitMs,
    });
    const versions = answer.exitCode === 0 ? parseVersions(answer.stdout) : "unknown";
    // What a signal ended may know it another time.
    if (answer.signal !== null) return versions;
    if (this.#versions.size >= REMEMBERED_MAX) this.#versions.clear();
    this.#versions.set(binary.identity, versions);
    return versions;
  }
}

export interface VersionCall {
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

function parseVersions(stdout: string): SupportedVersions {
  try {
    const json = JSON.parse(stdout) as { supportedVersions?: unknown } | null;
    const list = json?.supportedVersions;
    if (!Array.isArray(list)) return "unknown";
    const texts = list.filter((entry) => typeof entry === "string");
    return texts.length > 0 ? texts : "unknown";
  } catch {
    return "unknown";
  }
}
