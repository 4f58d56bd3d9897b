import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";

const launcher = join(import.meta.dirname, "private-node.js");
// These tests run inside a private node themselves: without this they would only test nesting.
const env = { ...process.env, PATCHBAY_PRIVATE_NODE: "" };

const dropRights = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"];

function runInside(script: string, options: { readonly env?: NodeJS.ProcessEnv } = {}) {
  return spawnSync(process.execPath, [launcher, "sh", "-c", script], {
    env,
    encoding: "utf8",
    ...options,
  });
}

describe("private node", () => {
  it("has its own network with loopback up, and its own processes", () => {
    const { stdout, stderr, status } = runInside(
      "readlink /proc/self/ns/net; ls /sys/class/net; ip -o link show lo; cat /proc/1/comm",
    );
    assert.equal(status, 0, stderr);
    const [netns, ...rest] = stdout.trim().split("\n");
    assert.notEqual(netns, readlinkSync("/proc/self/ns/net"));
    assert.equal(rest[0], "lo");
    assert.match(rest[1] ?? "", /LOOPBACK,UP/);
    assert.equal(rest[2], "sh");
  });

  it("leaves the machine's folders as they are", () => {
    const name = `patchbay-private-node-test-${process.pid}`;
    const folders = ["/run", "/etc", "/etc/cni/net.d", "/var/lib/patchbay", "/opt/cni/bin"];
    const files = folders.map((folder) => join(folder, name));
    const { status, stderr } = runInside(
      `mkdir -p ${folders.join(" ")} && touch ${files.join(" ")} && ls ${files.join(" ")}`,
    );
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      files.filter((file) => existsSync(file)),
      [],
    );
  });

  it("starts with no named namespaces, and can make some", () => {
    const { stdout, status, stderr } = runInside("ip netns list; ip netns add a && ip netns list");
    assert.equal(status, 0, stderr);
    assert.equal(stdout.trim(), "a");
  });

  it("passes the exit code, standard input and the pinned node", () => {
    assert.equal(runInside("exit 7").status, 7);
    assert.equal(runInside("kill -KILL $$").status, 128 + 9);
    const input = spawnSync(process.execPath, [launcher, "cat"], { env, input: "text" });
    assert.equal(input.stdout.toString(), "text");
    assert.equal(runInside("node --version").stdout.trim(), process.version);
  });

  it("says which command is not there", () => {
    const { status, stderr } = spawnSync(process.execPath, [launcher, "no-such-command"], { env });
    assert.equal(status, 127);
    assert.match(stderr.toString(), /no-such-command/);
  });

  it("hands signals on to the command", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 10],
      ["SIGINT", 11],
      ["SIGHUP", 12],
    ] as const) {
      const script = `trap 'exit ${code}' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
      const child = await startInside(script);
      child.kill(signal);
      assert.deepEqual(await once(child, "exit"), [code, null], signal);
    }
  });

  it("ends with everything in it when it is killed", async (t) => {
    const marker = `31${process.pid}`;
    const child = await startInside(`sleep ${marker} & echo ready; sleep ${marker}`);
    t.after(() => child.kill("SIGKILL"));
    await waitForSleepers(marker, 2);
    child.kill("SIGKILL");
    await waitForSleepers(marker, 0);
  });

  it("runs side by side with others", async () => {
    const scripts = ["a", "b", "c"].map(
      (name) => `ip link add dev test-${name} type bridge; ip -br link`,
    );
    const outputs = await Promise.all(
      scripts.map(async (script) => {
        const child = spawn(process.execPath, [launcher, "sh", "-c", script], { env });
        const text: string[] = [];
        child.stdout.on("data", (chunk: Buffer) => text.push(chunk.toString()));
        await once(child, "close");
        return text.join("").trim().split("\n").length;
      }),
    );
    assert.deepEqual(outputs, [2, 2, 2]);
  });

  it("runs a nested command as it is", () => {
    const nested = `readlink /proc/self/ns/net; exec "${process.execPath}" "${launcher}" readlink /proc/self/ns/net`;
    const { stdout } = runInside(nested);
    const [outer, inner] = stdout.trim().split("\n");
    assert.ok(outer?.startsWith("net:["));
    assert.equal(inner, outer);
  });

  describe("without the rights of root", { skip: findObstacle() }, () => {
    let folder = "";
    before(() => {
      // Where an unprivileged user may read it, whatever the checkout's folder allows.
      folder = mkdtempSync(join(tmpdir(), "patchbay-private-node-"));
      spawnSync("chmod", ["755", folder]);
      copyFileSync(launcher, join(folder, "private-node.mjs"));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it("makes links, namespaces and nftables rules in a user namespace", () => {
      const script =
        "ip link add v type veth peer w && ip netns add n && nft add table inet t && id -u && ls /run/netns";
      const { stdout, stderr, status } = spawnSync(
        "setpriv",
        [...dropRights, "node", join(folder, "private-node.mjs"), "sh", "-c", script],
        { env: { ...env, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, encoding: "utf8" },
      );
      assert.equal(status, 0, stderr);
      assert.equal(stdout, "0\nn\n");
    });
  });
});

/** Why an unprivileged user cannot be played here; false when it can. */
function findObstacle(): string | false {
  if (process.getuid?.() !== 0) return "not root: the other tests are without its rights already";
  const probe = spawnSync("setpriv", [...dropRights, "unshare", "--user", "true"]);
  return probe.status === 0 ? false : `no user namespaces here: ${probe.stderr.toString().trim()}`;
}

/** Starts a script that says when it is ready. */
async function startInside(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [launcher, "sh", "-c", script], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

async function waitForSleepers(marker: string, count: number): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (countSleepers(marker) !== count) {
    assert.ok(Date.now() < deadlineMs, `${countSleepers(marker)} processes instead of ${count}`);
    await setTimeout(10);
  }
}

/** Processes `sleep MARKER` that can be seen from here, private nodes below included. */
function countSleepers(marker: string): number {
  return readdirSync("/proc").filter((pid) => readCommand(pid) === `sleep\0${marker}\0`).length;
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
