import { accessSync, constants } from "node:fs";
import { type Command, Option } from "commander";
import { pathsBelow } from "../plugin-host/paths.ts";
import type { HostClient } from "../rpc/client.ts";
import type { HostCallError } from "../rpc/host-call.ts";
import type { ServicesClient } from "../rpc/services-client.ts";
import { CliError, EXIT, messageOf } from "./failure.ts";
import { CLI_LIMITS } from "./limits.ts";
import type { NodeWorld } from "./node-traces.ts";
import type { Output } from "./output.ts";

/** What commands need of the world. Tests give another one. */
export interface CliContext {
  readonly output: Output;
  readonly connect: Connect;
  readonly openNode: () => NodeWorld;
  readonly now: () => number;
  /** Folder of the checkout or the installed package. */
  readonly packageFolder: string;
}

export type Connect = (
  socketPath: string,
  options: { timeoutMs: number },
) => Promise<HostClient & ServicesClient>;

/** Options that every command has. */
export interface CommonOptions {
  readonly root: string;
  readonly json?: true;
}

/** Adds --root and, where the command has something for programs, --json. */
export function withCommonOptions(command: Command, options: { json?: boolean } = {}): Command {
  command.addOption(
    new Option("--root <dir>", "folder that every socket, state and journal is below")
      .env("PATCHBAY_ROOT")
      .default("/"),
  );
  if (options.json !== false) command.option("--json", "print JSON for programs");
  return command;
}

/** Calls the host below a root. Whatever goes wrong becomes a CliError with what to do. */
export async function withHost<Result>(
  context: CliContext,
  request: { readonly root: string; readonly what: string; readonly timeoutMs?: number },
  use: (host: HostClient & ServicesClient) => Promise<Result>,
): Promise<Result> {
  const { hostSocket, root } = pathsBelow(request.root);
  const timeoutMs = request.timeoutMs ?? CLI_LIMITS.callMs;
  const host = await context.connect(hostSocket, { timeoutMs });
  try {
    return await use(host);
  } catch (error) {
    throw isHostCallError(error)
      ? toCliError(error, { ...request, root, hostSocket, timeoutMs })
      : error;
  } finally {
    host.close();
  }
}

/** By name: the class is loaded with grpc-js, only when the host is called. */
function isHostCallError(error: unknown): error is HostCallError {
  return error instanceof Error && error.name === "HostCallError";
}

function toCliError(
  error: HostCallError,
  call: { root: string; what: string; hostSocket: string; timeoutMs: number },
): CliError {
  const cause = { cause: error };
  if (!error.unreachable)
    return new CliError(`Cannot ${call.what}: ${messageOf(error)}`, EXIT.failure, cause);
  if (isForbidden(call.hostSocket)) {
    const text = `Cannot reach the plugin host: ${call.hostSocket} may be used by its owner only: run as root`;
    return new CliError(text, EXIT.hostNotReachable, cause);
  }
  if ((error.cause as { code?: unknown } | undefined)?.code === grpcDeadlineExceeded) {
    const text = `Plugin host below ${call.root} did not answer within ${call.timeoutMs / 1000} s: see its log`;
    return new CliError(text, EXIT.hostNotReachable, cause);
  }
  return hostNotRunning(call.root, cause);
}

const grpcDeadlineExceeded = 4;

export function hostNotRunning(root: string, options?: ErrorOptions): CliError {
  const flag = root === "/" ? "" : ` --root ${root}`;
  return new CliError(
    `Plugin host is not running below ${root}: start it with \`npx patchbay host${flag}\``,
    EXIT.hostNotReachable,
    options,
  );
}

function isForbidden(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}
