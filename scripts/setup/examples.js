import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { aptInstall, findCandidate, findObstacle } from "./debian.js";
import { findOutput, machineEnvironment, repository, run, SetupError, say } from "./step.js";

// Go before 1.21 does not fetch the toolchain that a go.mod asks for.
const oldestGo = [1, 21];

/** The examples that are built: each with the program of the machine that builds it, and which files it is built from. */
const examples = [
  { name: "go", tool: "go", folders: ["/usr/local/go/bin"], inputs: /./, build: buildGo },
  // The plugin runs from its sources: what is built is what it imports.
  { name: "python", tool: "python3", folders: [], inputs: /\.(sh|txt|proto)$/, build: buildPython },
];

/** Names of examples that are not built as they are now. Runs no program. */
export function findUnbuiltExamples() {
  return examples.filter((each) => isHere(each) && !isBuilt(each)).map(({ name }) => name);
}

/**
 * Builds the examples that changed into build/examples/. Where Go or Python cannot be had, or a build
 * fails, says so and goes on: the stamp has the reason, and the tests of that example are skipped by it.
 */
export function buildExamples() {
  for (const example of examples) {
    if (!isHere(example) || isBuilt(example)) continue;
    const { name, build } = example;
    say(`Building examples/${name}`);
    const startedMs = Date.now();
    const built = keyOf(example);
    try {
      build(targetOf(name));
      writeStamp(name, { key: built, reason: "" });
      say(`Built examples/${name} in ${Math.round((Date.now() - startedMs) / 1000)} s`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      // What is missing stays missing until the machine changes; what failed is tried again.
      const key = error instanceof Unavailable ? keyOf(example) : "";
      writeStamp(name, { key, reason: error.message.split("\n", 1)[0] });
      say(`GOING ON WITHOUT examples/${name}: its tests are skipped.\n${error.message}`);
    }
  }
}

class Unavailable extends SetupError {}

function buildGo(target) {
  const go = findGo() ?? installGo();
  const path = [dirname(go), machineEnvironment().PATH].join(delimiter);
  run("sh", [join(repository, "examples/go/build.sh"), target], {
    // auto: an older Go fetches the one that go.mod asks for.
    env: { ...machineEnvironment(), PATH: path, GOTOOLCHAIN: "auto", GOFLAGS: "" },
    remedy: "check the network (proxy.golang.org), then run this again",
  });
}

function findGo() {
  return findPrograms(examples[0]).find((file) => {
    // In a folder without go.mod: it answers for itself, and fetches nothing.
    const options = { env: machineEnvironment(), cwd: "/" };
    const text = findOutput(file, ["version"], options);
    return isNewEnough(/go(\d+\.\d+)/.exec(text ?? "")?.[1]);
  });
}

function installGo() {
  const version = oldestGo.join(".");
  const obstacle =
    findObstacle() ??
    (isNewEnough(findCandidate("golang-go")) ? undefined : "apt-get knows none as new");
  if (obstacle) throw new Unavailable(`No Go ${version} or later (${obstacle}): https://go.dev/dl`);
  aptInstall(["golang-go"]);
  const installed = findGo();
  if (!installed) throw new Unavailable(`golang-go gives no Go ${version} or later`);
  return installed;
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1]);
}

function buildPython(target) {
  const python = findPython() ?? installPython();
  run("sh", [join(repository, "examples/python/build.sh"), target], {
    env: { ...machineEnvironment(), PYTHON: python },
    remedy: "check the network (pypi.org), then run this again",
  });
}

function findPython() {
  return findPrograms(examples[1]).find(
    // Debian's python3 comes without what makes virtual environments.
    (file) =>
      findOutput(file, ["-c", "import ensurepip, venv"], { env: machineEnvironment() }) !==
      undefined,
  );
}

function installPython() {
  const obstacle = findObstacle();
  if (obstacle) throw new Unavailable(`No python3 with venv (${obstacle}): install python3-venv`);
  aptInstall(["python3", "python3-venv"]);
  const installed = findPython();
  if (!installed) throw new Unavailable("python3-venv gives no python3 with venv");
  return installed;
}

/** Files of that name in the machine's PATH and in the folders where they are wont to be. */
function findPrograms({ tool, folders }) {
  const path = [...machineEnvironment().PATH.split(delimiter), ...folders];
  return path.map((folder) => join(folder, tool)).filter(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isHere({ name }) {
  return existsSync(join(repository, "examples", name, "build.sh"));
}

function isBuilt(example) {
  const stamp = readStamp(example.name);
  if (stamp?.key !== keyOf(example)) return false;
  return stamp.reason !== "" || existsSync(targetOf(example.name));
}

/** Changes with the sources, the contract, and the programs that there are to build it. */
function keyOf(example) {
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ arch: process.arch, programs: findPrograms(example) }));
  for (const folder of [join("examples", example.name), "proto/patchbay/plugin"]) {
    for (const file of listFiles(join(repository, folder)).toSorted()) {
      if (!example.inputs.test(file)) continue;
      const content = readFileSync(file);
      hash.update(`\0${relative(repository, file)}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest("hex");
}

const notSources = new Set(["build", "gen", "README.md", "__pycache__"]);

function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !notSources.has(entry.name))
    .flatMap((entry) => {
      const name = join(folder, entry.name);
      return entry.isDirectory() ? listFiles(name) : [name];
    });
}

function targetOf(name) {
  return join(repository, "build/examples", name);
}

/** test/examples.ts reads it. */
function stampOf(name) {
  return join(repository, "build/examples", `${name}.json`);
}

function readStamp(name) {
  try {
    const { key, reason } = JSON.parse(readFileSync(stampOf(name), "utf8"));
    return { key: String(key), reason: String(reason) };
  } catch {
    return undefined;
  }
}

function writeStamp(name, stamp) {
  mkdirSync(dirname(stampOf(name)), { recursive: true });
  const temporary = `${stampOf(name)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(stamp)}\n`);
  renameSync(temporary, stampOf(name));
}
