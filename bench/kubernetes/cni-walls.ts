import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CNI_BIN_DIR } from "../../test/kubernetes/cluster/runtime-config.ts";

const program: string = join(import.meta.dirname, "../../build/bench-wall");
/** As bench/native/wall.c has them. */
const timedFolder = "/opt/cni/timed";
const logFile = "/run/cni-walls";

/** How long the runtime waits for each CNI plugin: bench-wall in their places, the same for all. */
export class CniWalls {
  private constructor() {}

  /** From here on, of these plugins in /opt/cni/bin; what was noted before is forgotten. */
  static begin(plugins: readonly string[]): CniWalls {
    mkdirSync(timedFolder, { recursive: true });
    rmSync(logFile, { force: true });
    for (const name of plugins) {
      const place = join(CNI_BIN_DIR, name);
      copyFileSync(place, join(timedFolder, name));
      copyFileSync(program, `${place}.new`);
      renameSync(`${place}.new`, place);
    }
    return new CniWalls();
  }

  /** Of the ADDs that succeeded, us each. Throws when one failed. */
  adds(): number[] {
    const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
    const adds = lines.map((line) => line.split(" ")).filter(([command]) => command === "ADD");
    return adds.map(([, name, us, exit]) => {
      if (exit !== "0") throw new Error(`An ADD of ${name} failed with ${exit}`);
      return Number(us);
    });
  }
}
