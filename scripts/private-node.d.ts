import type { ChildProcess, StdioOptions } from "node:child_process";

/**
 * Runs a command inside a private node and resolves with its exit code (128 + number when a signal
 * ended it). Inside another private node the command runs as it is.
 */
export function runInPrivateNode(
  command: string,
  args: readonly string[],
  options?: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Default "inherit". */
    readonly stdio?: StdioOptions;
    readonly onSpawn?: (child: ChildProcess) => void;
  },
): Promise<number>;
