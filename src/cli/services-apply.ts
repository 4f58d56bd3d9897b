import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type CliContext, type CommonOptions, withHost } from "./context.ts";
import { CliError, EXIT, whyRefused } from "./failure.ts";
import { sanitize } from "./output.ts";
import { parseServicesFile } from "./services-file.ts";
import { withServicesOptions } from "./services-options.ts";

const defaultSource = "cli";

interface ApplyOptions extends CommonOptions {
  readonly file: string;
  readonly source?: string;
  readonly replace?: true;
}

export function addServicesApplyCommand(services: Command, context: CliContext): void {
  const command = services
    .command("apply")
    .description("give the host frontends and endpoint groups; they stay until the host ends")
    .requiredOption(
      "-f, --file <file>",
      'JSON of one ApplyServicesRequest (proto/patchbay/host/v1/host.proto); "-": standard input',
    )
    .option(
      "--source <name>",
      `name of the set that it changes (default: the file's, or "${defaultSource}")`,
    )
    .option("--replace", "forget everything of this set that the file does not name")
    .addHelpText(
      "after",
      `
Examples:
  $ cat web.json
  {
    "put_groups": [{ "id": "web", "endpoints": [{ "address": "10.88.0.2", "ports": [{ "port": 8080 }] }] }],
    "put_frontends": [{ "id": "web", "kind": "clusterIP", "address": "10.96.0.10", "port": 80, "group": "web" }]
  }
  $ npx patchbay services apply -f web.json --source shop --replace
  $ make-services | npx patchbay services apply -f -
  $ npx patchbay services wait`,
    );
  withServicesOptions(command).action(async () => {
    const { root, json, file, source, replace } = command.optsWithGlobals<ApplyOptions>();
    const request = parseServicesFile(readText(file), file);
    const what = `apply ${file}`;
    const answer = await withHost(context, { root, what }, (host) =>
      host.applyServices({
        ...request,
        source: source ?? (request.source || defaultSource),
        replace: replace === true || request.replace === true,
      }),
    );
    if (json) context.output.json(answer);
    if (answer.error !== "") throw new CliError(`Cannot ${what}: ${answer.error}`);
    if (!json) context.output.line(sanitize(`Applied as revision ${answer.revision}`));
  });
}

function readText(file: string): string {
  try {
    // 0 is standard input.
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new CliError(`Cannot read ${file}: ${whyRefused(cause)}`, EXIT.failure, { cause });
  }
}
