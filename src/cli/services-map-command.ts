import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type CliContext, type CommonOptions, withHost } from "./context.ts";
import { CliError, EXIT, whyRefused } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { sanitize } from "./output.ts";
import { placeFile } from "./place-file.ts";
import { noSuchService } from "./services-list.ts";
import { drawServices } from "./services-map.ts";
import { withServicesOptions } from "./services-options.ts";

interface MapOptions extends CommonOptions {
  readonly output?: string;
  readonly out?: string;
}

export function addServicesMapCommand(services: Command, context: CliContext): void {
  const command = services
    .command("map")
    .argument("[service]", "NAMESPACE/NAME, or the beginning of one; absent: all")
    .description("draw frontends, lists of endpoints and endpoints by node, as an SVG")
    .option("-o, --output <file>", "write to this file; absent: standard output")
    .addOption(new Option("--out <file>").hideHelp().conflicts("output"))
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay services map -o services.svg
  $ npx patchbay services map default/ > default.svg`,
    );
  withServicesOptions(command, { json: false }).action(async (service = "") => {
    const { root, out, output = out } = command.optsWithGlobals<MapOptions>();
    const { services: views, unserved } = await withHost(
      context,
      { root, what: "draw the Services" },
      (host) => host.listServices({ service }),
    );
    if (service !== "" && views.length === 0) {
      const [first] = unserved;
      if (first !== undefined) throw new CliError(`Nothing to draw of ${first}`);
      throw noSuchService(service);
    }
    const svg = drawServices(views);
    if (output === undefined) {
      context.output.line(svg.trimEnd());
      return;
    }
    try {
      placeFile(resolve(output), Buffer.from(svg), 0o644);
    } catch (cause) {
      throw new CliError(`Cannot write ${output}: ${whyRefused(cause)}`, EXIT.failure, { cause });
    }
    context.output.line(sanitize(`Drew ${formatNumber(views.length, "Service")}: ${output}`));
  });
}
