import { spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { runInPrivateNode } from "./private-node.js";

const repository = join(import.meta.dirname, "..");
const testTimeoutMs = 120_000;
const laneTimeoutMs = 15 * 60_000;

/** How many tests a lane ran. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface LaneResult extends Counts {
  /** "name: reason" of each skipped test. */
  readonly skips: readonly string[];
}

/** A part of the tests. The order of the table is the order in which they run. */
export interface Lane {
  readonly name: string;
  readonly about: string;
  /** Files without which the lane cannot run: their absence is a failure, not a skip. */
  readonly needs: readonly string[];
  run(): Promise<LaneResult>;
}

export interface SimulationOptions {
  readonly steps: number;
}

/** Unit and kernel tests, beside the sources and below test/, inside a private node. */
export function unitLane(): Lane {
  return {
    name: "unit",
    about: "unit and kernel tests, in a private node",
    needs: ["src", "scripts"],
    run: () =>
      runNodeTests(
        "unit",
        findTests().filter((file) => !/^test\/(conformance|e2e|kubernetes|services)\//.test(file)),
      ),
  };
}

/** The shim's own tests. Outside a private node: cargo may have to fetch crates. */
export function shimLane(): Lane {
  return {
    name: "shim",
    about: "cargo test of the shim",
    needs: ["src/cni-shim/Cargo.toml", "build/setup.json"],
    async run() {
      const { cargo, rustc } = readSetup();
      const { code, output } = await runAndRead(cargo, ["test", "--locked"], {
        cwd: join(repository, "src/cni-shim"),
        env: { ...process.env, RUSTC: rustc },
      });
      return withExitCode(parseCargo(output), code);
    },
  };
}

/** The host's core on its fakes, a fixed number of steps on fresh seeds. Counts as one test. */
export function simulationLane(options: SimulationOptions): Lane {
  const main = "test/simulation/main.ts";
  return {
    name: "simulation",
    about: `${options.steps} steps of the simulator on fresh seeds`,
    needs: [main],
    async run() {
      const args = [main, "--steps", String(options.steps), "--seeds", "fresh"];
      const { code } = await runAndRead(process.execPath, args, { cwd: repository });
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, skips: [] };
    },
  };
}

/** The real host with real peers, inside a private node. */
export function e2eLane(): Lane {
  return {
    name: "e2e",
    about: "end-to-end tests with real peers, in a private node",
    needs: ["test/e2e", "build/cni/patchbay"],
    run: () =>
      runNodeTests(
        "e2e",
        findTests().filter((file) => file.startsWith("test/e2e/")),
      ),
  };
}

/** Services with real packets between namespaces, inside a private node. */
export function servicesLane(): Lane {
  return {
    name: "services",
    about: "Services with real packets between namespaces, in a private node",
    needs: ["test/services", "build/cni/patchbay"],
    run: () =>
      runNodeTests(
        "services",
        findTests().filter((file) => file.startsWith("test/services/")),
      ),
  };
}

/** Every network plugin held against the contract, and a fault for each rule, inside a private node. */
export function conformanceLane(): Lane {
  return {
    name: "conformance",
    about: "network plugins held against the contract, in a private node",
    needs: ["test/conformance"],
    run: () =>
      runNodeTests(
        "conformance",
        findTests().filter((file) => file.startsWith("test/conformance/")),
      ),
  };
}

export interface KubernetesOptions {
  /** A regular expression: only tests with such a name. */
  readonly only?: string;
  /** When the tests are done, the cluster stays up until a signal comes. */
  readonly keep?: boolean;
  /** Parent of all pods' cgroups: the caller removes what may be left of it. */
  readonly cgroup: string;
}

/** One node of a real Kubernetes, inside a private node. Not part of `npm test`: `npm run e2e:kubernetes`. */
export function kubernetesLane({ only, keep, cgroup }: KubernetesOptions): Lane {
  // A developer may have two of them.
  const report = `kubernetes-${process.pid}`;
  return {
    name: "kubernetes",
    about: "one node of a real Kubernetes, in a private node",
    needs: ["test/kubernetes/node.test.ts", "build/cni/patchbay"],
    run: () =>
      runTestPrograms(report, {
        // The file itself, and no runner around it: steps are seen as they happen, and no limit is on the whole.
        args: [
          ...(only === undefined ? [] : [`--test-name-pattern=${only}`]),
          ...reportTo(report),
          "test/kubernetes/node.test.ts",
        ],
        env: { PATCHBAY_LANE_CGROUP: cgroup, ...(keep && { PATCHBAY_LANE_KEEP: "1" }) },
        ...(keep && { limitMs: 24 * 3_600_000 }),
      }),
  };
}

/** Runs a lane; whatever keeps it from running counts as a failure. */
export async function runLane(lane: Lane): Promise<LaneResult> {
  const missing = lane.needs.filter((name) => !existsSync(join(repository, name)));
  if (missing.length > 0) {
    console.error(`Cannot run lane ${lane.name}: ${missing.join(", ")} is missing`);
    return { passed: 0, failed: 1, skipped: 0, skips: [] };
  }
  return await lane.run();
}

/** Test files of the checkout, sorted. */
function findTests(): string[] {
  return globSync(["{src,plugins,test,bench,scripts}/**/*.test.ts"], {
    cwd: repository,
    exclude: (name) => name === "target" || name === "generated",
  }).toSorted();
}

async function runNodeTests(name: string, files: readonly string[]): Promise<LaneResult> {
  if (files.length === 0) {
    console.error(`Lane ${name} has no test files`);
    return { passed: 0, failed: 1, skipped: 0, skips: [] };
  }
  const args = [
    "--test",
    `--test-timeout=${testTimeoutMs}`,
    `--test-concurrency=${availableParallelism()}`,
    ...reportTo(name),
    ...files,
  ];
  return await runTestPrograms(name, { args });
}

/** For people, and as TAP for parseTap(). */
function reportTo(name: string): string[] {
  return [
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=tap",
    `--test-reporter-destination=${reportOf(name)}`,
  ];
}

function reportOf(name: string): string {
  return join(repository, "build/test", `${name}.tap`);
}

/** Runs Node with arguments that have it report to reportOf(name). */
async function runTestPrograms(
  name: string,
  {
    args,
    env = {},
    limitMs = laneTimeoutMs,
  }: { args: readonly string[]; env?: NodeJS.ProcessEnv; limitMs?: number },
): Promise<LaneResult> {
  const report = reportOf(name);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  // A test that failed half-way may leave a handle open, and its file runs on for ever then.
  // (--test-force-exit is no help: it loses results that are still on their way.)
  let timer: NodeJS.Timeout | undefined;
  const code = await runInPrivateNode(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
    onSpawn: (child) => {
      timer = setTimeout(() => {
        console.error(`Lane ${name} has not ended after ${limitMs / 60_000} minutes: ended`);
        child.kill("SIGTERM");
      }, limitMs);
    },
  });
  clearTimeout(timer);
  const result = parseTap(existsSync(report) ? readFileSync(report, "utf8") : "");
  if (name.endsWith(`-${process.pid}`)) rmSync(report, { force: true });
  return withExitCode(result, code);
}

/** Reads the summary that node's TAP reporter ends with, and the reasons of skips. */
export function parseTap(text: string): LaneResult {
  const count = (word: string) =>
    Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  const skips = [...text.matchAll(/^\s*ok \d+ - (.*?) # (?:SKIP|TODO) ?(.*)$/gm)];
  return {
    passed: count("pass"),
    failed: count("fail") + count("cancelled"),
    skipped: count("skipped") + count("todo"),
    skips: skips.map(([, name, reason]) => (reason ? `${name}: ${reason}` : `${name}`)),
  };
}

/** Adds up the "test result" lines of cargo test: one for each test program. */
export function parseCargo(text: string): LaneResult {
  const line = /^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm;
  const skips = [...text.matchAll(/^test (\S+) \.\.\. ignored(?:, (.*))?$/gm)];
  const sums = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of text.matchAll(line)) {
    sums.passed += Number(passed);
    sums.failed += Number(failed);
    sums.skipped += Number(ignored);
  }
  return {
    ...sums,
    skips: skips.map(([, name, reason]) => (reason ? `${name}: ${reason}` : `${name}`)),
  };
}

/** A program that failed without a failed test, or ran no test, has failed itself. */
export function withExitCode(result: LaneResult, code: number): LaneResult {
  const ran = result.passed + result.failed + result.skipped;
  const failedItself = result.failed === 0 && (code !== 0 || ran === 0);
  return failedItself ? { ...result, failed: 1 } : result;
}

/** What the set-up wrote down of the machine. */
function readSetup(): { cargo: string; rustc: string } {
  const text = readFileSync(join(repository, "build/setup.json"), "utf8");
  return JSON.parse(text) as { cargo: string; rustc: string };
}

/** Runs a program, shows its output as it comes, and gives it. */
function runAndRead(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "inherit"] });
    const chunks: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output: chunks.join("") }));
  });
}
