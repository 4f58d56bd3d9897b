// What every step of the set-up uses: saying what is done, and running a program with its output
// in a log that is shown only when the program fails.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");
const logFile = join(repository, "build/setup.log");
const tailLines = 40;
let quiet = false;

/** An error for the person who runs the set-up: says what failed and what to do. */
export class SetupError extends Error {}

export function setQuiet(value) {
  quiet = value;
}

export function say(text) {
  if (!quiet) console.log(`setup: ${text}`);
}

/**
 * Runs a program; its output goes to build/setup.log. Throws SetupError with the command, the end
 * of its output and `remedy` when it fails.
 */
export function run(command, args, { env = process.env, cwd = repository, remedy }) {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w");
  const result = spawnSync(command, args, { cwd, env, stdio: ["ignore", log, log] });
  closeSync(log);
  if (result.status === 0) return;
  const why =
    result.error?.message ??
    (result.signal ? `ended by ${result.signal}` : `exit code ${result.status}`);
  const output = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-tailLines).join("\n");
  const line = [command, ...args].join(" ");
  throw new SetupError(`${line}: ${why}\n${output ? `${output}\n` : ""}What to do: ${remedy}`);
}

/** Output of a program, or undefined when it cannot run or fails. */
export function findOutput(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: repository,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    ...options,
  });
  return result.status === 0 ? result.stdout : undefined;
}

/** This process's environment without the checkout's own programs: what the machine has. */
export function machineEnvironment() {
  const path = (process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter);
  const outside = path.filter((folder) => !folder.includes("node_modules"));
  for (const folder of ["/usr/sbin", "/sbin"]) if (!outside.includes(folder)) outside.push(folder);
  return { ...process.env, PATH: outside.join(delimiter) };
}
