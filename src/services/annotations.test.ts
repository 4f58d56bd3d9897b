import assert from "node:assert/strict";
import { test } from "node:test";
import { readWishes, weightOf } from "./annotations.ts";
import { sampleModelEndpoint } from "./sample-objects.ts";

function read(annotations: Readonly<Record<string, string>>) {
  const problems: string[] = [];
  const wishes = readWishes({ name: "web", namespace: "default", annotations }, problems);
  return { wishes, problems };
}

test("readWishes() reads every annotation", () => {
  const { wishes, problems } = read({
    "services.patchbay.dev/topology-keys": "kubernetes.io/hostname, rack ,*",
    "services.patchbay.dev/pick": "consistent-hash",
    "services.patchbay.dev/weights": "010.1.0.5=3, web-2=0,node-a=256,FD00::0001=7",
    "services.patchbay.dev/count-connections": "true",
    "services.patchbay.dev/close-tcp-flows": "true",
    "somebody.else/topology-keys": "!",
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(wishes, {
    topologyKeys: ["kubernetes.io/hostname", "rack", "*"],
    pick: "consistent-hash",
    weights: new Map([
      ["10.1.0.5", 3],
      ["web-2", 0],
      ["node-a", 256],
      ["fd00::1", 7],
    ]),
    countConnections: true,
    closeTcpFlows: true,
  });
});

const keys = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}`).join(",");

const WRONG: readonly [name: string, value: string, why: string][] = [
  ["topology-keys", "", '"" is no label key'],
  ["topology-keys", "a,,b", '"" is no label key'],
  ["topology-keys", "a b", '"a b" is no label key'],
  ["topology-keys", "-a", '"-a" is no label key'],
  ["topology-keys", "Example.com/a", '"Example.com/a" is no label key'],
  ["topology-keys", "a/b/c", '"a/b/c" is no label key'],
  ["topology-keys", "a".repeat(64), `"${"a".repeat(64)}" is no label key`],
  ["topology-keys", "*,a", '"*" may only be last'],
  ["topology-keys", "a,b,a", '"a" stands twice'],
  ["topology-keys", keys(17), "17 keys, at most 16"],
  ["pick", "maglev", '"maglev", expected "random" or "consistent-hash"'],
  ["weights", "a", '"a", expected an address, pod or node name, "=" and 0 to 256'],
  ["weights", "a=257", '"a=257", expected an address, pod or node name, "=" and 0 to 256'],
  ["weights", "a=-1", '"a=-1", expected an address, pod or node name, "=" and 0 to 256'],
  ["weights", "=1", '"=1", expected an address, pod or node name, "=" and 0 to 256'],
  ["weights", "a=1,a=2", '"a" stands twice'],
  ["count-connections", "yes", '"yes", expected "true" or "false"'],
  ["close-tcp-flows", "1", '"1", expected "true" or "false"'],
];

test("readWishes() ignores what is wrong, and says why", () => {
  for (const [name, value, why] of WRONG) {
    const full = `services.patchbay.dev/${name}`;
    const { wishes, problems } = read({ [full]: value });
    assert.deepEqual(problems, [`metadata.annotations[${full}] is ignored: ${why}`]);
    assert.deepEqual(wishes, read({}).wishes);
  }
  assert.deepEqual(read({ "services.patchbay.dev/topology-keys": keys(16) }).problems, []);
});

test("weightOf() prefers the address to the pod and the pod to the node", () => {
  const endpoint = sampleModelEndpoint("10.1.0.5", { podName: "web-2", nodeName: "node-a" });
  const rows: readonly [weights: Record<string, number>, expected: number][] = [
    [{ "10.1.0.5": 3, "web-2": 4, "node-a": 5 }, 3],
    [{ "web-2": 4, "node-a": 5 }, 4],
    [{ "node-a": 0 }, 0],
    [{ other: 9 }, 1],
  ];
  for (const [weights, expected] of rows) {
    assert.equal(weightOf(endpoint, new Map(Object.entries(weights))), expected);
  }
});
