/** Pods with several networks all at once, and a host that may not have much memory. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findSkipReason, openNode, type Pod, type TestNode } from "./harness.ts";
import { findMemoryCgroupSkipReason, MemoryCgroup } from "./memory-cgroup.ts";
import { askFor, startHostWith, THREE_NETWORKS } from "./pod-networks.ts";
import { add, delOk, errorOf, makeNetwork, type NetworkJson } from "./runtime.ts";

const skip = findSkipReason() ?? findMemoryCgroupSkipReason() ?? false;
/** The bound of issue 5. */
const LIMIT_BYTES = 256 << 20;
const PODS = 200;
const RETRIES_MAX = 20;
/** Of a host that ended: the last characters of its log. */
const LOG_SHOWN = 3_000;
const FURTHER = Object.keys(THREE_NETWORKS);

describe(`a host in a cgroup of ${LIMIT_BYTES >> 20} MiB`, { skip }, () => {
  test(`${PODS} ADDs at once with ${FURTHER.length + 1} networks each: all come, nobody is killed`, async () => {
    using cgroup = new MemoryCgroup(LIMIT_BYTES);
    await using node = await openNode();
    const host = await startHostWith(node, THREE_NETWORKS, { wrapper: cgroup.wrapper });
    let end: string | undefined;
    void host.exited.then(({ code, signal }) => {
      end = `The host ended: code ${code}, signal ${signal}, ${cgroup.kills()} killed for memory, ${cgroup.peakBytes()} bytes\n${host.log().slice(-LOG_SHOWN)}`;
    });
    const network = makeNetwork("routed");
    const pods = await node.createPods(PODS);
    const retries = await Promise.all(pods.map((pod) => addUntilOk(node, pod, network)));
    assert.equal(end, undefined);
    const attachments = await host.client.listAttachments({});
    assert.equal(attachments.length, PODS * (FURTHER.length + 1));
    const addresses = attachments.flatMap((each) => each.addresses);
    assert.equal(new Set(addresses).size, 2 * attachments.length, "addresses of their own");
    assert.ok(cgroup.peakBytes() <= LIMIT_BYTES, `${cgroup.peakBytes()} bytes`);
    assert.equal(cgroup.kills(), 0);
    assert.ok(retries.every((count) => count < RETRIES_MAX));

    await Promise.all(pods.map((pod) => delOk(node, pod, asking(pod, network))));
    assert.deepEqual(await host.client.listAttachments({}), []);
    assert.equal(cgroup.kills(), 0);
    // Before the cgroup can go.
    await host[Symbol.asyncDispose]();
  });
});

/** As a runtime does: a call that is told to come again comes again. Returns how often it was. */
async function addUntilOk(node: TestNode, pod: Pod, network: NetworkJson): Promise<number> {
  for (let retries = 0; retries < RETRIES_MAX; retries++) {
    const answer = await add(node, pod, network, askFor(pod, network, FURTHER.join(",")));
    if (answer.exitCode === 0) return retries;
    assert.equal(errorOf(answer).code, 11, answer.stdout);
  }
  throw new Error(`${pod.name} was refused ${RETRIES_MAX} times`);
}

function asking(pod: Pod, network: NetworkJson): NetworkJson {
  return askFor(pod, network, FURTHER.join(",")).config;
}
