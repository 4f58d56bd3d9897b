/** The picture of a real node: what the host tells of networks that it was given. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertWellFormed } from "../../src/cli/picture-suite.ts";
import { findSkipReason, openNode } from "./harness.ts";
import { askFor, startHostWith, THREE_NETWORKS } from "./pod-networks.ts";
import { addOk, makeNetwork } from "./runtime.ts";

const cli = join(import.meta.dirname, "../../src/cli/patchbay.js");

describe("patchbay map", { skip: findSkipReason() ?? false }, () => {
  test("draws networks with subnets and bridges, pods with their interfaces, and what none uses", async () => {
    await using node = await openNode();
    const missing = { plugin: "nobody", mode: "fast" };
    const host = await startHostWith(node, { ...THREE_NETWORKS, missing });
    const network = makeNetwork("bridge");
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    await addOk(node, pod, network, askFor(pod, network, "blue,red"));
    const args = [cli, "map", "--root", node.root, "--pod", `default/${pod.name}`];
    const part = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(part.status, 0, part.stderr);
    assertWellFormed(part.stdout);
    const attachments = await host.client.listAttachments({});
    assert.equal(attachments.length, 3);
    const { mac = "" } = attachments.find(({ ifname }) => ifname === "net2") ?? {};
    for (const text of [
      ...["default/blue", "default/red", "bridge br-blue", "bridge br-red", "10.201.0.0/24"],
      ...["fd00:202::/64", "eth0", "net1", "net2", `default/${pod.name}`],
      ...attachments.flatMap(({ addresses }) => addresses),
    ]) {
      assert.ok(part.stdout.includes(`>${text}<`), text);
    }
    assert.match(part.stdout, new RegExp(`MAC ${mac}\n`));
    assert.doesNotMatch(part.stdout, /default\/green|nobody/);
    const whole = spawnSync(process.execPath, args.slice(0, 4), { encoding: "utf8" });
    assert.match(whole.stdout, />NETWORKS WITHOUT PODS<[^]*>default\/green<[^]*>mode fast</);
    assert.match(whole.stdout, /<title>it is not connected: start it, or correct the name</);
  });
});
