import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { Containerd, compile, findContainerdSkipReason } from "./containerd/containerd.ts";
import type { Sandbox } from "./containerd/cri.ts";
import {
  findSkipReason,
  type HostProcess,
  type KernelSnapshot,
  openNode,
  runInNetns,
  type TestNode,
  until,
} from "./harness.ts";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../..");

const POD_COUNT = 20;
const CLEAN_LIMIT_MS = 5_000;
/** The gateways of the default pool: the node, as pods see it. */
const NODE_ADDRESSES = ["10.88.0.1", "fd00:88::1"];
/** libcni's own record of what it added. */
const LIBCNI_RESULTS = "/var/lib/cni/results";

const skip = findSkipReason() ?? findContainerdSkipReason() ?? false;

describe("under containerd and runc", { skip }, () => {
  let node: TestNode;
  let containerd: Containerd;
  let host: HostProcess;
  let tools: string;
  let resultsBefore: ReadonlySet<string>;
  /** The node after its first pod: what belongs to the network stays, what belonged to the pod is gone. */
  let clean: KernelSnapshot;

  before(async () => {
    tools = await mkdtemp("/run/cd-tools-");
    resultsBefore = new Set(listResults());
    [node] = await Promise.all([
      openNode(),
      compile(join(import.meta.dirname, "containerd/mesh.c"), join(tools, "mesh")),
    ]);
    containerd = await Containerd.prepare(node.netns);
    const cli = join(repository, "src/cli/patchbay.js");
    const folders = [
      "--cni-bin-dir",
      containerd.cniBinDir,
      "--cni-conf-dir",
      containerd.cniConfDir,
    ];
    await run(process.execPath, [cli, "install", "--root", node.root, ...folders]);
    host = await node.startHost();
    await containerd.start();
    await removePods([await containerd.cri.runPodSandbox(containerd.newPod())]);
    clean = await node.readKernel();
  });

  after(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
    if (tools) await rm(tools, { recursive: true, force: true });
  });

  afterEach(async (t) => {
    const failed = "passed" in t && t.passed === false;
    if (failed)
      t.diagnostic(`containerd:\n${lastLines(containerd.log())}\nhost:\n${lastLines(host.log())}`);
  });

  it(`${POD_COUNT} pods at once get both families, reach each other and the node, and go without a trace`, async (t) => {
    t.diagnostic(await containerd.cri.version());
    const runMs = await measure(async () => {
      for (const answer of await runPods()) if (answer instanceof Error) throw answer;
    });
    t.diagnostic(`${POD_COUNT} x RunPodSandbox at once: ${runMs} ms`);

    const pods = await showPods();
    assert.equal(pods.length, POD_COUNT);
    for (const pod of pods) {
      const families = pod.addresses.map((address) => (address.includes(":") ? 6 : 4));
      assert.deepEqual(families.toSorted(), [4, 6], `${pod.id}: ${pod.addresses.join(" ")}`);
    }
    const addresses = pods.flatMap((pod) => pod.addresses);
    assert.equal(new Set(addresses).size, addresses.length, "an address was given twice");
    const recorded = await host.client.listAttachments({});
    assert.deepEqual(
      recorded.flatMap((record) => record.addresses.map((text) => text.split("/")[0])).toSorted(),
      addresses.toSorted(),
    );
    assert.deepEqual(
      recorded.map(({ podNamespace, podName }) => `${podNamespace}/${podName}`).toSorted().length,
      POD_COUNT,
    );
    await checkMesh(t, pods);

    const removeMs = await measure(() => removePods(pods.map(({ id }) => id)));
    t.diagnostic(`${POD_COUNT} x StopPodSandbox and RemovePodSandbox at once: ${removeMs} ms`);
    await noTrace();
  });

  it("a pod is refused at once while the host is down, and leaves nothing", async (t) => {
    await host.kill("SIGKILL");
    const started = performance.now();
    await assert.rejects(containerd.cri.runPodSandbox(containerd.newPod()), (error: Error) => {
      t.diagnostic(error.message);
      return true;
    });
    const tookMs = Math.round(performance.now() - started);
    t.diagnostic(`refused after ${tookMs} ms`);
    assert.ok(tookMs < 3_000, `it took ${tookMs} ms`);
    await removePods(await containerd.cri.listPodSandboxes());
    host = await node.startHost();
    await noTrace();
  });

  it("pods keep their network while the host is down, and can be removed then", async (t) => {
    for (const answer of await runPods()) if (answer instanceof Error) throw answer;
    const pods = await showPods();
    await host.kill("SIGKILL");
    await checkMesh(t, pods);
    const removeMs = await measure(() => removePods(pods.map(({ id }) => id)));
    t.diagnostic(`removed without a host: ${removeMs} ms`);
    t.diagnostic(`${listJournal().length} DELs in the journal`);
    host = await node.startHost();
    await noTrace();
  });

  it("kill -9 of the host while it adds pods leaks nothing", async (t) => {
    const answers = runPods();
    await until("pods under way", 10_000, async () => (await countLinks()) >= 5);
    await host.kill("SIGKILL");
    const failures = (await answers).filter((answer) => answer instanceof Error);
    t.diagnostic(`${POD_COUNT - failures.length} pods ran, ${failures.length} were refused`);
    host = await node.startHost();
    await checkMesh(
      t,
      (await showPods()).filter((pod) => pod.isReady),
    );
    await removePods(await containerd.cri.listPodSandboxes());
    await noTrace();
  });

  it("kill -9 of containerd while it runs pods leaks nothing", async (t) => {
    const answers = runPods();
    await until("pods under way", 10_000, async () => (await countLinks()) >= 5);
    await containerd.kill("SIGKILL");
    const failures = (await answers).filter((answer) => answer instanceof Error);
    assert.ok(failures.length > 0, "containerd was killed too late");
    await containerd.start();
    const known = await containerd.cri.listPodSandboxes();
    t.diagnostic(`${known.length} of ${POD_COUNT} pods are known to containerd afterwards`);
    await removePods(known);
    t.diagnostic((await findTraces()).join("\n"));
    await noTrace();
  });

  /** Runs pods at once; an id, or why not, for each. */
  function runPods(): Promise<(string | Error)[]> {
    const { cri } = containerd;
    return Promise.all(
      Array.from({ length: POD_COUNT }, () =>
        cri.runPodSandbox(containerd.newPod()).catch((error: Error) => error),
      ),
    );
  }

  async function showPods(): Promise<Sandbox[]> {
    const ids = await containerd.cri.listPodSandboxes();
    return Promise.all(ids.map((id) => containerd.cri.showPodSandbox(id)));
  }

  /** As kubelet does: stop, then remove; all at once. */
  async function removePods(ids: readonly string[]): Promise<void> {
    const { cri } = containerd;
    await Promise.all(
      ids.map(async (id) => {
        await cri.stopPodSandbox(id);
        await cri.removePodSandbox(id);
      }),
    );
  }

  /** Every pod connects to every other one and to the node, and the node to every pod. */
  async function checkMesh(t: TestContext, pods: readonly Sandbox[]): Promise<void> {
    const members = [
      [node.netns, ...NODE_ADDRESSES],
      ...pods.map((pod) => [pod.netns, ...pod.addresses]),
    ].map((member) => member.join(","));
    const { exitCode, stdout, stderr } = await runInNetns(node.netns, [
      join(tools, "mesh"),
      ...members,
    ]);
    assert.equal(exitCode, 0, `${stderr}${stdout}`);
    t.diagnostic(
      `${stdout.trim().split(" ")[0]} connections among ${pods.length} pods and the node`,
    );
  }

  async function noTrace(): Promise<void> {
    let traces: string[] = [];
    // runc's and containerd's last processes end after the answer.
    await until("the end of the last process", CLEAN_LIMIT_MS, async () => {
      traces = await findTraces();
      return traces.length === 0;
    }).catch(() => {});
    assert.deepEqual(traces, []);
    assert.deepEqual(await node.readKernel(), clean);
  }

  async function findTraces(): Promise<string[]> {
    const [sandboxes, attachments, { pools }, links] = await Promise.all([
      containerd.cri.listPodSandboxes(),
      host.client.listAttachments({}),
      host.client.showIpam({ leases: true }),
      node.kernel.links(node.netns),
    ]);
    const held = pools.flatMap((pool) => pool.leases).filter((lease) => lease.state === "held");
    return [
      ...sandboxes.map((id) => `sandbox ${id}`),
      ...attachments.map(({ attachmentId, state }) => `record ${attachmentId} ${state}`),
      ...held.map(({ address, attachmentId }) => `lease ${address} of ${attachmentId}`),
      ...links.filter(isPodLink).map(({ name }) => `link ${name}`),
      ...listJournal().map((name) => `journal ${name}`),
      ...listResults()
        .filter((name) => !resultsBefore.has(name))
        .map((name) => `libcni result ${name}`),
      ...containerd.findLeftovers(),
    ];
  }

  async function countLinks(): Promise<number> {
    return (await node.kernel.links(node.netns)).filter(isPodLink).length;
  }

  function listJournal(): string[] {
    const folder = pathsBelow(node.root).delJournal;
    return existsSync(folder) ? readdirSync(folder) : [];
  }
});

function listResults(): string[] {
  return existsSync(LIBCNI_RESULTS) ? readdirSync(LIBCNI_RESULTS) : [];
}

function isPodLink({ name }: { readonly name: string }): boolean {
  return name !== "lo" && name !== "patchbay0";
}

async function measure(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round(performance.now() - started);
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-40).join("\n");
}
