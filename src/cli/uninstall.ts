import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { pathsBelow } from "../plugin-host/paths.ts";
import { CONFLIST_FILE, SHIM_FILE } from "./conflist.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { CliError, EXIT } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { cniBinDirOption, cniConfDirOption } from "./install.ts";
import { removeNodeTraces, removeServiceTables } from "./node-traces.ts";
import { findAbandoned, removeFile } from "./place-file.ts";

interface UninstallOptions extends CommonOptions {
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly force?: true;
  readonly purge?: true;
}

export function addUninstallCommand(program: Command, context: CliContext): void {
  const command = program
    .command("uninstall")
    .description("remove the conflist, then the shim; refused while attachments exist")
    .addOption(cniBinDirOption())
    .addOption(cniConfDirOption())
    .option("--force", "remove them although attachments exist: their pods keep their links")
    .option("--purge", "remove the state folder too; the host must have stopped")
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay uninstall                  # the state stays, for a later install
  $ npx patchbay uninstall --purge          # after the host has stopped`,
    );
  withCommonOptions(command).action(async () => {
    const options = command.opts<UninstallOptions>();
    const paths = pathsBelow(options.root);
    const attachments = await countAttachments(context, options.root);
    if (!options.force) refuseWhileUsed(attachments, paths);
    if (options.purge && attachments.kind === "host") {
      throw new CliError("Cannot purge: the plugin host is running: stop it first");
    }
    // The conflist first: without it no runtime calls the shim.
    const targets = [
      join(resolve(options.cniConfDir), CONFLIST_FILE),
      join(resolve(options.cniBinDir), SHIM_FILE),
    ] as const;
    const removed: string[] = [];
    if (!options.force) {
      removed.push(...(await removeNodeTraces(targets[0], context.openNode())));
      const tables = await removeServiceTables(context.openNode());
      // Nothing of an earlier host is left that the next one had to bring up to date.
      if (tables.length > 0) rmSync(paths.servicesMarker, { force: true });
      removed.push(...tables);
    }
    for (const target of targets) {
      for (const abandoned of findAbandoned(target)) rmSync(abandoned, { force: true });
      if (removeFile(target) === "removed") removed.push(target);
    }
    if (options.purge && existsSync(paths.stateDir)) {
      rmSync(paths.stateDir, { recursive: true });
      removed.push(paths.stateDir);
    }
    if (options.json) context.output.json({ removed });
    else printRemoved(context, removed);
  });
}

type AttachmentCount =
  | { readonly kind: "host"; readonly count: number }
  /** No host answers; only it can tell. */
  | { readonly kind: "unknown" };

async function countAttachments(context: CliContext, root: string): Promise<AttachmentCount> {
  try {
    const call = { root, what: "list attachments" };
    const attachments = await withHost(context, call, (host) => host.listAttachments({}));
    return { kind: "host", count: attachments.length };
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== EXIT.hostNotReachable) throw error;
    return { kind: "unknown" };
  }
}

function refuseWhileUsed(
  attachments: AttachmentCount,
  paths: { readonly database: string; readonly root: string },
): void {
  if (attachments.kind === "unknown") {
    // No state: no host ever ran here, so nothing can be attached.
    if (!existsSync(paths.database)) return;
    const remedy = `start it (\`npx patchbay host --root ${paths.root}\`) or use --force`;
    throw new CliError(
      `Cannot tell whether attachments exist: the plugin host is not running: ${remedy}`,
      EXIT.hostNotReachable,
    );
  }
  if (attachments.count === 0) return;
  const number = formatNumber(attachments.count, "attachment");
  throw new CliError(`Cannot uninstall: ${number} left: drain the node first, or use --force`);
}

function printRemoved({ output }: CliContext, removed: readonly string[]): void {
  if (removed.length === 0) output.line("Nothing to remove");
  for (const target of removed) output.line(`Removed ${target}`);
}
