import { type ExecFileException, execFile } from "node:child_process";
import { errno } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";

/**
 * The static part of a ruleset: tables and chains, loaded as text once. What changes with every pod
 * or Service goes over nfnetlink instead.
 */
export interface Nftables {
  /** Loads text as `nft -f` does, in one transaction. Throws KernelError with nft's words. */
  load(ruleset: string): Promise<void>;
  /** A table as text; its family and name as in "inet patchbay" (nft takes a lone name for family ip). undefined: there is none. */
  list(table: string): Promise<string | undefined>;
}

/** The nft program, run in the namespace of this process. */
export function openNftables(): Nftables {
  return {
    load: loadRuleset,
    list: async (table) => {
      const { exitCode, stdout, stderr } = await runNft(["list", "table", ...words(table)], table);
      if (exitCode === 0) return stdout;
      if (stderr.includes("No such file or directory")) return undefined;
      throw nftError("list-ruleset", table, stderr);
    },
  };
}

/** Runs `nft -f -` without a shell. */
export async function loadRuleset(text: string): Promise<void> {
  const { exitCode, stderr } = await runNft(["-f", "-"], "ruleset", text);
  if (exitCode !== 0) throw nftError("load-ruleset", "into nftables", stderr);
}

/** A ruleset of 30,000 endpoints takes one second; a stuck nft is no reason to wait for ever. */
const TIMEOUT_MS = 30_000;
const MOST_OUTPUT_BYTES = 64 << 20;

/** node:child_process, not execa: for one short program execa costs 7 MB (docs/decisions/0006). */
function runNft(
  args: readonly string[],
  object: string,
  input = "",
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT_BYTES };
    const child = execFile("nft", args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout: stdout.trimEnd(), stderr });
      else if (typeof error.code === "number") resolve({ exitCode: error.code, stdout, stderr });
      else reject(runError(error, object));
    });
    // A program that is not there, or ends early, reads no input.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

function runError(cause: ExecFileException, object: string): KernelError {
  if (cause.code === "ENOENT") {
    const extendedAck = "nft not found: install the package nftables";
    const fields = { errno: errno.ENOENT, code: "ENOENT", operation: "run-nft", object };
    return new KernelError({ ...fields, extendedAck }, { cause });
  }
  const code = cause.killed ? "ETIMEDOUT" : "NFT_ENDED";
  const fields = { errno: 0, code, operation: "run-nft", object };
  return new KernelError({ ...fields, extendedAck: cause.message }, { cause });
}

/** nft says the errno in words only. */
function nftError(operation: string, object: string, stderr: string): KernelError {
  const [, code] = messages.find(([message]) => stderr.includes(message)) ?? ["", "NFT_REFUSED"];
  const value = code in errno ? errno[code as keyof typeof errno] : 0;
  return new KernelError({ errno: value, code, operation, object, extendedAck: stderr });
}

const messages: readonly (readonly [string, string])[] = [
  ["Operation not permitted", "EPERM"],
  ["No such file or directory", "ENOENT"],
  ["File exists", "EEXIST"],
  ["Device or resource busy", "EBUSY"],
  ["Operation not supported", "EOPNOTSUPP"],
  ["syntax error", "EINVAL"],
];

function words(table: string): string[] {
  return table.trim().split(/\s+/);
}
