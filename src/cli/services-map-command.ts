import { type Command, Option } from "commander";
import { type CliContext, type CommonOptions, withHost } from "./context.ts";
import { CliError } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { noSuchService } from "./services-list.ts";
import { drawServices } from "./services-map.ts";
import { withServicesOptions } from "./services-options.ts";
import { writePicture } from "./write-picture.ts";

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
    writePicture(context, { svg, file: output, what: formatNumber(views.length, "Service") });
  });
}
