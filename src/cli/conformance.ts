import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { HOST_VERSION } from "../plugin-host/version.ts";
import { matrixPrinter, writeReport } from "./conformance-report.ts";
import { readJsonOption } from "./json-option.ts";
import type { CliContext } from "./context.ts";
import { CliError, EXIT, messageOf } from "./failure.ts";

interface ConformanceCommandOptions {
  readonly socket?: string;
  readonly network: string;
  readonly config: string;
  readonly invalidConfig?: string;
  readonly addresses: string;
  readonly attachments: number;
  readonly start?: string;
  readonly startArg: readonly string[];
  readonly only?: readonly string[];
  readonly listRules?: true;
  readonly json?: string;
  readonly timeout: number;
  readonly netnsDir: string;
}

export function addConformanceCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("conformance")
    .description("hold a network plugin against the contract, in namespaces of its own")
    .option("--socket <path>", "where the plugin listens")
    .option("--config <json>", "the network's configuration: JSON, or a file of it", "{}")
    .option("--invalid-config <json>", "one that the plugin must refuse, with one key changed")
    .option("--network <name>", "name of the network", "conformance")
    .option(
      "--addresses <subnets>",
      'a subnet of each family to give addresses from; "none": the plugin has an IPAM of its own',
      "10.251.0.0/24,fd00:251::/64",
    )
    .addOption(
      new Option("--attachments <count>", "how many the network can have at once")
        .argParser(parseCount)
        .default(20),
    )
    .option("--start <command>", "start the plugin by this, and kill and restart it for some rules")
    .option("--start-arg <argument>", "one of its arguments; may be repeated", collect, [])
    .option("--only <rule>", "only this, with those it comes after; may be repeated", collect)
    .option("--list-rules", "show the rules and end")
    .option("--json <file>", 'write the results as JSON; "-": instead of the matrix')
    .addOption(
      new Option("--timeout <seconds>", "longest answer to one call")
        .argParser(parseCount)
        .default(10),
    )
    .option("--netns-dir <dir>", "folder for the pods' network namespaces", "/run/netns")
    .addHelpText("after", examples)
    .action(async () => {
      const options = command.opts<ConformanceCommandOptions>();
      if (options.listRules) await listRules(context);
      else if (options.socket === undefined) {
        throw new CliError("Nothing to test: --socket says where the plugin listens", EXIT.usage);
      } else await test(context, { ...options, socket: options.socket }, setExitCode);
    });
}

const examples = `
Runs in the network namespace that the plugin lives in, as root. Rules that look at the node take
every link that comes meanwhile for the plugin's: use a namespace where nothing else happens.

Examples:
  # unshare --net npx patchbay conformance --socket /tmp/p.sock --start ./my-plugin \\
      --start-arg --socket --start-arg /tmp/p.sock --json results.json
  # npx patchbay conformance --socket /run/patchbay/plugins/my-plugin.sock --only detach-id-only

Exit codes: 0 every rule passes or is skipped, 1 a rule fails, 2 wrong usage, 3 nobody answers on the socket.`;

async function listRules({ output }: CliContext): Promise<void> {
  const { RULE_GROUPS } = await import("../conformance/rules.ts");
  for (const { name, rules } of RULE_GROUPS) {
    output.line(output.style("bold", name));
    for (const { id, sentence } of rules) output.line(`  ${id.padEnd(26)} ${sentence}`);
  }
}

async function test(
  context: CliContext,
  options: ConformanceCommandOptions & { readonly socket: string },
  setExitCode: (code: number) => void,
): Promise<void> {
  const { network, timeout, attachments, only, netnsDir, json } = options;
  const config = readJsonOption("--config", options.config);
  const invalidConfig =
    options.invalidConfig === undefined
      ? undefined
      : readJsonOption("--invalid-config", options.invalidConfig);
  const { runConformance, withPrerequisites } = await import("../conformance/run.ts");
  const { parsePools } = await import("../conformance/pools.ts");
  const { launchCommand } = await import("../conformance/plugin-process.ts");
  const { removeStaleNamespaces, runIdOf } = await import("../conformance/stale.ts");
  const { openKernel } = await import("../kernel/rtnetlink-kernel.ts");
  const pools = inUsage("--addresses", () => parsePools(options.addresses));
  inUsage("--only", () => withPrerequisites(only));

  const netnsFolder = resolve(netnsDir);
  await mkdir(netnsFolder, { recursive: true });
  const kernel = await openKernel();
  const interrupt = abortOnSignals();
  const printer = json === "-" ? undefined : matrixPrinter(context.output);
  try {
    await removeStaleNamespaces(kernel, netnsFolder);
    const report = await runConformance({
      socket: resolve(options.socket),
      hostVersion: HOST_VERSION,
      timeoutMs: timeout * 1000,
      ...(options.start === undefined
        ? {}
        : { launcher: launchCommand(options.start, options.startArg) }),
      kernel,
      network,
      config,
      ...(invalidConfig ? { invalidConfig } : {}),
      pools,
      attachmentsMax: attachments,
      netnsFolder,
      runId: runIdOf(process.pid),
      ...(only ? { only } : {}),
      ...(printer ? { onResult: (result) => printer.row(result) } : {}),
      signal: interrupt.signal,
    });
    printer?.end(report);
    if (json !== undefined)
      writeReport(context.output, json, { report, network, socket: options.socket });
    if (report.results.some(({ result }) => result === "fail")) setExitCode(EXIT.failure);
  } catch (error) {
    throw toCliError(error);
  } finally {
    interrupt.forget();
    await kernel.close();
  }
}

function toCliError(error: unknown): unknown {
  if (error instanceof CliError || !(error instanceof Error)) return error;
  const text = `Cannot test the plugin: ${messageOf(error)}`;
  const cause = { cause: error };
  switch (error.name) {
    case "PluginUnreachable":
      return new CliError(text, EXIT.hostNotReachable, cause);
    case "PluginError":
      return new CliError(text, EXIT.failure, cause);
    case "KernelError":
      return new CliError(`${text}: it needs the rights of root`, EXIT.failure, cause);
    case "AbortError":
      return new CliError("Interrupted: what was made is removed", EXIT.failure, cause);
    default:
      return error;
  }
}

/** The first SIGINT or SIGTERM ends the run behind the rule under way; the second one ends the process. */
function abortOnSignals(): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) process.once(name, abort);
  return {
    signal: controller.signal,
    forget() {
      for (const name of signals) process.off(name, abort);
    },
  };
}

function inUsage<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new CliError(`${option}: ${messageOf(error)}`, EXIT.usage, { cause: error });
  }
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text) || count < 1)
    throw new InvalidArgumentError("It must be a number from 1.");
  return count;
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
