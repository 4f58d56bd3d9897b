import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubernetesStatus__Output } from "../rpc/generated/patchbay/host/v1/KubernetesStatus.ts";
import type { KubernetesWatch__Output } from "../rpc/generated/patchbay/host/v1/KubernetesWatch.ts";
import { FAKE_NOW_MS, runCli } from "./fake-context.ts";
import { fakeStatus } from "./fake-node.ts";

function watch(
  resource: string,
  changes: Partial<KubernetesWatch__Output> = {},
): KubernetesWatch__Output {
  return {
    ...{ resource, phase: "watching", trouble: "", objects: 3, resourceVersion: "17" },
    ...{ lists: 1, watches: 1, heardMs: FAKE_NOW_MS - 5_000 },
    ...changes,
  };
}

const absent = watch("ipamclaims.k8s.cni.cncf.io", { phase: "absent", objects: 0, heardMs: 0 });
const cluster: KubernetesStatus__Output = {
  server: "https://192.0.2.10:6443",
  nodeName: "worker-1",
  podCidrs: ["10.244.3.0/24", "fd00:3::/64"],
  watches: [watch("services"), watch("pods"), absent],
  unready: "",
};

/** What `patchbay status` says between CNI calls and networks, and its exit code. */
async function show(changes: Partial<KubernetesStatus__Output>) {
  const kubernetes = { ...cluster, ...changes };
  const host = { getStatus: async () => fakeStatus({ kubernetes }) };
  const { stdout, exitCode } = await runCli(["status"], { host });
  const lines = stdout.split("\n");
  return {
    exitCode,
    lines: lines.slice(2, lines.findIndex((line) => line.startsWith("NETWORK")) - 1),
  };
}

test("status shows a cluster that is followed in one line", async () => {
  const { lines, exitCode } = await show({});
  assert.deepEqual(lines, [
    "Kubernetes: node worker-1, 10.244.3.0/24 and fd00:3::/64, from https://192.0.2.10:6443: 2 resources, 6 objects",
  ]);
  assert.equal(exitCode, 0);
});

test("status says once what is wrong with all watches", async () => {
  const trouble = "Cannot connect to https://192.0.2.10:6443: connect ECONNREFUSED";
  const down = { phase: "broken", trouble };
  const later = watch("pods", { ...down, heardMs: FAKE_NOW_MS - 3_000 });
  const { lines, exitCode } = await show({ watches: [watch("services", down), later, absent] });
  assert.deepEqual(lines, [
    "Kubernetes: node worker-1, 10.244.3.0/24 and fd00:3::/64, from https://192.0.2.10:6443: nothing is followed",
    `${trouble}; last heard of 3 s ago, what is known stays in force`,
  ]);
  assert.equal(exitCode, 0);
});

test("status says once what keeps pods away and is wrong with all watches", async () => {
  const trouble = "Cannot connect to https://192.0.2.10:6443: connect ECONNREFUSED";
  const unready = `No first list of services came from https://192.0.2.10:6443 yet: ${trouble}`;
  const down = watch("services", { phase: "broken", trouble, heardMs: 0 });
  const { lines, exitCode } = await show({ watches: [down], unready });
  assert.deepEqual(lines.slice(1), [`No pods should come yet: ${unready}`]);
  assert.equal(exitCode, 1);
});

test("status shows every watch where one is not as it should be, and exits 1 where pods should not come", async () => {
  const broken = watch("pods", { phase: "broken", trouble: "connect ECONNREFUSED\u001b[2J" });
  const { lines, exitCode } = await show({
    ...{ nodeName: "", podCidrs: [], unready: "the first list of pods is awaited" },
    watches: [watch("services", { phase: "restored" }), broken, absent],
  });
  assert.deepEqual(lines, [
    "Kubernetes: Node object not known, from https://192.0.2.10:6443: not all is followed",
    "No pods should come yet: the first list of pods is awaited",
    "",
    "WATCH                       OBJECTS    HEARD  STATE",
    "services                          3  5 s ago  restored",
    "pods                              3  5 s ago  broken: connect ECONNREFUSED\\u{1b}[2J",
    "ipamclaims.k8s.cni.cncf.io        0    never  absent",
  ]);
  assert.equal(exitCode, 1);
});
