import type { Command } from "commander";
import { HOST_VERSION } from "../plugin-host/version.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { CliError, EXIT } from "./failure.ts";
import { CLI_LIMITS } from "./limits.ts";
import { sanitize } from "./output.ts";

export function addVersionCommand(program: Command, context: CliContext): void {
  const command = program
    .command("version")
    .description("show the versions of this program and of the running host");
  withCommonOptions(command).action(async () => {
    const { root, json } = command.opts<CommonOptions>();
    const host = await findHostVersion(context, root);
    const { output } = context;
    if (json) {
      output.json({ version: HOST_VERSION, node: process.version, host: host ?? null });
      return;
    }
    output.line(`patchbay ${HOST_VERSION} on Node ${process.version}`);
    output.line(host === undefined ? "host: not running" : `host ${sanitize(host)}`);
  });
}

/** Version of the host below a root; undefined when none answers. */
async function findHostVersion(context: CliContext, root: string): Promise<string | undefined> {
  const request = { root, what: "ask for the version", timeoutMs: CLI_LIMITS.glanceMs };
  try {
    return (await withHost(context, request, (host) => host.getStatus())).version;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.hostNotReachable) return undefined;
    throw error;
  }
}
