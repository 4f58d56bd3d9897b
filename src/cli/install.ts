import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_SUBNET4, DEFAULT_SUBNET6 } from "../ipam/config.ts";
import { NODE_RANGES } from "../plugin-host/cni/node-ranges.ts";
import {
  CONFLIST_FILE,
  type Conflist,
  formatConflist,
  hasNodeRanges,
  parseConflist,
  SHIM_FILE,
  subnetsOf,
} from "./conflist.ts";
import { type CliContext, type CommonOptions, withCommonOptions } from "./context.ts";
import { CliError, EXIT } from "./failure.ts";
import { findAbandoned, placeFile } from "./place-file.ts";

export const DEFAULT_CNI_BIN_DIR = "/opt/cni/bin";
export const DEFAULT_CNI_CONF_DIR = "/etc/cni/net.d";

interface InstallOptions extends CommonOptions {
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly plugin: string;
  readonly mtu?: number;
  readonly ipv4Range: string;
  readonly ipv6Range: string;
  readonly ipMasq: boolean;
  readonly kubernetes?: true;
  readonly name: string;
  readonly shim?: string;
  readonly dryRun?: true;
}

/** Options that describe the network: given one of them, a conflist that is there is replaced. */
const networkOptions = ["plugin", "mtu", "ipv4Range", "ipv6Range", "ipMasq", "kubernetes", "name"];
const rangeOptions = { ipv4Range: "--ipv4-range", ipv6Range: "--ipv6-range" };

export function addInstallCommand(program: Command, context: CliContext): void {
  const command = program
    .command("install")
    .description("put the shim and, last, the conflist where the container runtime looks")
    .addOption(cniBinDirOption())
    .addOption(cniConfDirOption())
    .option("--name <name>", "name of the network", "patchbay")
    .addOption(
      new Option("--plugin <name>", "how pods are connected")
        .choices(["routed", "bridge"])
        .default("routed"),
    )
    .addOption(
      new Option("--mtu <bytes>", "MTU of pods (default: the plugin's choice)").argParser(parseMtu),
    )
    .option("--ipv4-range <cidr>", 'addresses of pods; "none" for IPv6 only', DEFAULT_SUBNET4)
    .option("--ipv6-range <cidr>", 'addresses of pods; "none" for IPv4 only', DEFAULT_SUBNET6)
    .option("--kubernetes", "addresses of pods are the Node object's (spec.podCIDRs)")
    .option("--no-ip-masq", "let pods' own addresses out of the node")
    .option("--shim <file>", "the shim to install (default: the one built here)")
    .option("--dry-run", "print what would be written and change nothing")
    .addHelpText(
      "after",
      `
Run again after an upgrade: the shim is replaced by rename, the conflist stays as it is unless an
option describes another network; then it is replaced by rename too. It is never absent in between.

Examples:
  $ npx patchbay install
  $ npx patchbay install --kubernetes     # beside \`patchbay host --kubernetes\`
  $ npx patchbay install --root R --cni-bin-dir B --cni-conf-dir C --plugin bridge --mtu 1450`,
    );
  withCommonOptions(command).action(() => {
    const options = command.opts<InstallOptions>();
    const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
    const describesNetwork = networkOptions.some(isGiven);
    for (const [name, option] of Object.entries(rangeOptions)) {
      if (options.kubernetes && isGiven(name)) refuseRange(option);
    }
    const plan = planInstall(context, options, describesNetwork);
    if (!options.dryRun) applyInstall(plan);
    report(context, plan, options);
  });
}

function refuseRange(option: string): never {
  const why = "with --kubernetes the Node object says which addresses pods get";
  throw new CliError(`${option} does not go with --kubernetes: ${why}`, EXIT.usage);
}

interface InstallPlan {
  readonly shimSource: string;
  readonly shimTarget: string;
  readonly conflistTarget: string;
  readonly conflist: string;
  readonly keepsConflist: boolean;
  readonly ranges: readonly string[];
  readonly usesDefaultPool: boolean;
  /** Conflists that a runtime would take first. */
  readonly before: readonly string[];
}

/** Decides everything before anything is written, so that what is wrong changes nothing. */
function planInstall(
  context: CliContext,
  options: InstallOptions,
  describesNetwork: boolean,
): InstallPlan {
  const root = resolve(options.root);
  const confDir = resolve(options.cniConfDir);
  const conflistTarget = join(confDir, CONFLIST_FILE);
  const ranges = options.kubernetes ? NODE_RANGES : chooseRanges(options);
  const { name, plugin, mtu, ipMasq } = options;
  const wanted = formatConflist({ name, root, plugin, mtu, ipMasq, ranges });
  const existing = existsSync(conflistTarget) ? readFileSync(conflistTarget, "utf8") : undefined;
  const keepsConflist =
    existing !== undefined && !describesNetwork && isFor(existing, conflistTarget, root);
  const conflist = keepsConflist ? existing : wanted;
  return {
    shimSource: findShim(context, options),
    shimTarget: join(resolve(options.cniBinDir), SHIM_FILE),
    conflistTarget,
    conflist,
    keepsConflist,
    ranges: rangesOf(parseConflist(conflist, conflistTarget)),
    usesDefaultPool:
      !keepsConflist &&
      ranges !== NODE_RANGES &&
      ranges.every((range) => [DEFAULT_SUBNET4, DEFAULT_SUBNET6].includes(range)),
    before: conflistsBefore(confDir),
  };
}

/** One range for each family that pods get. Throws CliError where nothing or the other family is given. */
function chooseRanges({ ipv4Range, ipv6Range }: InstallOptions): string[] {
  if (ipv4Range === "none" && ipv6Range === "none") {
    throw new CliError("--ipv4-range and --ipv6-range are both none: give one of them", EXIT.usage);
  }
  if (ipv4Range.includes(":")) {
    throw new CliError(`--ipv4-range ${ipv4Range} is IPv6: give it to --ipv6-range`, EXIT.usage);
  }
  if (ipv6Range.includes(".") && !ipv6Range.includes(":")) {
    throw new CliError(`--ipv6-range ${ipv6Range} is IPv4: give it to --ipv4-range`, EXIT.usage);
  }
  return [ipv4Range, ipv6Range].filter((range) => range !== "none");
}

/** Shim first, conflist last: the conflist is what makes a runtime call the shim. */
function applyInstall(plan: InstallPlan): void {
  for (const target of [plan.shimTarget, plan.conflistTarget]) {
    mkdirSync(join(target, ".."), { recursive: true });
    for (const abandoned of findAbandoned(target)) rmSync(abandoned, { force: true });
  }
  placeFile(plan.shimTarget, readFileSync(plan.shimSource), 0o755);
  if (!plan.keepsConflist) placeFile(plan.conflistTarget, Buffer.from(plan.conflist), 0o644);
}

function report({ output }: CliContext, plan: InstallPlan, options: InstallOptions): void {
  const { conflistTarget, shimTarget, shimSource } = plan;
  const isOfNode = plan.ranges.includes(NODE_RANGES);
  const ranges = isOfNode ? "the Node object (spec.podCIDRs)" : plan.ranges.join(" and ");
  if (options.json) {
    output.json({
      shim: shimTarget,
      conflist: conflistTarget,
      conflistKept: plan.keepsConflist,
      ranges: plan.ranges,
      before: plan.before,
      dryRun: options.dryRun ?? false,
      content: JSON.parse(plan.conflist) as unknown,
    });
    return;
  }
  const would = options.dryRun ? "Would install" : "Installed";
  output.line(`${would} ${shimTarget} (from ${shimSource})`);
  if (plan.keepsConflist) output.line(`Kept ${conflistTarget} as it is`);
  else output.line(`${would} ${conflistTarget}`);
  if (options.dryRun) output.line(plan.conflist.trimEnd());
  const source = plan.usesDefaultPool
    ? ", the default pool: see --ipv4-range and --ipv6-range"
    : "";
  output.line(`Pods get addresses of ${ranges || "the default pool"}${source}`);
  for (const name of plan.before) {
    output.line(output.style("yellow", `Runtimes take ${name} first: remove or rename it`));
  }
}

/** True when the conflist is ours and its shim looks for the host below the same root. */
function isFor(text: string, file: string, root: string): boolean {
  const { plugin } = parseConflist(text, file);
  return plugin !== undefined && (plugin["root"] ?? "/") === root;
}

/** What a conflist says of addresses, for people. */
function rangesOf({ plugin }: Conflist): string[] {
  return hasNodeRanges(plugin) ? [NODE_RANGES] : subnetsOf(plugin);
}

function conflistsBefore(confDir: string): string[] {
  if (!existsSync(confDir)) return [];
  return readdirSync(confDir)
    .filter((name) => /\.(conf|conflist|json)$/.test(name) && name < CONFLIST_FILE)
    .toSorted()
    .map((name) => join(confDir, name));
}

function findShim({ packageFolder }: CliContext, options: InstallOptions): string {
  const file = resolve(options.shim ?? join(packageFolder, "build/cni", SHIM_FILE));
  if (existsSync(file)) return file;
  const remedy = options.shim ? "check --shim" : "build it with `npm run setup`";
  throw new CliError(`No shim at ${file}: ${remedy}`);
}

export function cniBinDirOption(): Option {
  return new Option("--cni-bin-dir <dir>", "where the runtime looks for CNI programs").default(
    DEFAULT_CNI_BIN_DIR,
  );
}

export function cniConfDirOption(): Option {
  return new Option("--cni-conf-dir <dir>", "where the runtime looks for conflists").default(
    DEFAULT_CNI_CONF_DIR,
  );
}

function parseMtu(text: string): number {
  const mtu = Number(text);
  if (/^\d{1,5}$/.test(text) && mtu >= 68 && mtu <= 65_535) return mtu;
  throw new InvalidArgumentError("It must be 68 to 65535.");
}
