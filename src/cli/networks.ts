import type { Command } from "commander";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
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
Exit code 1 when one of them cannot be used.

Examples:
  $ npx patchbay networks
  $ npx patchbay networks --json | jq '.definitions[] | select(.problem != "")'`,
    )
    .action(async () => {
      const { root, json, namespace } = command.opts<NetworksOptions>();
      const { definitions } = await withHost(context, { root, what: "list networks" }, (host) =>
        host.listNetworkDefinitions({ namespace }),
      );
      if (definitions.some(({ problem }) => problem !== "")) setExitCode(EXIT.failure);
      if (json) {
        context.output.json({ definitions });
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
          troubleColumn("problem"),
        ],
        definitions,
      );
    });
}
