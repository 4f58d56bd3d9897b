import type { SpawnSyncOptions } from "node:child_process";

/** An error for the person who runs the set-up: says what failed and what to do. */
export class SetupError extends Error {}

/** Output of a program, or undefined when it cannot run or fails. */
export function findOutput(
  command: string,
  args: readonly string[],
  options?: SpawnSyncOptions,
): string | undefined;

/** This process's environment without the checkout's own programs: what the machine has. */
export function machineEnvironment(): NodeJS.ProcessEnv;
