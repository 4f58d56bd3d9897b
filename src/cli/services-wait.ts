import type { WaitProgrammedResponse__Output } from "../rpc/generated/patchbay/host/v1/WaitProgrammedResponse.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CliContext, type CommonOptions, withHost } from "./context.ts";
import { CliError, messageOf } from "./failure.ts";
import { CLI_LIMITS } from "./limits.ts";
import { sanitize } from "./output.ts";
import { withServicesOptions } from "./services-options.ts";

const defaultTimeoutSeconds = 10;
const maximumTimeoutSeconds = 60;

interface WaitOptions extends CommonOptions {
  readonly revision: number;
  readonly timeout: number;
}

export function addServicesWaitCommand(services: Command, context: CliContext): void {
  const command = services
    .command("wait")
    .argument("[service]", "NAMESPACE/NAME, whose newest revision is waited for; absent: all")
    .description("wait until the data planes of this node have programmed a revision")
    .addOption(
      new Option("--revision <number>", "wait for this one; 0 for the newest of the moment")
        .argParser(parseRevision)
        .default(0),
    )
    .addOption(
      new Option("--timeout <seconds>", `longest wait, up to ${maximumTimeoutSeconds}`)
        .argParser(parseTimeout)
        .default(defaultTimeoutSeconds),
    )
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay services wait default/web --timeout 30
  $ npx patchbay services wait --revision "$(npx patchbay services apply -f web.json --json | jq .revision)"

The built-in data plane is always waited for, a third party's while it is up: others are named.
Exit code 1 when it is not programmed in time.`,
    );
  withServicesOptions(command).action(async (service = "") => {
    const { root, json, revision, timeout } = command.optsWithGlobals<WaitOptions>();
    const wanted = revision > 0 ? `revision ${revision}` : "the newest revision";
    const what = `wait for ${wanted}${service === "" ? "" : ` of ${service}`}`;
    const timeoutMs = Math.ceil(timeout * 1000);
    // The host answers when its own deadline comes: this one is for a host that hangs.
    const hangMs = timeoutMs + CLI_LIMITS.callMs;
    const startedMs = context.now();
    const answer = await withHost(context, { root, what, timeoutMs: hangMs }, async (host) => {
      try {
        return await host.waitProgrammed({ revision, service, timeoutMs });
      } catch (error) {
        const isOwn = context.now() - startedMs >= hangMs;
        if (!isDeadlineExceeded(error) || isOwn) throw error;
        throw new CliError(`Cannot ${what} any longer: ${messageOf(error)}`, 1, { cause: error });
      }
    });
    if (json) context.output.json(answer);
    else printAnswer(context, answer);
  });
}

function printAnswer(
  { output }: CliContext,
  { revision, leftOut }: WaitProgrammedResponse__Output,
): void {
  output.line(`Revision ${revision} is programmed`);
  for (const plane of leftOut) output.line(`Not waited for: ${sanitize(plane)}`);
}

function isDeadlineExceeded(error: unknown): boolean {
  const cause =
    error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === grpcDeadlineExceeded;
}

const grpcDeadlineExceeded = 4;

function parseRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number.");
}

function parseTimeout(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,2}(\.\d{1,3})?$/.test(text) && seconds > 0 && seconds <= maximumTimeoutSeconds) {
    return seconds;
  }
  throw new InvalidArgumentError(`It must be seconds, up to ${maximumTimeoutSeconds}.`);
}
