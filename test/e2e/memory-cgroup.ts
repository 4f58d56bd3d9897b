import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const mount = "/sys/fs/cgroup";
const prefix = "patchbay-memory-";
/** How long the kernel may take to see a process's end, ms. */
const EMPTY_LIMIT_MS = 5_000;

/** Names of the same files in cgroup v2 and in the memory controller of v1 (Documentation/admin-guide). */
interface Layout {
  readonly folder: string;
  readonly limit: string;
  /** Memory with swap (v1) or swap alone (v2). */
  readonly swap: string;
  readonly peak: string;
  /** Has a line "oom_kill N". */
  readonly events: string;
}

const V1: Layout = {
  folder: join(mount, "memory"),
  limit: "memory.limit_in_bytes",
  swap: "memory.memsw.limit_in_bytes",
  peak: "memory.max_usage_in_bytes",
  events: "memory.oom_control",
};

const V2: Layout = {
  folder: mount,
  limit: "memory.max",
  swap: "memory.swap.max",
  peak: "memory.peak",
  events: "memory.events",
};

/** Why no cgroup can bound memory here; undefined when one can. For node:test's `skip`. */
export function findMemoryCgroupSkipReason(): string | undefined {
  try {
    using _cgroup = new MemoryCgroup(64 << 20);
    return undefined;
  } catch (error) {
    return `cannot make a cgroup that bounds memory: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A cgroup with a bound of memory and without swap. Disposing of it removes it once it is empty. */
export class MemoryCgroup implements Disposable {
  readonly #layout: Layout;
  readonly #folder: string;

  constructor(limitBytes: number) {
    this.#layout = existsSync(join(V1.folder, V1.limit)) ? V1 : V2;
    const { folder, limit, swap } = this.#layout;
    if (this.#layout === V2) writeFileSync(join(folder, "cgroup.subtree_control"), "+memory");
    this.#folder = join(folder, `${prefix}${randomBytes(6).toString("hex")}`);
    mkdirSync(this.#folder);
    try {
      this.#write(limit, String(limitBytes));
      // Where swap is not accounted, the file is missing.
      if (existsSync(join(this.#folder, swap))) {
        this.#write(swap, this.#layout === V1 ? String(limitBytes) : "0");
      }
      this.peakBytes();
    } catch (error) {
      rmdirSync(this.#folder);
      throw error;
    }
  }

  /** In front of a command: has it run inside. */
  get wrapper(): readonly string[] {
    return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.#folder];
  }

  /** The most that all of its processes together have had, with what the kernel holds for them. */
  peakBytes(): number {
    return Number(this.#read(this.#layout.peak));
  }

  /** Processes that were killed because the bound was reached. */
  kills(): number {
    return Number(/^oom_kill (\d+)$/m.exec(this.#read(this.#layout.events))?.[1]);
  }

  /** Sizes by kind ("rss", "anon", "file"), in bytes. */
  statistics(): string {
    return this.#read("memory.stat");
  }

  [Symbol.dispose](): void {
    const deadlineMs = performance.now() + EMPTY_LIMIT_MS;
    for (;;) {
      try {
        rmdirSync(this.#folder);
        return;
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        // A process that has ended is in it until its parent has been told.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8");
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text);
  }
}
