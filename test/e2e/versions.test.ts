/** Shim and host of different releases, both ways, and a node that goes from one to the other with its pods. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  execShim,
  findSkipReason,
  type HostProcess,
  openNode,
  shimFile,
  type ShimAnswer,
  type TestNode,
  until,
} from "./harness.ts";
import { askFor, startHostWith, statusOf, THREE_NETWORKS } from "./pod-networks.ts";
import {
  findPreviousSkip,
  openPreviousRelease,
  PREVIOUS,
  type Release,
} from "./previous-release.ts";
import {
  assertReaches,
  assertSilentSuccess,
  attachmentCall,
  type CniResult,
  errorOf,
  makeNetwork,
  type NetworkJson,
} from "./runtime.ts";

const skip = findSkipReason() ?? findPreviousSkip() ?? false;
/** A build on a busy machine. */
const timeout = 300_000;

/** A pod's life by a shim against whatever host is there. */
async function liveByShim(node: TestNode, shim: string, network: NetworkJson): Promise<void> {
  const pod = await node.createPod();
  const call = (command: string, config: NetworkJson = network): Promise<ShimAnswer> =>
    execShim(node.root, { command, ...attachmentCall(pod, config), shim });
  assertSilentSuccess(await call("STATUS"));
  const added = await call("ADD");
  assert.equal(added.exitCode, 0, added.stdout);
  const result = added.json as CniResult;
  await assertReaches(
    node,
    "node",
    result.ips.map(({ address }) => address),
  );
  assertSilentSuccess(await call("CHECK", { ...network, prevResult: result }));
  assert.deepEqual((await call("ADD")).json, result);
  assertSilentSuccess(await call("GC", { ...network, "cni.dev/valid-attachments": [] }));
  assertSilentSuccess(await call("DEL"));
  assertSilentSuccess(await call("DEL"));
  assert.equal(errorOf(await call("ADD", { ...network, mtu: 1 })).code, 7);
  const version = await call("VERSION");
  assert.ok((version.json as { supportedVersions: string[] }).supportedVersions.includes("1.1.0"));
}

async function assertEmpty(host: HostProcess): Promise<void> {
  await until(
    "no attachment",
    10_000,
    async () => (await host.client.listAttachments({})).length === 0,
  );
}

describe(`with v${PREVIOUS.version}`, { skip, timeout }, () => {
  let previous: Release;
  test("can be unpacked and built", { timeout }, () => {
    previous = openPreviousRelease();
  });

  test("its shim works with today's host", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    await liveByShim(node, previous.shimFile, makeNetwork("routed"));
    await assertEmpty(host);
  });

  test("today's shim works with its host", async () => {
    await using node = await openNode();
    const host = await node.startHost({ cli: previous.cli });
    await liveByShim(node, shimFile, makeNetwork("bridge"));
    await assertEmpty(host);
  });

  test("a DEL that its shim wrote down is replayed by today's host, and the other way round", async () => {
    for (const [shim, clis] of [
      [previous.shimFile, [previous.cli, undefined]],
      [shimFile, [undefined, previous.cli]],
    ] as const) {
      await using node = await openNode();
      const network = makeNetwork("routed");
      const [pod] = await node.createPods(1);
      assert.ok(pod);
      const call = (command: string) =>
        execShim(node.root, { command, ...attachmentCall(pod, network), shim });
      const [before, after] = clis;
      const old = await node.startHost(before === undefined ? {} : { cli: before });
      assert.equal((await call("ADD")).exitCode, 0);
      await old.kill("SIGKILL");
      assertSilentSuccess(await call("DEL"));
      await assertEmpty(await node.startHost(after === undefined ? {} : { cli: after }));
    }
  });

  test("an upgrade keeps pods, which then get networks more; a downgrade keeps them, too", async () => {
    await using node = await openNode();
    const network = makeNetwork("routed");
    const [one, two] = await node.createPods(2);
    assert.ok(one && two);
    const call = (command: string, pod: typeof one, wish: object = {}) =>
      execShim(node.root, { command, ...attachmentCall(pod, network), ...wish });
    const first = await node.startHost({ cli: previous.cli });
    const added = await call("ADD", one, askFor(one, network, ""));
    assert.equal(added.exitCode, 0, added.stdout);
    await first.kill("SIGTERM");

    const second = await startHostWith(node, THREE_NETWORKS);
    assert.deepEqual((await call("ADD", one)).json, added.json);
    await second.client.attachNetwork({ pod: `default/${one.name}`, selection: "blue" });
    assert.equal((await statusOf(second, one)).length, 2);
    assert.equal((await call("ADD", two, askFor(two, network, "blue,green"))).exitCode, 0);
    await assertReaches(
      node,
      one,
      (await statusOf(second, two)).flatMap(({ ips }) => ips).slice(0, 4),
    );
    await second.client.detachNetwork({ pod: `default/${one.name}`, target: "blue" });
    assertSilentSuccess(await call("DEL", two));
    await second.kill("SIGTERM");

    const third = await node.startHost({ cli: previous.cli });
    assert.deepEqual((await call("ADD", one)).json, added.json);
    assertSilentSuccess(await call("DEL", one));
    await assertEmpty(third);
  });
});
