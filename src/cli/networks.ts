import type { Command } from "commander";
import type { NetworkDefinitionView__Output } from "../rpc/generated/patchbay/host/v1/NetworkDefinitionView.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { sanitize } from "./output.ts";
import { printTable, troubleColumn } from "./table.ts";

interface NetworksOptions extends CommonOptions {
  readonly namespace: string;
}

export function addNetworksCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("networks")
    .description("list the networks that pods may ask for, and what is wrong with them")
    .option("--namespace <name>", "only of this namespace", "");
  withCommonOptions(command)
    .addHelpText(
      "after",
      `
Exit code 1 when one of them cannot be used, or when something of the manifests cannot be read.

Examples:
  $ npx patchbay networks
  $ npx patchbay networks --json | jq '.definitions[] | select(.problem != "")'`,
    )
    .action(async () => {
      const { root, json, namespace } = command.opts<NetworksOptions>();
      const { definitions, problems } = await withHost(
        context,
        { root, what: "list networks" },
        (host) => host.listNetworkDefinitions({ namespace }),
      );
      const isBad = problems.length > 0 || definitions.some(({ problem }) => problem !== "");
      if (isBad) setExitCode(EXIT.failure);
      if (json) {
        context.output.json({ definitions, problems });
        return;
      }
      printTable(
        context.output,
        [
          { title: "NETWORK", value: (definition) => definition.network },
          {
            title: "PLUGIN",
            value: ({ plugin, cniTypes }) =>
              cniTypes.length === 0 ? plugin : `${plugin} (${cniTypes.join(", ")})`,
          },
          { title: "PODS", value: ({ attachments }) => String(attachments), align: "right" },
          { title: "FROM", value: ({ place }) => place },
          troubleColumn<NetworkDefinitionView__Output>(
            ({ problem }) => problem,
            ({ warnings: { length } }) =>
              length === 0 ? "" : `ok, ${formatNumber(length, "warning")}`,
          ),
        ],
        definitions,
      );
      printBelow(context, [
        ...definitions.flatMap(({ network, warnings }) =>
          warnings.map((warning) => ({ text: `${network}: ${warning}`, style: "yellow" as const })),
        ),
        ...problems.map((text) => ({ text, style: "red" as const })),
      ]);
    });
}

function printBelow(
  { output }: CliContext,
  lines: readonly { readonly text: string; readonly style: "red" | "yellow" }[],
): void {
  if (lines.length > 0) output.line();
  for (const { text, style } of lines) output.line(output.style(style, sanitize(text)));
}
