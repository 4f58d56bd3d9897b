import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import type { Event__Output } from "../../src/rpc/generated/patchbay/host/v1/Event.ts";
import { Containerd, findContainerdSkipReason } from "./containerd/containerd.ts";
import type { Sandbox } from "./containerd/cri.ts";
import { findSkipReason, type HostProcess, openNode, type TestNode, until } from "./harness.ts";

/** The whole grace takes longer than a test should: the simulator has it, and so has whoever asks for it here. */
const TO_THE_END_SKIP =
  process.env["PATCHBAY_E2E_LEAK_TO_THE_END"] === "1"
    ? false
    : "takes the grace of a minute: PATCHBAY_E2E_LEAK_TO_THE_END=1 runs it";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../..");
const ROUNDS_LIMIT_MS = 4 * LIMITS.reconcileMs;

const skip = findSkipReason() ?? findContainerdSkipReason() ?? false;

// Not the suite: what is skipped must be counted.
if (skip) it("leaks are found by the runtime's list of sandboxes", { skip }, () => {});
else describe("leaks are found by the runtime's list of sandboxes", testTruth);

function testTruth(): void {
  let node: TestNode;
  let containerd: Containerd;
  let host: HostProcess;
  let living: Sandbox;
  let events: Event__Output[] = [];
  /** Mount that keeps the namespace of a pod that is gone. */
  let keeper: string | undefined;

  before(async () => {
    node = await openNode();
    containerd = await Containerd.prepare(node.netns, { logLevel: "trace" });
    const cli = join(repository, "src/cli/patchbay.js");
    const folders = [
      "--cni-bin-dir",
      containerd.cniBinDir,
      "--cni-conf-dir",
      containerd.cniConfDir,
    ];
    await run(process.execPath, [cli, "install", "--root", node.root, ...folders]);
    await containerd.start();
    host = await node.startHost({ args: ["--runtime-endpoint", `unix://${containerd.socket}`] });
    living = await runPod();
  });

  after(async () => {
    if (keeper !== undefined) await run("umount", [keeper]);
    for (const netns of containerd?.listNetns() ?? []) {
      await node.kernel.deleteNetns(netns as NetnsPath);
    }
    await containerd?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
  });

  it("what has lost its sandbox goes without DEL and without GC: at once with its namespace, else it is suspected", async (t) => {
    const [gone, standing] = await Promise.all([runPod(), runPod()]);
    await hasListed();
    const kept = join(node.root, "kept-netns");
    const suspect = await attachmentOf(standing.id);
    await loseDel(async () => {
      await bind(standing.netns, kept);
      keeper = kept;
      await Promise.all([removePod(gone.id), removePod(standing.id)]);
      // Before the next round: containerd takes the namespace out of its folder.
      await bind(kept, standing.netns);
    });
    const started = performance.now();
    await eventIs("leak-freed");
    await eventIs("leak-candidate", suspect);
    t.diagnostic(`found after ${Math.round(performance.now() - started)} ms`);
    assert.deepEqual(await attached(), [living.id, standing.id].toSorted());
    const said = events.filter(({ kind }) => kind.startsWith("leak-"));
    const texts = said.map(({ kind, message }) => `${kind} ${message.split(": ").at(-1)}`);
    assert.deepEqual(texts.toSorted(), [
      "leak-candidate netns-gone",
      "leak-candidate not-in-sandbox-list",
      "leak-freed not-in-sandbox-list",
    ]);
  });

  it("and is freed after the grace", { skip: TO_THE_END_SKIP }, async () => {
    await until("the end of the leak", LIMITS.leakGraceMs + ROUNDS_LIMIT_MS, async () => {
      return (await attached()).length === 1;
    });
    assert.deepEqual(await attached(), [living.id]);
  });

  it("a runtime that is killed and comes back makes nobody suspected, and is told of", async () => {
    await readEvents();
    const suspected = events.filter(({ kind }) => kind === "leak-candidate").length;
    await containerd.kill("SIGKILL");
    await eventIs("runtime-failed");
    await containerd.start();
    await eventIs("runtime-recovered");
    assert.equal(events.filter(({ kind }) => kind === "leak-candidate").length, suspected);
    assert.ok((await attached()).includes(living.id));
  });

  async function runPod(): Promise<Sandbox> {
    const { cri } = containerd;
    return cri.showPodSandbox(await cri.runPodSandbox(containerd.newPod()));
  }

  async function removePod(id: string): Promise<void> {
    await containerd.cri.stopPodSandbox(id);
    await containerd.cri.removePodSandbox(id);
  }

  async function bind(from: string, to: string): Promise<void> {
    writeFileSync(to, "");
    await run("mount", ["--bind", from, to]);
  }

  /** A shim that says yes and tells nobody, for as long as the work takes. */
  async function loseDel(work: () => Promise<void>): Promise<void> {
    const shim = join(containerd.cniBinDir, "patchbay");
    const real = join(containerd.cniBinDir, ".patchbay-real");
    renameSync(shim, real);
    copyFileSync("/bin/true", shim);
    try {
      await work();
    } finally {
      rmSync(shim);
      renameSync(real, shim);
    }
  }

  /** A list was begun from now on. The host has heard it long before the next one. */
  async function hasListed(): Promise<void> {
    const count = () => containerd.log().split("ListPodSandbox with filter").length;
    const before = count();
    await until("a list", ROUNDS_LIMIT_MS, () => count() > before);
  }

  afterEach(async (t) => {
    if (!("passed" in t) || t.passed) return;

    await readEvents();
    t.diagnostic(events.map(({ kind, message }) => `${kind}: ${message}`).join("\n"));
  });

  async function attached(): Promise<string[]> {
    const records = await host.client.listAttachments({});
    return records.map(({ containerId }) => containerId).toSorted();
  }

  async function attachmentOf(containerId: string): Promise<string> {
    const records = await host.client.listAttachments({});
    return records.find((record) => record.containerId === containerId)?.attachmentId ?? "";
  }

  async function eventIs(kind: string, subject?: string): Promise<void> {
    await until(`${kind} of ${subject ?? "anything"}`, ROUNDS_LIMIT_MS, async () => {
      await readEvents();
      return events.some(
        (event) => event.kind === kind && (subject ?? event.subject) === event.subject,
      );
    });
  }

  async function readEvents(): Promise<void> {
    const read: Event__Output[] = [];
    for await (const event of host.client.watchEvents({ last: 1_000, follow: false })) {
      read.push(event);
    }
    events = read;
  }
}
