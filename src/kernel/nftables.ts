import { execa } from "execa";
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

async function runNft(
  args: readonly string[],
  object: string,
  input = "",
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const result = await execa("nft", args, {
    input,
    reject: false,
    timeout: TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT_BYTES,
    stripFinalNewline: true,
  });
  if (result.exitCode !== undefined) {
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  }
  if (result.code === "ENOENT") {
    throw new KernelError(
      {
        errno: errno.ENOENT,
        code: "ENOENT",
        operation: "run-nft",
        object,
        extendedAck: "nft not found: install the package nftables",
      },
      { cause: result },
    );
  }
  throw new KernelError(
    {
      errno: 0,
      code: result.timedOut ? "ETIMEDOUT" : "NFT_ENDED",
      operation: "run-nft",
      object,
      extendedAck: result.shortMessage ?? "",
    },
    { cause: result },
  );
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
