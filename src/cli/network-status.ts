import type { Command } from "commander";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { printTable } from "./table.ts";

/** An element of the annotation, as far as the table shows it. */
interface StatusElement {
  readonly name: string;
  readonly interface: string;
  readonly ips?: readonly string[];
  readonly mac?: string;
  readonly default?: boolean;
  readonly "default-route"?: readonly string[];
}

export function addNetworkStatusCommand(program: Command, context: CliContext): void {
  const command = program
    .command("network-status")
    .argument("[pod]", "namespace/name, or the beginning of a container id; absent: all pods")
    .description("show what networks pods have: the annotation k8s.v1.cni.cncf.io/network-status");
  withCommonOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay network-status default/web-1
  $ npx patchbay network-status default/web-1 --json | jq '.pods[0].networkStatus'`,
    )
    .action(async (pod = "") => {
      const { root, json } = command.opts<CommonOptions>();
      const what = pod === "" ? "show the pods' networks" : `show the networks of ${pod}`;
      const answer = await withHost(context, { root, what }, (host) =>
        host.getNetworkStatus({ pod }),
      );
      const pods = answer.pods.map(({ networkStatusJson, ...rest }) => ({
        ...rest,
        networkStatus: JSON.parse(networkStatusJson) as StatusElement[],
      }));
      if (json) {
        context.output.json({ pods });
        return;
      }
      const rows = pods.flatMap((each) =>
        each.networkStatus.map((element) => ({ pod: each.pod, ...element })),
      );
      printTable(
        context.output,
        [
          { title: "POD", value: (row) => row.pod },
          { title: "IFNAME", value: (row) => row.interface },
          { title: "NETWORK", value: (row) => (row.default ? `${row.name} (default)` : row.name) },
          { title: "ADDRESSES", value: (row) => (row.ips ?? []).join(", ") },
          { title: "MAC", value: (row) => row.mac ?? "" },
          { title: "DEFAULT ROUTE", value: (row) => (row["default-route"] ?? []).join(", ") },
        ],
        rows,
      );
    });
}
