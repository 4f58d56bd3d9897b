import type { Command } from "commander";
import type { PluginStatus__Output } from "../rpc/generated/patchbay/host/v1/PluginStatus.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
import { printTable, troubleColumn } from "./table.ts";

export function addPluginsCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("plugins")
    .description("show the plugins, built in and connected, and what is wrong with them");
  withCommonOptions(command)
    .addHelpText(
      "after",
      `
Exit code 1 when one of them cannot be called.

Examples:
  $ npx patchbay plugins
  $ npx patchbay plugins --json | jq '.plugins[] | select(.trouble != "")'`,
    )
    .action(async () => {
      const { root, json } = command.opts<CommonOptions>();
      const what = "ask for the plugins";
      const { plugins } = await withHost(context, { root, what }, (host) => host.getStatus());
      if (plugins.some(({ trouble }) => trouble !== "")) setExitCode(EXIT.failure);
      if (json) {
        context.output.json({ plugins });
        return;
      }
      printTable(
        context.output,
        [
          { title: "PLUGIN", value: (plugin) => plugin.name },
          { title: "VERSION", value: (plugin) => plugin.version },
          { title: "ROLES", value: (plugin) => plugin.roles.join(", ") },
          { title: "SOCKET", value: (plugin) => (plugin.builtIn ? "built in" : plugin.socket) },
          { title: "CAPABILITIES", value: (plugin) => plugin.capabilities.join(", ") },
          { title: "NETWORKS", value: (plugin) => plugin.networks.join(", ") },
          { title: "ATTACHMENTS", value: (plugin) => String(plugin.attachments), align: "right" },
          troubleColumn<PluginStatus__Output>(
            ({ trouble }) => trouble,
            ({ note }) => note,
          ),
        ],
        plugins,
      );
    });
}
