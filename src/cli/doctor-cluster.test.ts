import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { examineKubeProxy, examineRanges } from "./doctor-cluster.ts";

const NODE = { nodeName: "n1", podCidrs: ["10.244.3.0/24", "fd00:3::/64"] };
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "patchbay-ranges-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** "severity: message" of what is found with this ipam in the conflist. */
function examine(ipam: object | undefined, kubernetes: typeof NODE | null): string[] {
  const plugins = [{ type: "patchbay", ...(ipam && { ipam }) }];
  const text = JSON.stringify({ name: "patchbay", plugins });
  writeFileSync(join(folder, "10-patchbay.conflist"), text);
  return examineRanges(folder, kubernetes).map(({ severity, message, remedy }) => {
    assert.equal(remedy === "", severity === "ok");
    return `${severity}: ${message.replaceAll(`${folder}/`, "")}`;
  });
}

function ranges(...subnets: string[]) {
  return { ranges: subnets.map((subnet) => [{ subnet }]) };
}

test("examineRanges() compares the conflist's ranges with the Node object's", () => {
  const differs = (subnets: string) => [
    `warning: 10-patchbay.conflist gives pods addresses of ${subnets}, and Node n1 has podCIDRs 10.244.3.0/24 and fd00:3::/64`,
  ];
  assert.deepEqual(examine(ranges("10.9.0.0/24", "fd00:3::/64"), NODE), differs("10.9.0.0/24"));
  assert.deepEqual(examine(ranges("10.244.0.0/16"), NODE), differs("10.244.0.0/16"));
  assert.deepEqual(examine(undefined, NODE), differs("10.88.0.0/16 and fd00:88::/64"));
  assert.deepEqual(examine(ranges("10.244.3.128/25", "fd00:3::/64"), NODE), [
    "ok: 10-patchbay.conflist has ranges of Node n1",
  ]);
  for (const kubernetes of [null, { ...NODE, podCidrs: [] }]) {
    assert.deepEqual(examine(ranges("10.9.0.0/24"), kubernetes), []);
  }
});

test("examineRanges() misses what ranges of the node need", () => {
  const ofNode = { ranges: "node" };
  const say = (kubernetes: typeof NODE | null) => examine(ofNode, kubernetes)[0] ?? "";
  assert.match(say(NODE), /^ok: .*takes the node's ranges: 10\.244\.3\.0\/24 and fd00:3::\/64$/);
  assert.match(say({ ...NODE, podCidrs: [] }), /^error: .*, and Node n1 has none: no pod/);
  assert.match(say({ nodeName: "", podCidrs: [] }), /^error: .*its Node object is not known/);
  assert.match(say(null), /^error: .*the host runs without --kubernetes/);
});

test("examineRanges() leaves a conflist alone that is not there, or not readable", () => {
  assert.deepEqual(examineRanges(folder, NODE), []);
  writeFileSync(join(folder, "10-patchbay.conflist"), "{");
  assert.deepEqual(examineRanges(folder, NODE), []);
});

test("examineKubeProxy() sees kube-proxy's table, and its chains among others' in the nat table", async () => {
  const look = async (tables: Record<string, string>) => {
    const [finding] = await examineKubeProxy({ list: async (table) => tables[table] });
    return `${finding?.severity}: ${finding?.message}`;
  };
  assert.match(await look({ "ip nat": "chain DOCKER {}" }), /^ok/);
  assert.match(
    await look({ "ip6 kube-proxy": "table ip6 kube-proxy {}" }),
    /^warning: .*\(ip6 kube-proxy\)/,
  );
  assert.match(await look({ "ip nat": "chain KUBE-SERVICES {}" }), /^warning: .*\(ip nat\)/);
  const [refused] = await examineKubeProxy({ list: () => Promise.reject(new Error("EPERM")) });
  assert.equal(refused?.severity, "ok");
});
