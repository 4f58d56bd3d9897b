import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { pathsBelow } from "../plugin-host/paths.ts";
import { CONFLIST_FILE, parseConflist, SHIM_FILE } from "./conflist.ts";
import type { Finding } from "./doctor.ts";
import { messageOf } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { findForeignLeases } from "./host-local-leases.ts";
import { DEFAULT_CNI_BIN_DIR, DEFAULT_CNI_CONF_DIR } from "./install.ts";
import { findAbandoned } from "./place-file.ts";

/** Where to look. All paths absolute. */
export interface MachinePlaces {
  readonly root: string;
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly packageFolder: string;
  /** The host that runs there has a cluster. */
  readonly hasCluster?: boolean;
}

// Where the kernel's own words stand. NFT_MSG batches, addr_gen_mode and IFLA_NET_NS_FD are all older.
const kernelWanted = [5, 4] as const;

/** What can be seen without the host: the kernel, sysctls, sockets, what is installed, leftovers. */
export function examineMachine(places: MachinePlaces): Finding[] {
  return [
    examineUser(),
    examineKernel(release()),
    ...examineSysctls(),
    examineNft(),
    examineRunFolder(places),
    examineStateFolder(places),
    examineShim(places),
    examineConflist(places),
    examineJournal(places),
    ...examineLeftovers(places),
  ];
}

function examineUser(): Finding {
  if (process.getuid?.() === 0) return ok("user", "Running as root");
  return warning("user", "Not running as root: sockets and state cannot be read", "Run as root");
}

/** Exported for its test. */
export function examineKernel(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < kernelWanted[0] || (major === kernelWanted[0] && minor < kernelWanted[1]);
  if (!isOld) return ok("kernel", `Linux ${version}`);
  const wanted = kernelWanted.join(".");
  return error(
    "kernel",
    `Linux ${version} is older than ${wanted}`,
    `Boot a kernel of ${wanted} or later`,
  );
}

/** Sysctls of this network namespace. The host sets what its networks need when they are first used. */
function examineSysctls(): Finding[] {
  return [
    expectSysctl("ip-forward-v4", "net/ipv4/ip_forward", "1"),
    expectSysctl("ip-forward-v6", "net/ipv6/conf/all/forwarding", "1"),
    examineReversePath(),
    examineIpv6(),
  ];
}

function expectSysctl(check: string, path: string, wanted: string): Finding {
  const name = path.replaceAll("/", ".");
  const value = readSysctl(path);
  if (value === wanted) return ok(check, `${name} is ${wanted}`);
  const message = `${name} is ${value ?? "not there"}: packets of pods do not leave the node`;
  const remedy = `The host sets it with the first pod; to have it at once: sysctl -w ${name}=${wanted}`;
  return warning(check, message, remedy);
}

function examineReversePath(): Finding {
  const value = readSysctl("net/ipv4/conf/all/rp_filter");
  if (value !== "1")
    return ok("rp-filter", `net.ipv4.conf.all.rp_filter is ${value ?? "not there"}`);
  return warning(
    "rp-filter",
    "net.ipv4.conf.all.rp_filter is 1 (strict): answers that take another way are dropped",
    "Only where a node has several ways out: sysctl -w net.ipv4.conf.all.rp_filter=2",
  );
}

function examineIpv6(): Finding {
  const value = readSysctl("net/ipv6/conf/all/disable_ipv6");
  if (value === "0") return ok("ipv6", "IPv6 is on");
  return warning(
    "ipv6",
    value === undefined ? "The kernel has no IPv6" : "net.ipv6.conf.all.disable_ipv6 is 1",
    "Switch it on, or install with --ipv6-range none",
  );
}

function examineNft(): Finding {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  const found = folders.map((folder) => join(folder, "nft")).find((file) => canRun(file));
  if (found) return ok("nft", `${found} is there`);
  return error(
    "nft",
    "There is no nft: networks with ipMasq cannot be set up",
    "Debian and Ubuntu: apt-get install nftables; or install with --no-ip-masq",
  );
}

function examineRunFolder(places: MachinePlaces): Finding {
  const { runDir, shimSocket, hostSocket } = pathsBelow(places.root);
  if (!existsSync(runDir))
    return ok("sockets", `${runDir} is not there: no host has run since the start`);
  const { mode, uid } = statSync(runDir);
  if ((mode & 0o077) !== 0) {
    const message = `${runDir} is open to others (mode ${(mode & 0o777).toString(8)})`;
    return error("sockets", message, `chmod 700 ${runDir}`);
  }
  if (uid !== (process.getuid?.() ?? uid)) {
    return warning("sockets", `${runDir} belongs to user ${uid}`, "Run as that user");
  }
  const missing = [shimSocket, hostSocket].filter((socket) => !existsSync(socket));
  if (missing.length === 0) return ok("sockets", `${shimSocket} and ${hostSocket} are there`);
  return warning(
    "sockets",
    `${missing.join(" and ")} not there`,
    `Start the host: \`npx patchbay host${rootFlag(places.root)}\``,
  );
}

function examineStateFolder(places: MachinePlaces): Finding {
  const { stateDir } = pathsBelow(places.root);
  if (!existsSync(stateDir)) return ok("state", `${stateDir} is not there: no host has run`);
  try {
    accessSync(stateDir, constants.R_OK | constants.W_OK);
    return ok("state", `${stateDir} can be written`);
  } catch (cause) {
    const remedy = "Make its file system writable, or run as root";
    return error("state", `${stateDir} cannot be written: ${messageOf(cause)}`, remedy);
  }
}

function examineShim(places: MachinePlaces): Finding {
  const { cniBinDir, packageFolder } = places;
  const installed = join(cniBinDir, SHIM_FILE);
  const built = join(packageFolder, "build/cni", SHIM_FILE);
  const remedy = `Run ${installCommand(places)}`;
  if (!existsSync(installed)) {
    const elsewhere = "or name the folder that it is in with --cni-bin-dir";
    return warning("shim", `${installed} is not there`, `${remedy}, ${elsewhere}`);
  }
  if (!canRun(installed))
    return error("shim", `${installed} cannot be run`, `chmod 755 ${installed}`);
  if (existsSync(built) && !readFileSync(built).equals(readFileSync(installed))) {
    return warning("shim", `${installed} is not the shim built here`, remedy);
  }
  return ok("shim", `${installed} is there`);
}

function examineConflist(places: MachinePlaces): Finding {
  const { cniConfDir, root } = places;
  const file = join(cniConfDir, CONFLIST_FILE);
  if (!existsSync(file)) {
    const elsewhere = "or name the folder that it is in with --cni-conf-dir";
    const remedy = `Run ${installCommand(places)}, ${elsewhere}`;
    return warning("conflist", `${file} is not there`, remedy);
  }
  const before = readdirSync(cniConfDir)
    .filter((name) => /\.(conf|conflist|json)$/.test(name) && name < CONFLIST_FILE)
    .map((name) => join(cniConfDir, name));
  if (before.length > 0) {
    return error(
      "conflist",
      `Runtimes take ${before.join(", ")} before ${file}`,
      "Remove or rename it",
    );
  }
  try {
    const { plugin } = parseConflist(readFileSync(file, "utf8"), file);
    const found = plugin?.["root"] ?? "/";
    if (plugin !== undefined && found === root) return ok("conflist", `${file} is there`);
    const message = plugin
      ? `${file} is for root ${JSON.stringify(found)}`
      : `${file} is another plugin's`;
    return error("conflist", message, `Run ${installCommand(places)}`);
  } catch (cause) {
    return error(
      "conflist",
      messageOf(cause),
      `Correct it, or remove it and run ${installCommand(places)}`,
    );
  }
}

function examineJournal({ root }: MachinePlaces): Finding {
  const { delJournal } = pathsBelow(root);
  const entries = listIfThere(delJournal).filter((name) => !name.startsWith("."));
  if (entries.length === 0) return ok("shim-journal", "No DEL was written while the host was down");
  return warning(
    "shim-journal",
    `${formatNumber(entries.length, "DEL")} in ${delJournal} came while the host was down`,
    "The host carries them out when it runs",
  );
}

/** What another CNI plugin or a killed installation left. */
function examineLeftovers(places: MachinePlaces): Finding[] {
  const { cniBinDir, cniConfDir, root } = places;
  const findings: Finding[] = [];
  const abandoned = [join(cniBinDir, SHIM_FILE), join(cniConfDir, CONFLIST_FILE)].flatMap(
    findAbandoned,
  );
  if (abandoned.length > 0) {
    const message = `An installation was interrupted: ${abandoned.join(", ")}`;
    findings.push(warning("abandoned-files", message, `Run ${installCommand(places)}`));
  }
  const hostLocal = "/var/lib/cni/networks";
  const networks = findForeignLeases({ hostLocal, cniExec: pathsBelow(root).cniExec });
  if (networks.length > 0) {
    findings.push(
      warning(
        "host-local",
        `host-local holds leases of ${networks.join(", ")} in ${hostLocal} that no pod of this host has`,
        "Leave them where another CNI runtime still serves the network. Otherwise adopt them: `npx patchbay ipam import-host-local --help`; or remove them when their pods are gone",
      ),
    );
  }
  return findings.length > 0 ? findings : [ok("leftovers", "Nothing was left behind")];
}

/** The command that installs at these very places, not at the machine's own. A conflist that is there says itself of which network. */
function installCommand({ root, cniBinDir, cniConfDir, hasCluster }: MachinePlaces): string {
  const isNew = !existsSync(join(cniConfDir, CONFLIST_FILE));
  const kubernetes = hasCluster && isNew ? " --kubernetes" : "";
  const binDir = cniBinDir === DEFAULT_CNI_BIN_DIR ? "" : ` --cni-bin-dir ${cniBinDir}`;
  const confDir = cniConfDir === DEFAULT_CNI_CONF_DIR ? "" : ` --cni-conf-dir ${cniConfDir}`;
  return `\`npx patchbay install${kubernetes}${rootFlag(root)}${binDir}${confDir}\``;
}

function rootFlag(root: string): string {
  return root === "/" ? "" : ` --root ${root}`;
}

function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(join("/proc/sys", path), "utf8").trim();
  } catch {
    return undefined;
  }
}

function listIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ok(check: string, message: string): Finding {
  return { check, severity: "ok", message, remedy: "" };
}

function warning(check: string, message: string, remedy: string): Finding {
  return { check, severity: "warning", message, remedy };
}

function error(check: string, message: string, remedy: string): Finding {
  return { check, severity: "error", message, remedy };
}
