import { setImmediate } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { HOST_VERSION } from "../plugin-host/version.ts";
import { packageFolder } from "../rpc/package-folder.ts";
import { addAttachCommand, addDetachCommand } from "./attach.ts";
import { addAttachmentsCommand } from "./attachments.ts";
import { addCheckCommand } from "./check.ts";
import { addConformanceCommand } from "./conformance.ts";
import type { CliContext } from "./context.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addEventsCommand } from "./events.ts";
import { CliError, EXIT, messageOf } from "./failure.ts";
import { addHostCommand } from "./host.ts";
import { addInstallCommand } from "./install.ts";
import { addIpamCommand } from "./ipam.ts";
import { addNetworkStatusCommand } from "./network-status.ts";
import { addNetworksCommand } from "./networks.ts";
import { addMapCommand } from "./map-command.ts";
import { openThisNode } from "./node-traces.ts";
import { createOutput, sanitize } from "./output.ts";
import { addPluginsCommand } from "./plugins.ts";
import { addServicesCommand } from "./services.ts";
import { addStatusCommand } from "./status.ts";
import { addUninstallCommand } from "./uninstall.ts";
import { addVersionCommand } from "./version.ts";

/** Runs the CLI on the real world. Resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // `patchbay attachments | head -1` is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    process.stderr.write(`patchbay: Cannot write to standard output: ${messageOf(error)}\n`);
    process.exit(EXIT.failure);
  });
  const output = createOutput({
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    color: process.stdout.isTTY && process.stdout.hasColors(),
  });
  const exitCode = await run(args, {
    output,
    // Loaded when called: gRPC is most of the time that a start takes.
    connect: async (socketPath, options) => {
      const { connectHostWithServices } = await import("../rpc/services-client.ts");
      return connectHostWithServices(socketPath, options);
    },
    openNode: openThisNode,
    now: Date.now,
    packageFolder,
  });
  // The caller ends the process: what standard output has to say comes first.
  await setImmediate();
  return exitCode;
}

/** Runs one command line. Never rejects for what a user can do wrong. */
export async function run(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Its own text was printed by then; only --help and --version are no error.
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    if (error instanceof CliError) {
      context.output.errorLine(`patchbay: ${sanitize(messageOf(error))}`);
      return error.exitCode;
    }
    if (isSystemError(error)) {
      context.output.errorLine(`patchbay: ${sanitize(messageOf(error))}`);
      return EXIT.failure;
    }
    throw error;
  }
}

/** The whole command line. `setExitCode` is called by commands that found something. */
export function createProgram(context: CliContext, setExitCode: (code: number) => void): Command {
  const program = new Command("patchbay")
    .description("A gRPC network-plugin runtime for Kubernetes nodes")
    .version(HOST_VERSION, "--version", "print the version")
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.line(text.trimEnd()),
      writeErr: (text) => context.output.errorLine(text.trimEnd()),
      // A suggestion comes on a line of its own.
      outputError: (text, write) => write(`${text.trim().replaceAll("\n", " ")} (see --help)`),
    })
    .addHelpText("after", examples);
  addHostCommand(program, context);
  addInstallCommand(program, context);
  addUninstallCommand(program, context);
  addStatusCommand(program, context, setExitCode);
  addPluginsCommand(program, context, setExitCode);
  addAttachmentsCommand(program, context);
  addNetworksCommand(program, context, setExitCode);
  addNetworkStatusCommand(program, context);
  addMapCommand(program, context);
  addAttachCommand(program, context);
  addDetachCommand(program, context);
  addIpamCommand(program, context);
  addCheckCommand(program, context, setExitCode);
  addDoctorCommand(program, context, setExitCode);
  addEventsCommand(program, context);
  addServicesCommand(program, context, setExitCode);
  addConformanceCommand(program, context, setExitCode);
  addVersionCommand(program, context);
  return program;
}

const examples = `
A node, from nothing (with --root R below a folder of its own):
  $ npx patchbay host &
  $ npx patchbay install
  $ npx patchbay status

Exit codes: 0 done, 1 failed or something found, 2 wrong usage, 3 host not reachable.`;

/** A refusal of the operating system: its message names operation and path. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && "code" in error;
}
