import assert from "node:assert/strict";
import { test } from "node:test";
import type { Explanation } from "../../services/table-types.ts";
import type { PodTestimony } from "../core/ports.ts";
import { examineKubernetes, examinePublishing, examineRuntime } from "./kubernetes-doctor.ts";
import type { TokenLife } from "./api.ts";
import type { KubernetesView, OwnNode, WatchState } from "./view.ts";

const NODE: OwnNode = {
  name: "n1",
  uid: "u",
  podCidrs: ["10.244.3.0/24", "fd00:3::/64"],
  networkUnavailable: undefined,
};

function watch(resource: string, changes: Partial<WatchState> = {}): WatchState {
  return {
    resource,
    ...{ phase: "watching", trouble: "", objects: 3, resourceVersion: "17" },
    ...{ lists: 1, watches: 1, heardMs: 1_700_000_000_000 },
    ...changes,
  };
}

const WATCHES = [watch("nodes (own)"), watch("services"), watch("pods")];

/** "severity check: message" of everything found, a remedy where there is one. */
function examine(
  { tokenLife, ...changes }: Partial<KubernetesView> & { readonly tokenLife?: TokenLife },
  verdict: Explanation["verdict"] = "no-service",
) {
  const view: KubernetesView = {
    node: NODE,
    pods: {
      isCurrent: true,
      size: 0,
      get: () => undefined,
      find: () => undefined,
      *[Symbol.iterator]() {},
    },
    watches: WATCHES,
    server: "https://192.0.2.10:6443",
    listen: () => () => {},
    ...changes,
  };
  const asked: unknown[] = [];
  const table = {
    explain: (question: unknown) => {
      asked.push(question);
      return { verdict } as Explanation;
    },
  };
  const findings = examineKubernetes(view, {
    table,
    nodeName: "n1",
    tokenLife,
    nowMs: 1_000_000_000_000,
  });
  for (const { severity, remedy } of findings) assert.equal(remedy === "", severity === "ok");
  const lines = findings.map(({ severity, check, message }) => `${severity} ${check}: ${message}`);
  return { lines, asked, remedies: findings.flatMap(({ remedy }) => (remedy ? [remedy] : [])) };
}

test("examineKubernetes() finds nothing wrong with a cluster that is followed", () => {
  assert.deepEqual(examine({}).lines, [
    "ok kubernetes-api: https://192.0.2.10:6443 is followed: nodes (own), services, pods",
    "ok kubernetes-node: Pods of node n1 have 10.244.3.0/24 and fd00:3::/64",
  ]);
});

test("examineKubernetes() says once, and since when, that the API server cannot be reached", () => {
  const trouble = "connect ECONNREFUSED 192.0.2.10:6443";
  const watches = WATCHES.map((each) => ({ ...each, phase: "broken" as const, trouble }));
  watches[1] = { ...watches[1]!, heardMs: 1_700_000_060_000 };
  const { lines } = examine({ watches });
  assert.deepEqual(
    lines[0],
    `error kubernetes-api: The API server https://192.0.2.10:6443 cannot be followed since 2023-11-14T22:14:20.000Z: ${trouble}`,
  );
  const never = watches.map((each) => ({ ...each, heardMs: 0 }));
  assert.match(examine({ watches: never }).lines[0] ?? "", /since the host started/);
});

test("examineKubernetes() says once who lacks which rights", () => {
  const trouble = "user system:node:n1 lacks the rights to list and watch";
  const broken = (resource: string) => watch(resource, { phase: "broken", trouble, heardMs: 0 });
  const some = examine({ watches: [broken("nodes (own)"), broken("pods"), watch("services")] });
  assert.deepEqual(
    some.lines[0],
    `error kubernetes-api: Cannot follow nodes (own), pods since the host started: ${trouble}`,
  );
  assert.match(some.remedies[0] ?? "", /kubectl apply -f deploy\/kubernetes\/rbac\.yaml$/);
  const own = examine({ watches: [broken("nodes (own)"), watch("pods")] });
  assert.match(own.lines[0] ?? "", /^error kubernetes-nodes: Cannot follow nodes \(own\) since/);
  const all = examine({ watches: [broken("nodes (own)"), broken("pods")] });
  assert.match(
    all.lines[0] ?? "",
    /^error kubernetes-api: The API server https:.* cannot be followed/,
  );
  assert.deepEqual(all.remedies, own.remedies);
});

test("examineKubernetes() says each trouble of some resources once", () => {
  const troubles = ["a", "b", "a", ""];
  const watches = troubles.map((trouble, index) =>
    watch(`r${index}`, { trouble, phase: trouble ? "broken" : "watching" }),
  );
  assert.deepEqual(
    examine({ watches }).lines.slice(0, 2),
    ["r0, r2 since 2023-11-14T22:13:20.000Z: a", "r1 since 2023-11-14T22:13:20.000Z: b"].map(
      (text, index) =>
        `error ${index === 0 ? "kubernetes-api" : "kubernetes-r1"}: Cannot follow ${text}`,
    ),
  );
});

test("examineKubernetes() warns of a token that ends soon, by its own measure", () => {
  const say = (beforeMs: number, afterMs: number, watches = WATCHES) => {
    const nowMs = 1_000_000_000_000;
    const tokenLife = { begunMs: nowMs - beforeMs, endMs: nowMs + afterMs };
    return examine({ tokenLife, watches }).lines.find((line) => line.includes("kubernetes-token"));
  };
  assert.match(say(80, 20) ?? "", /^ok .* ends at 2001-09-09T01:46:40\.020Z$/);
  assert.match(say(95, 5) ?? "", /^warning /);
  assert.match(say(95, 0) ?? "", /^error .* ended at /);
  const refused = watch("pods", { phase: "broken", trouble: "its token ended at 2001-09-09" });
  assert.equal(say(95, 0, [refused]), undefined);
});

test("examinePublishing() says which right is lacking for what", () => {
  assert.deepEqual(examinePublishing([]), []);
  const what = "condition NetworkUnavailable of node n1";
  const [finding] = examinePublishing([{ what, message: "403", rights: "patch on nodes/status" }]);
  assert.equal(finding?.severity, "error");
  assert.equal(finding?.message, `Cannot write ${what}: 403`);
  assert.match(finding?.remedy ?? "", /patch on nodes\/status: kubectl apply/);
});

test("examineKubernetes() notes kinds that the server does not have", () => {
  const absent = watch("ipamclaims.k8s.cni.cncf.io", { phase: "absent", heardMs: 0 });
  const { lines, remedies } = examine({ watches: [...WATCHES, absent] });
  assert.match(lines[1] ?? "", /^ok kubernetes-kinds: .*ipamclaims.*crds\.yaml$/);
  assert.deepEqual(remedies, []);
});

test("examineKubernetes() warns of what is not confirmed yet", () => {
  const watches = [...WATCHES, watch("services", { phase: "restored" })];
  assert.equal(
    examine({ watches }).lines[0],
    "warning kubernetes-api: Not yet followed: services (restored)",
  );
});

test("examineKubernetes() tells a node without ranges from one that is not there", () => {
  const bare = examine({ node: { ...NODE, podCidrs: [] } });
  assert.equal(bare.lines[1], "warning kubernetes-node: Node n1 has no spec.podCIDRs");
  assert.equal(
    examine({ node: undefined }).lines[1],
    "error kubernetes-node: The cluster has no Node n1",
  );
  const unread = [watch("nodes (own)", { phase: "listing" }), ...WATCHES.slice(1)];
  assert.equal(examine({ node: undefined, watches: unread }).lines.length, 1);
});

test("examineKubernetes() warns of a server whose address is a Service of this host", () => {
  const server = "https://[fd00:10:96::1]";
  const { lines, asked } = examine({ server }, "forward");
  assert.match(
    lines[2] ?? "",
    /^warning kubernetes-server: https:\/\/\[fd00:10:96::1\] is a Service/,
  );
  assert.deepEqual(asked, [
    { source: { kind: "node" }, address: "fd00:10:96::1", protocol: "TCP", port: 443 },
  ]);
  assert.deepEqual(examine({ server: "https://api.example:6443" }, "forward").asked, []);
});

test("examineRuntime() tells a runtime that answers from one that does not", async () => {
  const answers = (witness: PodTestimony["witness"]) => ({
    ask: () => Promise.resolve([{ witness, has: () => true } as unknown as PodTestimony]),
  });
  const here = await examineRuntime("/run/c.sock", answers("not-in-sandbox-list"));
  assert.equal(here.severity, "ok");
  const silent = await examineRuntime("/run/c.sock", answers("not-in-pod-list"));
  assert.equal(silent.severity, "warning");
  assert.match(silent.message ?? "", /\/run\/c\.sock does not answer/);
});
