import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** The machine and what ran on it, in words. */
export interface Machine {
  readonly cpu: string;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
  /** Version of the package that the peers come from. */
  readonly peers: string;
  readonly commit: string;
  /** ISO 8601, to the minute. */
  readonly time: string;
}

export function describeMachine(): Machine {
  const models = [...new Set(cpus().map((cpu) => cpu.model))].join(", ");
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const virtual = outputOf("systemd-detect-virt", []) || (hasHypervisor() ? "virtual" : "");
  const kind = virtual === "" || virtual === "none" ? "" : `, virtual machine`;
  return {
    cpu: `${cpus().length} x ${models}, ${gibibytes} GiB${kind}`,
    kernel: `Linux ${release()}`,
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "",
    node: `Node ${process.versions.node}`,
    peers: `containernetworking-plugins ${packageVersion("containernetworking-plugins")}`,
    commit: outputOf("git", ["describe", "--always", "--dirty"]),
    time: `${new Date().toISOString().slice(0, 16)}Z`,
  };
}

function hasHypervisor(): boolean {
  return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
}

function packageVersion(name: string): string {
  return outputOf("dpkg-query", ["--show", "--showformat=${Version}", name]);
}

function outputOf(program: string, args: readonly string[]): string {
  const run = spawnSync(program, args, { encoding: "utf8", cwd: import.meta.dirname });
  return run.status === 0 ? run.stdout.trim() : "";
}
