import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findObstacle } from "./debian.js";
import { findOutput, machineEnvironment, repository, run, SetupError, say } from "./step.js";

const pinnedNode = join(repository, "node_modules/node/bin/node");

/** True when node_modules holds what package-lock.json says. Runs no program. */
export function npmPackagesMatch() {
  const installed = readPackages("node_modules/.package-lock.json");
  if (installed === undefined || !existsSync(pinnedNode)) return false;
  const wanted = readPackages("package-lock.json");
  if (wanted === undefined) throw new SetupError("Cannot read package-lock.json");
  return Object.entries(wanted).every(([name, entry]) => {
    const found = installed[name];
    // Optional ones are for other machines.
    if (name === "" || (found === undefined && entry.optional)) return true;
    return found?.version === entry.version && found?.integrity === entry.integrity;
  });
}

/** Runs `npm ci` when node_modules is not as package-lock.json says. */
export function ensureNpmPackages() {
  if (npmPackagesMatch()) return;
  say("Installing npm packages (npm ci)");
  // Without the checkout's own programs in PATH: npm ci removes them while it runs.
  run("npm", ["ci"], {
    env: machineEnvironment(),
    remedy:
      "check the network and that npm 9 or later is there (npm --version), then run this again",
  });
  if (!existsSync(pinnedNode)) installPinnedNode();
}

/** Throws SetupError unless the pinned Node runs and is the version that package.json pins. */
export function checkNode() {
  const wanted = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")).devDependencies
    .node;
  const found = findOutput(pinnedNode, ["--version"])?.trim();
  if (found === `v${wanted}`) return;
  if (found !== undefined) {
    throw new SetupError(
      `${pinnedNode} is ${found}, not v${wanted}: remove node_modules, run this again`,
    );
  }
  const packages = "libatomic1 libstdc++6";
  const remedy = findObstacle()
    ? `as root: apt-get install ${packages}`
    : `apt-get install ${packages}`;
  const said = findOutput("sh", ["-c", '"$0" --version 2>&1; true', pinnedNode])?.trim();
  throw new SetupError(
    `${pinnedNode} does not run: ${said}\nWhat to do: on Debian or Ubuntu, ${remedy}`,
  );
}

/** What the package's own install script does, for an npm that was told to ignore such scripts. */
function installPinnedNode() {
  say("Installing the pinned Node (npm ignored its install script)");
  run("node", ["installArchSpecificPackage.js"], {
    env: { ...machineEnvironment(), npm_config_global: "false" },
    cwd: join(repository, "node_modules/node"),
    remedy: "npm config set ignore-scripts false, remove node_modules, run this again",
  });
}

function readPackages(name) {
  try {
    return JSON.parse(readFileSync(join(repository, name), "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
