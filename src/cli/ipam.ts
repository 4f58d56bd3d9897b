import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { IpamLease__Output } from "../rpc/generated/patchbay/host/v1/IpamLease.ts";
import type { IpamPool__Output } from "../rpc/generated/patchbay/host/v1/IpamPool.ts";
import { parseConflist } from "./conflist.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { CliError, messageOf } from "./failure.ts";
import { formatCount, formatDuration, formatNumber } from "./format.ts";
import { CLI_LIMITS } from "./limits.ts";
import { sanitize } from "./output.ts";
import { type Column, printTable } from "./table.ts";

export function addIpamCommand(program: Command, context: CliContext): void {
  const ipam = addShowCommand(program, context);
  addReleaseCommand(ipam, context);
  addImportCommand(ipam, context);
}

function addShowCommand(program: Command, context: CliContext): Command {
  const command = program
    .command("ipam")
    .argument("[network]", "only this network")
    .description("show the pools of addresses; release or import leases")
    .option("--leases", "show every address that is held or cooling")
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay ipam patchbay --leases
  $ npx patchbay ipam import-host-local /var/lib/cni/networks/cbr0 \\
      --network patchbay --conflist /etc/cni/net.d/10-patchbay.conflist --dry-run`,
    );
  withCommonOptions(command).action(async (network = "") => {
    const { root, json, leases = false } = command.opts<CommonOptions & { leases?: true }>();
    const { pools } = await withHost(context, { root, what: "show the pools" }, (host) =>
      host.showIpam({ network, leases }),
    );
    if (network !== "" && pools.length === 0) {
      throw new CliError(`No network ${network}: see \`patchbay status\` for those there are`);
    }
    if (json) context.output.json({ pools });
    else printPools(context, pools, leases);
  });
  return command;
}

function addReleaseCommand(ipam: Command, context: CliContext): void {
  const command = ipam
    .command("release")
    .argument("<attachment>", "id of the attachment, see `patchbay attachments`")
    .description(
      "release what an attachment holds although no DEL came; refused while its pod lives",
    );
  withParentOptions(command).action(async (attachmentId: string) => {
    const { root, json } = command.optsWithGlobals<CommonOptions>();
    const response = await withHost(context, { root, what: `release ${attachmentId}` }, (host) =>
      host.releaseIpam({ attachmentId }),
    );
    if (json) context.output.json(response);
    else context.output.line(sanitize(`Released ${response.addresses.join(", ") || "nothing"}`));
  });
}

/** --root and --json stand with `ipam`, before or after the command below it. */
function withParentOptions(command: Command): Command {
  return command.configureHelp({ showGlobalOptions: true });
}

interface ImportOptions extends CommonOptions {
  readonly network?: string;
  readonly conflist: string;
  readonly dryRun?: true;
}

function addImportCommand(ipam: Command, context: CliContext): void {
  const command = ipam
    .command("import-host-local")
    .argument("<dir>", "host-local's folder of one network, for example /var/lib/cni/networks/NAME")
    .description("adopt host-local's leases, so that a node is switched over with pods running")
    .requiredOption("--conflist <file>", "conflist of the network that adopts them")
    .option("--network <name>", "name of that network (default: the conflist's)")
    .option("--dry-run", "say what would be adopted and change nothing");
  withParentOptions(command).action(async (dir: string) => {
    const {
      root,
      json,
      network,
      conflist,
      dryRun = false,
    } = command.optsWithGlobals<ImportOptions>();
    const config = readPluginConfig(conflist, network);
    const request = {
      directory: resolve(dir),
      network: config.name,
      configJson: JSON.stringify(config),
      dryRun,
    };
    const call = { root, what: `import ${request.directory}`, timeoutMs: CLI_LIMITS.longCallMs };
    const response = await withHost(context, call, (host) => host.importHostLocal(request));
    if (json) {
      context.output.json(response);
      return;
    }
    printTable(context.output, leaseColumns(context.now()), response.adopted);
    for (const skipped of response.skipped) {
      context.output.line(context.output.style("yellow", `left alone: ${sanitize(skipped)}`));
    }
    const verb = dryRun ? "would be adopted" : "adopted";
    context.output.line(`${formatNumber(response.adopted.length, "lease")} ${verb}`);
  });
}

/** The plugin object of a conflist as a runtime hands it to the shim. */
function readPluginConfig(file: string, network: string | undefined): { name: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError(`Cannot read the conflist: ${messageOf(cause)}`, 1, { cause });
  }
  const conflist = parseConflist(text, file);
  if (!conflist.plugin) throw new CliError(`${file} has no plugin of type "patchbay"`);
  const name = network ?? conflist.name;
  return { cniVersion: conflist.cniVersion, ...conflist.plugin, name } as { name: string };
}

function printPools(
  context: CliContext,
  pools: readonly IpamPool__Output[],
  withLeases: boolean,
): void {
  const count = (title: string, key: "capacity" | "used" | "cooling" | "free") =>
    ({
      title,
      value: (pool) => formatCount(pool[key]),
      align: "right",
    }) satisfies Column<IpamPool__Output>;
  printTable(
    context.output,
    [
      { title: "NETWORK", value: (pool) => pool.network },
      { title: "FAMILY", value: (pool) => `IPv${pool.family}` },
      { title: "RANGES", value: (pool) => pool.ranges.map(({ subnet }) => subnet).join(", ") },
      count("USED", "used"),
      count("COOLING", "cooling"),
      count("FREE", "free"),
      count("OF", "capacity"),
    ],
    pools,
  );
  if (!withLeases) return;
  context.output.line();
  printTable(
    context.output,
    leaseColumns(context.now()),
    pools.flatMap(({ leases }) => leases),
  );
}

function leaseColumns(nowMs: number): readonly Column<IpamLease__Output>[] {
  return [
    { title: "ADDRESS", value: (lease) => lease.address },
    {
      title: "STATE",
      value: (lease) =>
        lease.coolingUntilMs > 0
          ? `${lease.state}, ${formatDuration(lease.coolingUntilMs - nowMs)} left`
          : lease.state,
    },
    { title: "ATTACHMENT", value: (lease) => lease.attachmentId },
    { title: "CONTAINER", value: (lease) => lease.containerId.slice(0, 12) },
    { title: "IFNAME", value: (lease) => lease.ifname },
    { title: "POD UID", value: (lease) => lease.podUid },
    { title: "SEQUENCE", value: (lease) => String(lease.sequence), align: "right" },
  ];
}
