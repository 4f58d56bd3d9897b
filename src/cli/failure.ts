/** What a run of the CLI ends with. docs/cli.md shows the same. */
export const EXIT = {
  ok: 0,
  /** Something failed, or something was found that is not as it should be. */
  failure: 1,
  usage: 2,
  hostNotReachable: 3,
  /** `services explain` alone: the kernel holds something else than the model says. */
  kernelDiffers: 4,
} as const;

/** An error for the person at the keyboard: one line that says what failed and what to do. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Why the operating system refused a path that the message names already: "no such file or folder". */
export function whyRefused(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return refusals[code ?? ""] ?? messageOf(error);
}

const refusals: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "part of the path is no folder",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
};

/** Message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, "; ").trim();
}
