import type { Command } from "commander";
import type { PluginStatus__Output } from "../rpc/generated/patchbay/host/v1/PluginStatus.ts";
import type { GetStatusResponse__Output } from "../rpc/generated/patchbay/host/v1/GetStatusResponse.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
import { formatDuration, formatNumber } from "./format.ts";
import { sanitize } from "./output.ts";
import { printKubernetes } from "./status-kubernetes.ts";
import { printTable, troubleColumn } from "./table.ts";

export function addStatusCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("status")
    .description("show whether the host serves pods, its networks, plugins and cluster");
  withCommonOptions(command)
    .addHelpText(
      "after",
      "\nExit code 1 when the host, one of its networks or the cluster's side is not ready.",
    )
    .action(async () => {
      const { root, json } = command.opts<CommonOptions>();
      const what = "ask for the host's state";
      const status = await withHost(context, { root, what }, (host) => host.getStatus());
      if (json) context.output.json(status);
      else printStatus(context, status);
      const isReady =
        status.ready &&
        status.networks.every((network) => network.ready) &&
        (status.kubernetes?.unready ?? "") === "";
      if (!isReady) setExitCode(EXIT.failure);
    });
}

function printStatus(context: CliContext, status: GetStatusResponse__Output): void {
  const { output, now } = context;
  const uptime = formatDuration(now() - status.startedMs);
  const state = status.ready
    ? output.style("green", "ready")
    : output.style("red", `not ready: ${sanitize(status.reason)}`);
  output.line(`Plugin host ${sanitize(status.version)}, pid ${status.pid}, up ${uptime}: ${state}`);
  const pending = status.journalPending;
  const journal = pending > 0 ? `; ${formatNumber(pending, "DEL")} in the journal` : "";
  output.line(`CNI calls: ${status.running} running, ${status.waiting} waiting${journal}`);
  if (status.kubernetes) printKubernetes(context, status.kubernetes);
  output.line();
  printTable(
    output,
    [
      { title: "NETWORK", value: (network) => network.name },
      { title: "PLUGIN", value: (network) => network.plugin },
      { title: "ATTACHMENTS", value: (network) => String(network.attachments), align: "right" },
      {
        title: "STATE",
        value: (network) => (network.ready ? "ready" : `not ready: ${network.reason}`),
        style: (network) => (network.ready ? "green" : "red"),
      },
    ],
    status.networks,
  );
  output.line();
  printTable(
    output,
    [
      { title: "PLUGIN", value: (plugin) => plugin.name },
      { title: "VERSION", value: (plugin) => plugin.version },
      { title: "KIND", value: (plugin) => (plugin.builtIn ? "built in" : "own process") },
      troubleColumn<PluginStatus__Output>(
        ({ trouble }) => trouble,
        ({ note }) => note,
      ),
    ],
    status.plugins,
  );
}
