import { type Command, InvalidArgumentError, Option } from "commander";
import type { Event__Output } from "../rpc/generated/patchbay/host/v1/Event.ts";
import {
  type CliContext,
  type CommonOptions,
  hostNotRunning,
  withCommonOptions,
  withHost,
} from "./context.ts";
import { formatTime } from "./format.ts";
import { sanitize } from "./output.ts";

interface EventsOptions extends CommonOptions {
  readonly last: number;
  readonly follow?: true;
}

export function addEventsCommand(program: Command, context: CliContext): void {
  const command = program
    .command("events")
    .description("show the host's last events, oldest first")
    .option("--follow", "then show new ones, until interrupted")
    .addOption(
      new Option("--last <count>", "how many of the last events").argParser(parseCount).default(50),
    )
    .addHelpText("after", "\nJSON: one object a line.");
  withCommonOptions(command).action(async () => {
    const { root, json, last, follow } = command.opts<EventsOptions>();
    await withHost(context, { root, what: "read the events" }, async (host) => {
      for await (const event of host.watchEvents({ last, follow: follow === true })) {
        if (json) context.output.jsonLine(event);
        else printEvent(context, event);
      }
      if (follow) throw hostNotRunning(root);
    });
  });
}

function printEvent({ output }: CliContext, event: Event__Output): void {
  const kind = event.kind.endsWith("-failed")
    ? output.style("red", sanitize(event.kind))
    : output.style("bold", sanitize(event.kind));
  const time = output.style("dim", formatTime(event.timeMs));
  output.line(`${time}  ${kind}  ${sanitize(event.subject)}  ${sanitize(event.message)}`);
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number.");
}
