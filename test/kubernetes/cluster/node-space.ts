import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ADDRESSES } from "./addresses.ts";

const run = promisify(execFile);
const LIMIT_MS = 20_000;
const bootId = "/proc/sys/kernel/random/boot_id";
/** Of the veth pair: on the node, and on the machine that runs the tests. */
const uplink = "uplink0";
const outside = "outside0";

/**
 * What kubelet would write into the machine's kernel: it finds the values there already, in files that
 * lie over them. (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables)
 */
const tunables = {
  "vm/overcommit_memory": 1,
  "vm/panic_on_oom": 0,
  "kernel/panic": 10,
  "kernel/panic_on_oops": 1,
  "kernel/keys/root_maxkeys": 1_000_000,
  "kernel/keys/root_maxbytes": 25_000_000,
};

/**
 * The part of a node that a boot makes: its network namespace with an uplink to the namespace of this
 * process, which is "outside"; its view of /sys; its boot id. Only inside a private node.
 */
export class NodeSpace {
  readonly #folder: string;
  /** Mounts that stay over a reboot. */
  readonly #lasting: string[] = [];
  #boots = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Path of the node's network namespace. */
  get netns(): string {
    return join(this.#folder, `netns-${this.#boots}`);
  }

  async boot(): Promise<void> {
    this.#boots++;
    mkdirSync(this.#folder, { recursive: true });
    await this.#makeNetns();
    await this.#mountSys();
    if (this.#boots === 1) {
      // Not below the layers of a private node: kubelet's and containerd's logs of pods.
      await run("mount", ["-t", "tmpfs", "tmpfs", "/var/log"]);
      this.#lasting.push("/var/log");
      for (const [name, value] of Object.entries(tunables)) {
        await this.#cover(`/proc/sys/${name}`, `${value}\n`);
        this.#lasting.push(`/proc/sys/${name}`);
      }
    }
    await this.#cover(bootId, `${randomUUID()}\n`);
  }

  /** Ends the network: the namespace and with it its links, routes, rules and connections. */
  async shutDown(): Promise<void> {
    if (!existsSync(this.netns)) return;
    // The namespace goes later than its name, the other end of the pair at once.
    await run("ip", ["link", "delete", outside]).catch(() => {});
    await run("umount", ["--lazy", "--recursive", "/sys"]).catch(() => {});
    await unmount(bootId);
    await unmount(this.netns);
  }

  /** Takes away what lies over the kernel's files and logs, for the next node of this process. After shutDown(). */
  async remove(): Promise<void> {
    for (const path of this.#lasting.splice(0).reverse()) await unmount(path);
  }

  /** Runs a program on the node's network and returns what it prints. */
  async run(argv: readonly string[]): Promise<string> {
    const { stdout } = await run("nsenter", [`--net=${this.netns}`, "--", ...argv], {
      timeout: LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  async #makeNetns(): Promise<void> {
    writeFileSync(this.netns, "");
    await run("unshare", [`--net=${this.netns}`, "ip", "link", "set", "lo", "up"]);
    await run("ip", ["link", "add", outside, "type", "veth", "peer", "name", uplink]);
    await run("ip", ["link", "set", uplink, "netns", this.netns]);
    for (const [index, length] of ADDRESSES.nodePrefixLengths.entries()) {
      const near = `${ADDRESSES.node[index]}/${length}`;
      const far = `${ADDRESSES.outside[index]}/${length}`;
      // No duplicate address detection: nobody listens on an address that is tentative.
      await this.run(["ip", "address", "add", near, "dev", uplink, ...(index ? ["nodad"] : [])]);
      await run("ip", ["address", "add", far, "dev", outside, ...(index ? ["nodad"] : [])]);
    }
    await run("ip", ["link", "set", outside, "up"]);
    await this.run(["ip", "link", "set", uplink, "up"]);
    for (const address of ADDRESSES.outside) {
      await this.run(["ip", "route", "add", "default", "via", address]);
    }
  }

  /** /sys/class/net shows the namespace that it was mounted from. */
  async #mountSys(): Promise<void> {
    const script = `mount -t sysfs sysfs "$1" && mount --rbind /sys/fs/cgroup "$1/fs/cgroup" && mount --move "$1" /sys`;
    const folder = join(this.#folder, "sys");
    mkdirSync(folder, { recursive: true });
    await this.run(["sh", "-c", script, "sh", folder]);
  }

  /** Lets a file of the kernel's say something else inside this mount namespace. */
  async #cover(file: string, text: string): Promise<void> {
    const cover = join(this.#folder, `covers${file}`);
    mkdirSync(dirname(cover), { recursive: true });
    writeFileSync(cover, text);
    await run("mount", ["--bind", cover, file]);
  }
}

/** Mounts at a folder's path or below, in the order in which they were made. */
export function mountsBelow(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
}

/** Unmounts and removes what was there only to be mounted over. */
export async function unmountBelow(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const path of mountsBelow(folder).reverse()) await unmount(path);
}

async function unmount(path: string): Promise<void> {
  await run("umount", ["--lazy", path]).catch((error: unknown) => {
    if (!/not mounted|no mount point/.test(String(error))) throw error;
  });
}

/** Names of the network namespaces that containerd made for pods. */
export function listPodNetns(): string[] {
  return existsSync("/run/netns") ? readdirSync("/run/netns") : [];
}
