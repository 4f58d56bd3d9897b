/** One node of a real Kubernetes, with Patchbay as its only network plugin and no kube-proxy. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { after, afterEach, before, beforeEach, describe } from "node:test";
import { Cluster, findSkipReason } from "./cluster/cluster.ts";
import { Lane } from "./lane.ts";
import { changesSuite } from "./suites/changes-suite.ts";
import { deathsSuite } from "./suites/deaths-suite.ts";
import { networksSuite } from "./suites/networks-suite.ts";
import { nodeSuite } from "./suites/node-suite.ts";
import { outageSuite } from "./suites/outage-suite.ts";
import { rebootSuite } from "./suites/reboot-suite.ts";
import { servicesSuite } from "./suites/services-suite.ts";

const startedMs = performance.now();
const logFolder = join(import.meta.dirname, "../../build/test/kubernetes-logs");
const TEST_LIMIT_MS = 180_000;

function say(line: string): void {
  console.log(`[${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s] ${line}`);
}

const skip = findSkipReason() ?? false;

describe("a node of Kubernetes", { skip, timeout: 20 * 60_000 }, () => {
  let cluster: Cluster | undefined;
  let lane: Lane;

  before(
    async () => {
      cluster = await Cluster.start({ say });
      lane = new Lane(cluster, (step) => say(`  ${step}`));
    },
    { timeout: TEST_LIMIT_MS },
  );

  beforeEach((context) => say(`test: ${context.name}`));

  afterEach((context) => {
    if (!("error" in context) || context.passed || !cluster) return;
    cpSync(join(cluster.folder, "logs"), logFolder, { recursive: true });
    say(`FAILED: ${context.name}\n${inspect(context.error)}\nAll logs: ${logFolder}`);
    console.log(cluster.describeLogs("patchbay", "kubelet"));
  });

  after(
    async () => {
      if (!cluster) return;
      lane.stopLoads();
      if (process.env["PATCHBAY_LANE_KEEP"] === "1") await keep(cluster);
      await cluster[Symbol.asyncDispose]();
      say("everything is taken down");
    },
    { timeout: 24 * 3_600_000 },
  );

  const current = () => lane;
  nodeSuite(current);
  servicesSuite(current);
  networksSuite(current);
  changesSuite(current);
  deathsSuite(current);
  outageSuite(current);
  rebootSuite(current);
});

/** Leaves the cluster up until a signal comes. */
async function keep(cluster: Cluster): Promise<void> {
  say(`The cluster stays up. In another terminal, as root:
  nsenter --target "$(pgrep --newest --full test/kubernetes/node.test.ts)" --all --wd=/
  export KUBECONFIG=${cluster.kubeconfig}; ${cluster.program("kubectl")} get nodes
  nsenter --net=${cluster.node.netns} nft list ruleset     # on the node; logs: ${cluster.folder}/logs
Ctrl-C takes it down.`);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {}, 60_000);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        clearInterval(timer);
        resolve();
      });
    }
  });
}
