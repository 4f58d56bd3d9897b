#!/usr/bin/env node
// Runs a command inside a private node: network, mount and pid namespaces of its own (and, without
// the rights of root, a user namespace), with an empty /run and throw-away layers over /etc,
// /var/lib and /opt. Nothing of the machine's own network or folders is touched, and when the
// command or this program ends, however it ends, the kernel removes everything.
// Plain JavaScript: runs on Node 20 before anything is installed.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = join(import.meta.dirname ?? fileURLToPath(new URL(".", import.meta.url)), "..");
const capSysAdmin = 21n;

const usage = `Usage: node scripts/private-node.js COMMAND [ARGUMENT...]

Runs COMMAND inside a private node. "node" is the pinned one of node_modules. Inside another
private node the command runs as it is.`;

/**
 * Runs a command inside a private node and resolves with its exit code (128 + number when a signal
 * ended it).
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdio?: import("node:child_process").StdioOptions,
 *   onSpawn?: (child: import("node:child_process").ChildProcess) => void }} [options]
 * @returns {Promise<number>}
 */
export async function runInPrivateNode(command, args, options = {}) {
  const env = privateEnvironment(options.env ?? process.env);
  const nested = env.PATCHBAY_PRIVATE_NODE === "1";
  const [file, fileArgs] = nested ? [command, [...args]] : unshareCommand(command, args);
  env.PATCHBAY_PRIVATE_NODE = "1";
  const child = spawn(file, fileArgs, { cwd: options.cwd, env, stdio: options.stdio ?? "inherit" });
  const stopForwarding = forwardSignals(child, nested);
  options.onSpawn?.(child);
  try {
    return await exitCodeOf(child);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    const remedy = nested ? "" : " (Debian: apt-get install util-linux)";
    throw new Error(`Cannot run ${file}: no such command${remedy}`, { cause: error });
  } finally {
    stopForwarding();
  }
}

/** The command that makes the namespaces, and in them the init that makes the mounts. */
function unshareCommand(command, args) {
  // --pdeathsig: should this process die without a word, unshare dies, and with it (--kill-child)
  // process 1 of the pid namespace, and with that everything in it.
  const file = "setpriv";
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const user = needsUserNamespace() ? ["--user", "--map-root-user"] : [];
  const unshare = ["unshare", ...user, ...namespaces, "--propagation", "private"];
  const init = ["sh", "-c", initScript, "private-node", command, ...args];
  return [file, ["--pdeathsig", "KILL", "--", ...unshare, "--", ...init]];
}

// Process 1 of the private node. A shell, because it must reap whatever is orphaned inside, and
// because it hands on signals: process 1 itself would ignore them.
// `env --default-signal` and descriptor 3: a shell's background command would ignore SIGINT for
// ever and read from /dev/null.
const initScript = `
set -e
fail() { echo "Cannot make a private node: $1" >&2; exit 125; }
mount -t tmpfs -o mode=755 tmpfs /run || fail "no tmpfs on /run"
mkdir -p /run/netns /run/lock /run/.layers
# The first "ip netns add" would mount it over itself with all that is mounted below: files of namespaces
# that are there by then could never be removed.
mount --bind /run/netns /run/netns || fail "no mount on /run/netns"
for folder in /etc /var/lib /opt; do
  [ -d "$folder" ] || continue
  layer="/run/.layers$folder"
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay -o "lowerdir=$folder,upperdir=$layer/upper,workdir=$layer/work" overlay "$folder" ||
    fail "no overlay on $folder (kernel 5.11 or later with overlayfs is needed)"
done
# /sys/class/net shows the namespace that sysfs was mounted in. Where a fresh one is refused, the old one stays.
mkdir /run/.sys
if mount -t sysfs sysfs /run/.sys 2>/dev/null; then
  [ ! -d /sys/fs/cgroup ] || mount --rbind /sys/fs/cgroup /run/.sys/fs/cgroup || fail "no cgroups"
  mount --move /run/.sys /sys || fail "no sysfs"
fi
rmdir /run/.sys
ip link set lo up || fail "no loopback (Debian: apt-get install iproute2)"
set +e
for signal in HUP INT QUIT TERM USR1 USR2; do
  trap "kill -$signal \\"\\$child\\" 2>/dev/null" $signal
done
exec 3<&0
env --default-signal=INT,QUIT "$@" <&3 3<&- &
child=$!
exec 3<&-
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || exit "$status"
done
`;

/** True when this process may not make a network namespace without a user namespace around it. */
function needsUserNamespace() {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return ((BigInt(`0x${effective ?? "0"}`) >> capSysAdmin) & 1n) === 0n;
}

/** PATH with the checkout's programs first, so that "node" is the pinned one. */
function privateEnvironment(env) {
  const bin = join(repository, "node_modules/.bin");
  const path = (env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    .split(delimiter)
    .filter((folder) => folder !== bin);
  // An unprivileged user's PATH often lacks the folders of ip and nft.
  for (const folder of ["/usr/sbin", "/sbin"]) if (!path.includes(folder)) path.push(folder);
  return { ...env, PATH: [bin, ...path].join(delimiter) };
}

/** Hands signals sent to this process on to the command. Returns what ends that. */
function forwardSignals(child, nested) {
  const handlers = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR2"].map((signal) => {
    const handler = () => {
      // A terminal sends SIGINT and SIGQUIT to the whole group: the command has it already.
      if (process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT")) return;
      const target = nested ? child.pid : findInit(child.pid);
      try {
        // Before process 1 is there, nothing can be in the middle of anything.
        if (target === undefined) child.kill("SIGKILL");
        else process.kill(target, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    };
    process.on(signal, handler);
    return [signal, handler];
  });
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** Process 1 of the private node by its number out here: unshare's only child. */
function findInit(unsharePid) {
  try {
    const children = readFileSync(`/proc/${unsharePid}/task/${unsharePid}/children`, "utf8");
    const first = children.trim().split(" ")[0];
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

function exitCodeOf(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** What to do when the kernel refuses namespaces; undefined when it does not seem to. */
function findRefusal() {
  const read = (name) => (existsSync(name) ? readFileSync(name, "utf8").trim() : "");
  if (!needsUserNamespace()) return undefined;
  if (read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return "AppArmor restricts user namespaces: run as root, or sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  }
  if (read("/proc/sys/kernel/unprivileged_userns_clone") === "0") {
    return "user namespaces are off: run as root, or sysctl kernel.unprivileged_userns_clone=1";
  }
  if (read("/proc/sys/user/max_user_namespaces") === "0") {
    return "user namespaces are off: run as root, or sysctl user.max_user_namespaces=10000";
  }
  return undefined;
}

async function main(argv) {
  const [command, ...args] = argv;
  if (command === undefined || command === "--help" || command === "-h") {
    console.error(usage);
    return command === undefined ? 2 : 0;
  }
  try {
    const code = await runInPrivateNode(command, args);
    const refusal = code === 1 || code === 125 ? findRefusal() : undefined;
    if (refusal) console.error(`Cannot make a private node: ${refusal}`);
    return code;
  } catch (error) {
    console.error(error.message);
    return 125;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
