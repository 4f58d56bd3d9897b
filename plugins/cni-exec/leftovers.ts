import { readdirSync, readFileSync } from "node:fs";

/** Variable by which processes are found that a killed host has left running. */
export const OWNER_VARIABLE = "PATCHBAY_CNI_EXEC";

/** Its value: which host's, and which attachment's. */
export function ownerOf(folder: string, attachmentId: string): string {
  return `${folder}:${attachmentId}`;
}

const POLL_MS = 5;
/** Any process of any pod may carry the variable, and be started again for ever: it keeps nobody. */
const KILLS_MS = 2_000;

/**
 * Delegates of an earlier process of this host. They go on when it is killed: an ADD of theirs that
 * ended after our DEL would leave an interface and an address for ever.
 */
export class Leftovers {
  readonly #folder: string;
  #pids: Map<string, Set<number>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Resolves when none of an attachment is left: they are let end, and killed after `limitMs`. */
  async settle(attachmentId: string, limitMs: number): Promise<void> {
    this.#pids ??= findOwned(this.#folder);
    const owner = ownerOf(this.#folder, attachmentId);
    if (!this.#pids.has(owner)) return;
    const deadlineMs = performance.now() + limitMs;
    // Looked for anew each time: they have children, too.
    for (;;) {
      const pids = findOwned(this.#folder).get(owner);
      if (!pids || performance.now() > deadlineMs + KILLS_MS) break;
      if (performance.now() > deadlineMs) for (const pid of pids) kill(pid);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.#pids.delete(owner);
  }
}

/** Processes by owner. */
function findOwned(folder: string): Map<string, Set<number>> {
  const owned = new Map<string, Set<number>>();
  const prefix = `${OWNER_VARIABLE}=${folder}:`;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = readEnvironment(name).find((entry) => entry.startsWith(prefix));
    if (line === undefined) continue;
    const owner = line.slice(OWNER_VARIABLE.length + 1);
    owned.set(owner, (owned.get(owner) ?? new Set()).add(Number(name)));
  }
  return owned;
}

/** Empty for the dead that nobody has waited for. */
function readEnvironment(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
