import type { Command } from "commander";
import { CliError, EXIT } from "./failure.ts";

/** Options of `services` itself, which commander takes anywhere on the line. */
export interface ServicesParentOptions {
  readonly watch?: true;
  readonly json?: true;
}

/** --root and --json stand with `services`, before or after the command below it; --watch does not go with it. */
export function withServicesOptions(command: Command, options: { json?: boolean } = {}): Command {
  return command
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (child) =>
        (child.parent?.options ?? []).filter(
          ({ long }) => long !== "--watch" && (options.json !== false || long !== "--json"),
        ),
    })
    .hook("preAction", () => {
      const { watch, json } = command.optsWithGlobals<ServicesParentOptions>();
      if (watch) refuse(command, "--watch");
      if (json && options.json === false) refuse(command, "--json");
    });
}

function refuse(command: Command, option: string): never {
  throw new CliError(`\`services ${command.name()}\` takes no ${option}`, EXIT.usage);
}
