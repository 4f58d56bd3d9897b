import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CNI_VERSIONS } from "../../src/plugin-host/cni/versions.ts";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type ShimAnswer,
  type TestNode,
  until,
} from "./harness.ts";
import {
  add,
  addOk,
  assertSilentSuccess,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  PLUGINS,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
let node: TestNode;
let host: HostProcess;

before(async () => {
  if (skip) return;
  node = await openNode();
  host = await node.startHost();
});

after(() => node?.[Symbol.asyncDispose]());

for (const plugin of PLUGINS) {
  test(`GC (${plugin}) keeps what the list names`, { skip }, async () => {
    const network = makeNetwork(plugin);
    const pods = await node.createPods(3);
    for (const pod of pods) await addOk(node, pod, network);
    const state = await readState(node, host);
    assertSilentSuccess(await gc(network, pods));
    assert.deepEqual(await readState(node, host), state);
    for (const pod of pods) await delOk(node, pod, network);
  });

  test(`GC (${plugin}) frees at once what it leaves out and whose namespace is gone`, {
    skip,
  }, async () => {
    const network = makeNetwork(plugin);
    const [living, gone] = (await node.createPods(2)) as [Pod, Pod];
    await addOk(node, living, network);
    const state = withoutCooling(await readState(node, host));
    await addOk(node, gone, network);
    await node.deletePod(gone);
    assertSilentSuccess(await gc(network, [living]));
    assert.deepEqual(withoutCooling(await readState(node, host)), state);
    await delOk(node, living, network);
  });

  test(`GC (${plugin}) does not free a living pod on one list`, { skip }, async () => {
    const network = makeNetwork(plugin);
    const pod = await node.createPod();
    await addOk(node, pod, network);
    const state = await readState(node, host);
    assertSilentSuccess(await gc(network, []));
    assertSilentSuccess(await gc(network, []));
    assert.deepEqual(await readState(node, host), state);
    await delOk(node, pod, network);
  });

  test(`GC (${plugin}) leaves a sibling network untouched`, { skip }, async () => {
    const network = makeNetwork(plugin);
    const sibling = makeNetwork(plugin);
    const pod = await node.createPod();
    await addOk(node, pod, sibling, { ifname: "net1" });
    const state = withoutCooling(await readState(node, host));
    await addOk(node, pod, network);
    await node.deletePod(pod);
    assertSilentSuccess(await gc(network, []));
    const after = withoutCooling(await readState(node, host));
    assert.deepEqual(after.attachments, state.attachments);
    assert.deepEqual(after.leases, state.leases);
    await delOk(node, pod, sibling, { ifname: "net1" });
  });
}

test("GC takes libcni's earlier spelling of the list", { skip }, async () => {
  const network = makeNetwork("routed");
  const pod = await node.createPod();
  await addOk(node, pod, network);
  await node.deletePod(pod);
  const config = { ...network, "cni.dev/attachments": [{ containerID: "x", ifname: "eth0" }] };
  assertSilentSuccess(await node.execShim({ command: "GC", config }));
  const left = await host.client.listAttachments({ network: network.name });
  assert.deepEqual(left, []);
});

const WRONG_LISTS: readonly [list: unknown, message: RegExp][] = [
  [undefined, /cni\.dev\/valid-attachments is missing/],
  ["all", /cni\.dev\/valid-attachments is "all", expected type array/],
  [[{ ifname: "eth0" }], /cni\.dev\/valid-attachments\S*containerID is missing/],
  [[{ containerID: "x" }], /cni\.dev\/valid-attachments\S*ifname is missing/],
  [[{ containerID: 5, ifname: "eth0" }], /containerID is 5, expected type string/],
];

test("GC without a list that can be read frees nothing: error 7", { skip }, async () => {
  const network = makeNetwork("routed");
  const pod = await node.createPod();
  await addOk(node, pod, network);
  await node.deletePod(pod);
  const state = await readState(node, host);
  for (const [list, message] of WRONG_LISTS) {
    const config = { ...network, "cni.dev/valid-attachments": list };
    const error = errorOf(await node.execShim({ command: "GC", config }));
    assert.equal(error.code, 7);
    assert.match(error.msg, message);
  }
  const after = await readState(node, host);
  // The link goes with the namespace, whenever the kernel gets to it.
  assert.deepEqual({ ...after, kernel: undefined }, { ...state, kernel: undefined });
  await delOk(node, pod, network);
});

test("STATUS is silent for a network that can take pods, known or not", { skip }, async () => {
  for (const plugin of PLUGINS) {
    const network = makeNetwork(plugin);
    assertSilentSuccess(await status(network));
    const pod = await node.createPod();
    await addOk(node, pod, network);
    assertSilentSuccess(await status(network));
    await delOk(node, pod, network);
  }
});

test("STATUS says 50 and why: no such plugin, no address left, no node to stand on", {
  skip,
}, async () => {
  const network = makeNetwork("routed");
  const missing = errorOf(await status({ ...network, plugin: "nobody" }));
  assert.equal(missing.code, 50);
  assert.match(missing.msg, /Plugin "nobody" is not connected \(connected: routed, bridge, /);

  const full = makeNetwork("routed", {
    ipam: { ranges: [[{ subnet: "10.210.0.1/32" }], [{ subnet: "fd00:210::/64" }]] },
  });
  const pod = await node.createPod();
  await addOk(node, pod, full);
  const empty = errorOf(await status(full));
  assert.equal(empty.code, 50);
  assert.match(empty.msg, /no IPv4 address is left/);
  await delOk(node, pod, full);
  assertSilentSuccess(await status(full));
});

test("STATUS says why the node cannot be prepared, and recovers without an ADD", {
  skip,
}, async () => {
  const network = makeNetwork("bridge", { bridge: "taken0" });
  await node.run(["ip", "link", "add", "taken0", "type", "dummy"]);
  const dummy = await node.run(["ip", "link", "show", "taken0"]);
  if (dummy.exitCode !== 0) {
    await node.run(["ip", "link", "add", "taken0", "type", "veth", "peer", "name", "taken1"]);
  }
  const pod = await node.createPod();
  const failed = errorOf(await add(node, pod, network));
  assert.equal(failed.code, 11);
  const error = errorOf(await status(network));
  assert.equal(error.code, 50);
  assert.match(error.msg, /taken0/);
  await node.run(["ip", "link", "del", "taken0"]);
  await until("STATUS to recover", 5000, async () => (await status(network)).exitCode === 0);
  await addOk(node, pod, network);
  await delOk(node, pod, network);
});

for (const verb of ["GC", "STATUS"] as const) {
  test(`${verb} needs cniVersion 1.1.0`, { skip }, async () => {
    for (const cniVersion of CNI_VERSIONS.filter((version) => version !== "1.1.0")) {
      const config = { ...makeNetwork("routed"), cniVersion, "cni.dev/valid-attachments": [] };
      const error = errorOf(await node.execShim({ command: verb, config }));
      assert.equal(error.code, 1);
      assert.equal(error.cniVersion, cniVersion);
      assert.match(error.msg, new RegExp(`${verb} needs cniVersion 1\\.1\\.0 or newer`));
    }
  });
}

test("VERSION lists every version, whatever the configuration", { skip }, async () => {
  for (const cniVersion of [...CNI_VERSIONS, "9.9.9", undefined]) {
    const answer = await node.execShim({ command: "VERSION", config: { cniVersion } });
    assert.equal(answer.exitCode, 0);
    const known = CNI_VERSIONS.find((version) => version === cniVersion);
    assert.deepEqual(answer.json, {
      cniVersion: known ?? "1.1.0",
      supportedVersions: CNI_VERSIONS,
    });
  }
});

test("the shim without CNI_COMMAND says what it is and succeeds", { skip }, async () => {
  const answer = await node.execShim({ config: "" });
  assert.equal(answer.exitCode, 0);
  assert.equal(answer.stdout, "");
  assert.match(answer.stderr, /CNI/);
});

function gc(network: NetworkJson, valid: readonly Pod[]): Promise<ShimAnswer> {
  const list = valid.map((pod) => ({ containerID: pod.name, ifname: "eth0" }));
  return node.execShim({
    command: "GC",
    config: { ...network, "cni.dev/valid-attachments": list, "cni.dev/attachments": list },
  });
}

function status(network: NetworkJson): Promise<ShimAnswer> {
  return node.execShim({ command: "STATUS", config: network });
}
