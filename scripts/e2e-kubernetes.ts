// One node of a real Kubernetes with Patchbay as its only CNI and no kube-proxy: builds the programs once,
// brings the node up in a private node, runs test/kubernetes, takes everything down.
// Ends with a line "N passed, N failed, N skipped".
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { CGROUP_PREFIX } from "../test/kubernetes/cluster/cluster.ts";
import { findCgroups, listCgroups, removeCgroups } from "../test/cgroups.ts";
import { ensureBinaries } from "./kubernetes-binaries.ts";
import { kubernetesLane, runLane } from "./lanes.ts";
import { SetupError } from "./setup/step.js";

const usage = `Usage: npm run e2e:kubernetes [-- OPTION...]

Runs one node of a real Kubernetes (etcd, API server, scheduler, controller-manager, kubelet, containerd, runc)
with Patchbay as its only CNI plugin and no kube-proxy, inside a private node, and tests it with what nobody here
wrote. The programs are built by Go from pinned modules, the first time: about 9 minutes. Needs root.

  --only PATTERN  only tests whose names match this regular expression
  --keep          leave the cluster up after the tests, say how to use it, until Ctrl-C
  --help          this text

  npm run e2e:kubernetes -- --only "node is Ready" --keep   # a cluster to look at

After a failure all logs of the node's programs are in build/test/kubernetes-logs.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      keep: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const { only, keep } = values;
  await ensureBinaries((line) => console.log(`kubernetes: ${line}`));
  removeCgroupsOfTheDead();
  const cgroup = `${CGROUP_PREFIX}${process.pid}`;
  const lane = kubernetesLane({
    cgroup,
    ...(only !== undefined && { only }),
    ...(keep && { keep }),
  });
  console.log(`== ${lane.name}: ${lane.about}`);
  const startedMs = performance.now();
  const { passed, failed, skipped, skips } = await runLane(lane);
  // However the private node ended, all that was in it is dead by now.
  for (const folder of findCgroups(cgroup)) removeCgroups(folder);
  for (const skip of skips) console.log(`skipped: ${skip}`);
  console.log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || (passed === 0 && only === undefined) ? 1 : 0;
}

/** Cgroups are the machine's: those of a run that was killed, by the number of its process in their names. */
function removeCgroupsOfTheDead(): void {
  for (const folder of listCgroups(CGROUP_PREFIX)) {
    const [pid] = basename(folder).slice(CGROUP_PREFIX.length).split("-");
    if (pid !== "0" && !existsSync(`/proc/${pid}`)) removeCgroups(folder);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`kubernetes: ${error.message}`);
  console.log("0 passed, 1 failed, 0 skipped");
  process.exitCode = 1;
}
