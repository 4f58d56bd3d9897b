import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import { benchCni } from "./cni.ts";
import { benchHostMemory } from "./host-memory.ts";
import { benchIpam } from "./ipam.ts";
import { benchKernelAttach } from "./kernel-attach.ts";
import { benchKubernetes, findKubernetesObstacle } from "./kubernetes/kubernetes.ts";
import { describeMachine } from "./machine.ts";
import { benchNetworks } from "./networks/networks.ts";
import {
  findClusterPart,
  formatClusterPart,
  formatJson,
  formatPage,
  formatTable,
  partsOf,
  replaceClusterPart,
  type Report,
} from "./report.ts";
import { type BenchRow, isMet } from "./rows.ts";
import { benchServices } from "./services/services.ts";
import { benchShim } from "./shim.ts";
import { benchSimulation } from "./simulation.ts";

const usage = `Usage: npm run bench [-- OPTION...]

Measures Patchbay beside Debian's bridge + host-local, and its Services beside a chain for each, and prints
a table. Writes build/bench.json; a whole run also docs/performance.md and the charts beside it. About
a quarter of an hour, of which services take nearly five minutes. Step networks builds examples/go.
Step kubernetes takes another quarter; it is left out where its programs are not built (node_modules/.bin/node
scripts/kubernetes-binaries.ts, 9 minutes), and by itself writes its part of docs/performance.md.

  --only NAME   cni, kernel, shim, host, ipam, simulation, networks, services or kubernetes; may be repeated
  --quick       few samples: to see that it works, a minute
  --json FILE   where the JSON goes instead
  --help        this text

Exit code: 0 all targets met, 1 some missed, 2 it could not be measured.`;

interface Step {
  readonly name: string;
  /** Why it cannot run here; undefined when it can. Without --only it is left out then. */
  findObstacle?(): string | undefined;
  run(how: How): Promise<BenchRow[]> | BenchRow[];
}

interface How {
  readonly folder: string;
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}

const steps: readonly Step[] = [
  { name: "cni", run: benchCni },
  { name: "kernel", run: benchKernelAttach },
  { name: "shim", run: benchShim },
  { name: "host", run: benchHostMemory },
  { name: "ipam", run: () => benchIpam() },
  { name: "simulation", run: benchSimulation },
  { name: "networks", run: benchNetworks },
  { name: "services", run: benchServices },
  { name: "kubernetes", run: benchKubernetes, findObstacle: findKubernetesObstacle },
];

const repository: string = join(import.meta.dirname, "..");

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const unknown = values.only.find((name) => !steps.some((step) => step.name === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown} is no step\n\n${usage}`);
  if (process.env["PATCHBAY_PRIVATE_NODE"] !== "1") {
    throw new Error("Run it by npm run bench: it needs a private node");
  }
  const chosen = chooseSteps(values.only);
  buildNative();
  const rows = await measure(chosen, values.quick);
  const report: Report = { machine: describeMachine(), rows, quick: values.quick };
  console.log(`\n${formatTable(report)}`);
  writeFileSync(values.json ?? join(repository, "build/bench.json"), formatJson(report));
  if (!values.quick) writePage(chosen, report);
  return rows.some((row) => isMet(row) === false) ? 1 : 0;
}

/** All of docs/performance.md after a whole run; the part of a real Kubernetes whenever that was measured. */
function writePage(chosen: readonly Step[], report: Report): void {
  const docs = join(repository, "docs");
  const page = join(docs, "performance.md");
  const { pods, networks, services, cluster } = partsOf(report.rows);
  const old = existsSync(page) ? readFileSync(page, "utf8") : "";
  const part = cluster.length > 0 ? formatClusterPart(report) : findClusterPart(old);
  const isWhole = steps.every((step) => chosen.includes(step) || step.name === "kubernetes");
  if (isWhole) {
    writeFileSync(page, formatPage(report, part));
    writeFileSync(join(docs, "performance.svg"), drawChart(pods));
    writeFileSync(join(docs, "performance-networks.svg"), drawChart(networks));
    writeFileSync(join(docs, "performance-services.svg"), drawChart(services));
  } else if (cluster.length > 0) {
    writeFileSync(page, replaceClusterPart(old, part));
  }
  if (cluster.length > 0) {
    writeFileSync(join(docs, "performance-kubernetes.svg"), drawChart(cluster));
  }
  if (isWhole || cluster.length > 0) {
    console.log("\nWrote docs/performance.md and the charts beside it");
  }
}

/** All that can run where none is named. Throws where a named one cannot. */
function chooseSteps(only: readonly string[]): Step[] {
  return steps.filter((step) => {
    const { name } = step;
    if (only.length > 0 && !only.includes(name)) return false;
    const obstacle = step.findObstacle?.();
    if (obstacle === undefined) return true;
    if (only.length > 0) throw new Error(`Cannot run ${name}: ${obstacle}`);
    console.error(`Left out: ${name}: ${obstacle}`);
    return false;
  });
}

async function measure(chosen: readonly Step[], quick: boolean): Promise<BenchRow[]> {
  // On a disk, not in the private node's memory: the database must cost what it costs.
  mkdirSync(join(repository, "build"), { recursive: true });
  const folder = mkdtempSync(join(repository, "build/bench-"));
  const startedMs = Date.now();
  const progress = (line: string): void => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
    console.error(`${seconds.padStart(4)} s  ${line}`);
  };
  try {
    const rows: BenchRow[] = [];
    for (const step of chosen) {
      progress(`${step.name} ...`);
      rows.push(...(await step.run({ folder, quick, progress })));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function buildNative(): void {
  const run = spawnSync("make", ["--silent", "-C", join(import.meta.dirname, "native")], {
    stdio: "inherit",
  });
  if (run.status !== 0) throw new Error("Cannot build bench/native: is a C compiler installed?");
  if (!existsSync("/usr/lib/cni/bridge")) {
    throw new Error(
      "Cannot compare: no /usr/lib/cni/bridge (apt-get install containernetworking-plugins)",
    );
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
