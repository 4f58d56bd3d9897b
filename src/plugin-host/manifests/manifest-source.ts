import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ObjectKey } from "../../services/objects.ts";
import type { Clock } from "../core/ports.ts";
import { systemClock } from "../system-clock.ts";
import { type WatchFolder, watchFolder } from "./folder-watch.ts";
import type { ManifestEvent, ManifestObject } from "./manifest-object.ts";
import { MANIFEST_LIMITS, type ManifestLimits } from "./manifest-limits.ts";
import { type Conflict, ObjectIndex } from "./object-index.ts";
import type { ObjectListener, ObjectSource, SourceProblem } from "./object-source.ts";
import { isJson, locateObject, type ParsedManifest, parseManifest } from "./parse-manifest.ts";
import { ProblemList } from "./problem-list.ts";
import { type FileIdentity, identify, type ReadFile, readFile } from "./read-file.ts";

export interface ManifestOptions {
  /** Holds *.yaml, *.yml and *.json; what lies in folders below is not read, nor are hidden files. */
  readonly folder: string;
  readonly listener: ObjectListener;
  /** Default "manifests". */
  readonly name?: string;
  readonly clock?: Clock;
  readonly limits?: Partial<ManifestLimits>;
  readonly watch?: WatchFolder;
}

export interface ManifestSource extends ObjectSource {
  readonly counts: ManifestCounts;
}

export interface ManifestCounts {
  readonly files: number;
  readonly objects: number;
  /** Documents of kinds that are passed by. */
  readonly others: number;
}

/**
 * Reads a folder of manifests and goes on watching it. Resolves when everything was read and told.
 * A folder that is not there is a problem, and its objects are told when it comes; one that goes
 * away later takes no objects with it.
 */
export async function watchManifests(options: ManifestOptions): Promise<ManifestSource> {
  const source = new FolderSource(options);
  await source.start();
  return source;
}

/** What somebody saw of a file that makes it worth a look. */
interface Look {
  /** It was written in place: what is read may be half of it. */
  readonly written: boolean;
  /** What waited for the file to come to rest has waited long enough. */
  readonly settled?: Pending | undefined;
}

interface FileState {
  /** As of the last look. */
  identity: FileIdentity | undefined;
  /** Of the content whose objects count, and of the one whose problems are told. */
  goodDigest: string;
  brokenDigest: string;
  /** Of the content whose objects count. */
  bytes: number;
  others: number;
  /** What is to be told of the content whose objects count. */
  notes: readonly SourceProblem[];
  /** What happens if the file stays as it is now. */
  pending: Pending | undefined;
}

interface Pending {
  readonly digest: string;
  readonly parsed: ParsedManifest | undefined;
  readonly cancel: () => void;
}

const MANIFEST_NAME = /^[^.].*\.(?:yaml|yml|json)$/;

/** Writers that are not through have mostly written whole blocks. */
const BLOCK_BYTES = 4_096;

class FolderSource implements ManifestSource {
  readonly name: string;
  readonly #folder: string;
  readonly #listener: ObjectListener;
  readonly #clock: Clock;
  readonly #limits: ManifestLimits;
  readonly #watch: WatchFolder;

  readonly #index = new ObjectIndex();
  readonly #files = new Map<string, FileState>();
  #dirty = new Map<string, Look>();
  #scan: "none" | "changed" | "whole" = "whole";
  #events: ManifestEvent[] = [];
  readonly #problems: ProblemList;
  /** The folder was there. */
  #isListed = false;
  #hasRelisted = false;
  #closed = false;
  #stopWatching: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #isScheduled = false;
  #sliceEndMs = 0;

  constructor(options: ManifestOptions) {
    this.name = options.name ?? "manifests";
    this.#folder = options.folder;
    this.#listener = options.listener;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...MANIFEST_LIMITS, ...options.limits };
    this.#watch = options.watch ?? watchFolder;
    this.#problems = new ProblemList(this.#folder, { max: this.#limits.problemsMax });
  }

  get counts(): ManifestCounts {
    let others = 0;
    for (const state of this.#files.values()) others += state.others;
    return { files: this.#files.size, objects: this.#index.objectCount, others };
  }

  async start(): Promise<void> {
    await this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching?.();
    this.#cancelPoll?.();
    for (const state of this.#files.values()) state.pending?.cancel();
    await this.#working;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #changed(name: string, look: Look): void {
    // The kubelet replaces what a volume holds by moving the link "..data".
    if (name.startsWith("..")) {
      this.#scanFor("changed");
    } else if (MANIFEST_NAME.test(name)) {
      const before = this.#dirty.get(name);
      this.#dirty.set(name, {
        written: look.written || before?.written === true,
        settled: look.settled ?? before?.settled,
      });
      this.#wake();
    }
  }

  #scanFor(scan: "changed" | "whole"): void {
    if (this.#scan !== "whole") this.#scan = scan;
    this.#wake();
  }

  /** All events that the kernel has by now are one round of work. */
  #wake(): void {
    if (this.#isScheduled || this.#working !== undefined || this.#closed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#closed) void this.#run();
    });
  }

  #run(): Promise<void> {
    const working = this.#work().finally(() => {
      this.#working = undefined;
      // What came between the last look and now.
      if (this.#scan !== "none" || this.#dirty.size > 0) this.#wake();
    });
    this.#working = working;
    return working;
  }

  async #work(): Promise<void> {
    this.#sliceEndMs = this.#clock.monotonicMs() + this.#limits.sliceMs;
    while (!this.#closed && (this.#scan !== "none" || this.#dirty.size > 0)) {
      if (this.#scan !== "none") await this.#look();
      const dirty = this.#dirty;
      this.#dirty = new Map();
      for (const [name, look] of dirty) {
        await this.#breathe();
        if (this.#closed) return;
        await this.#examine(name, look);
      }
      await this.#tell();
    }
  }

  /** Lets others run when this has kept them waiting for long enough. */
  #breathe(): Promise<void> | undefined {
    if (this.#clock.monotonicMs() < this.#sliceEndMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#sliceEndMs = this.#clock.monotonicMs() + this.#limits.sliceMs;
        resolve();
      });
    });
  }

  /** Finds out which files are new, gone or changed. */
  async #look(): Promise<void> {
    const isWhole = this.#scan === "whole";
    this.#scan = "none";
    this.#cancelPoll?.();
    const names = this.#list(isWhole);
    const pauseMs = names ? this.#limits.pollMs : this.#limits.missingFolderMs;
    this.#cancelPoll = this.#clock.after(pauseMs, () => this.#scanFor(names ? "changed" : "whole"));
    if (names === undefined) return;
    this.#isListed = true;
    for (const name of this.#files.keys()) {
      if (!names.has(name)) this.#dirty.set(name, { written: false });
    }
    for (const name of names) {
      await this.#breathe();
      const state = this.#files.get(name);
      if (state?.identity !== undefined && identify(join(this.#folder, name)) === state.identity) {
        continue;
      }
      this.#dirty.set(name, { written: false, ...this.#dirty.get(name) });
    }
  }

  /** Names of manifests in order; undefined: there is no folder. */
  #list(isWhole: boolean): Set<string> | undefined {
    try {
      if (isWhole) this.#rewatch();
      const names = readdirSync(this.#folder).filter((name) => MANIFEST_NAME.test(name));
      const { filesMax } = this.#limits;
      const isTooMany = names.length > filesMax;
      this.#problems.setFolder(
        isTooMany ? `has ${names.length} manifests, the first ${filesMax} are read` : undefined,
      );
      return new Set(names.sort().slice(0, filesMax));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
      const what =
        code === "ENOENT" ? "does not exist" : `cannot be read: ${code ?? String(error)}`;
      this.#problems.setFolder(`${what}; the objects read from it stay`);
      return undefined;
    }
  }

  /** Always anew: a folder that was removed and made again may have the same inode number. */
  #rewatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#stopWatching = this.#watch(this.#folder, {
      changed: (name, written) => this.#changed(name, { written }),
      lost: () => this.#scanFor("whole"),
    });
  }

  async #examine(name: string, look: Look): Promise<void> {
    const file = readFile(join(this.#folder, name), { bytesMax: this.#limits.fileBytesMax });
    const state = this.#files.get(name);
    if (file.kind === "absent") {
      if (state !== undefined) this.#examineAbsent(name, state, look);
      return;
    }
    await this.#examinePresent(name, state ?? this.#addFile(name), { file, look });
  }

  #addFile(name: string): FileState {
    const state: FileState = {
      identity: undefined,
      goodDigest: "",
      brokenDigest: "",
      bytes: 0,
      others: 0,
      notes: [],
      pending: undefined,
    };
    this.#files.set(name, state);
    return state;
  }

  /** Some editors move a file away before they write it anew. */
  #examineAbsent(name: string, state: FileState, look: Look): void {
    const { pending } = state;
    const isGone = pending?.digest === ABSENT && look.settled === pending;
    state.identity = undefined;
    if (!isGone) {
      this.#wait(name, state, { digest: ABSENT, parsed: undefined, ms: this.#limits.settleMs });
      return;
    }
    state.pending = undefined;
    // A folder that is gone takes nothing with it.
    if (identify(this.#folder) === undefined) return;
    this.#events.push(...this.#index.replace(name, new Map()));
    this.#problems.setFile(name, []);
    this.#files.delete(name);
  }

  async #examinePresent(
    name: string,
    state: FileState,
    found: { readonly file: Exclude<ReadFile, { kind: "absent" }>; readonly look: Look },
  ): Promise<void> {
    const { file, look } = found;
    const { pending } = state;
    const digest = file.kind === "text" ? file.digest : `${file.identity} ${file.message}`;
    state.identity = file.identity;
    const isSettled = pending?.digest === digest && look.settled === pending;
    if (pending?.digest === digest && !isSettled) return;
    pending?.cancel();
    state.pending = undefined;
    if (digest === state.goodDigest) {
      this.#mend(name, state);
      return;
    }
    if (digest === state.brokenDigest) return;
    const parsed = (isSettled ? pending.parsed : undefined) ?? (await this.#parse(name, file));
    const bytes = file.kind === "text" ? file.bytes : 0;
    const isNow = isSettled || !this.#hasRelisted;
    if (parsed.problems.length > 0 && !isNow) {
      this.#wait(name, state, { digest, parsed, ms: this.#limits.brokenMs });
    } else if (parsed.state === "unreadable") {
      this.#break(name, state, { digest, parsed });
    } else if (!isNow && this.#seemsUnfinished(name, state, { parsed, bytes, look })) {
      this.#wait(name, state, { digest, parsed, ms: this.#limits.settleMs });
    } else {
      Object.assign(state, {
        goodDigest: digest,
        bytes,
        others: parsed.others,
        notes: [...parsed.problems, ...parsed.notes],
      });
      this.#mend(name, state);
      this.#events.push(...this.#index.replace(name, parsed.objects, { copy: parsed.isSliced }));
      // Once more when it has come to rest, should the kernel have kept the last event to itself.
      if (look.written) {
        this.#wait(name, state, { digest, parsed: undefined, ms: this.#limits.settleMs });
      }
    }
  }

  #break(
    name: string,
    state: FileState,
    what: { readonly digest: string; readonly parsed: ParsedManifest },
  ): void {
    state.brokenDigest = what.digest;
    this.#problems.setFile(name, what.parsed.problems);
  }

  #mend(name: string, state: FileState): void {
    state.brokenDigest = "";
    this.#problems.setFile(name, state.notes);
  }

  async #parse(name: string, file: Exclude<ReadFile, { kind: "absent" }>): Promise<ParsedManifest> {
    if (file.kind === "refused") return broken(name, file.message);
    // Somebody opens it to write; a file that is to say nothing can be deleted, or say so.
    if (file.bytes === 0) return broken(name, "is empty; delete it or leave a comment in it");
    const own = this.#index.objectsOf(name);
    const objectsMax = this.#limits.objectsMax - this.#index.objectCount + own.size;
    const parsed = await parseManifest(file.text, {
      name,
      objectsMax,
      problemsMax: this.#limits.problemsOfFileMax,
      breathe: () => this.#breathe(),
    });
    if (parsed.state !== "partial") return parsed;
    // What cannot be read stays what it was, and so does what is not there: the file may be half of itself.
    const objects = new Map([...own, ...parsed.objects]);
    return objects.size > objectsMax
      ? broken(name, `more than ${objectsMax} objects`)
      : { ...parsed, objects };
  }

  /**
   * True when the content may be half of what somebody is writing: YAML has no end to tell by. JSON
   * has, and a file that was moved here is whole.
   */
  #seemsUnfinished(
    name: string,
    state: FileState,
    found: { readonly parsed: ParsedManifest; readonly bytes: number; readonly look: Look },
  ): boolean {
    if (isJson(name)) return false;
    if (found.bytes % BLOCK_BYTES === 0) return true;
    if (!found.look.written) return false;
    return found.bytes < state.bytes || lacks(found.parsed.objects, this.#index.objectsOf(name));
  }

  #wait(
    name: string,
    state: FileState,
    what: {
      readonly digest: string;
      readonly parsed: ParsedManifest | undefined;
      readonly ms: number;
    },
  ): void {
    state.pending?.cancel();
    const cancel = this.#clock.after(what.ms, () =>
      this.#changed(name, { written: false, settled: pending }),
    );
    const pending: Pending = { digest: what.digest, parsed: what.parsed, cancel };
    state.pending = pending;
  }

  async #tell(): Promise<void> {
    if (!this.#hasRelisted && this.#isListed) {
      this.#hasRelisted = true;
      this.#events = [];
      this.#listener.onEvents(this.name, [{ kind: "relist", objects: [...this.#index.objects()] }]);
    }
    if (this.#events.length > 0) {
      const events = this.#events;
      this.#events = [];
      this.#listener.onEvents(this.name, events);
    }
    const problems = await this.#problems.findNews(this.#conflicts(), (file, key) =>
      this.#locate(file, key),
    );
    if (problems && !this.#closed) this.#listener.onProblems(this.name, problems);
  }

  /** What is wrong with a file that was renamed, so that it is two for a moment, is not told. */
  #conflicts(): Conflict[] {
    const isLeaving = (name: string) => this.#files.get(name)?.pending?.digest === ABSENT;
    const conflicts = this.#index.conflicts();
    return conflicts.filter(({ file, heldBy }) => !isLeaving(file) && !isLeaving(heldBy));
  }

  async #locate(name: string, key: ObjectKey): Promise<string> {
    const file = readFile(join(this.#folder, name), { bytesMax: this.#limits.fileBytesMax });
    const isCurrent = file.kind === "text" && file.digest === this.#files.get(name)?.goodDigest;
    const position = isCurrent ? await locateObject(file.text, { name, key }) : undefined;
    return position === undefined ? name : `${name}:${position}`;
  }
}

/** In place of a digest. */
const ABSENT = "absent";

function broken(name: string, message: string): ParsedManifest {
  const problems = [{ place: name, message }];
  return {
    state: "unreadable",
    objects: new Map(),
    problems,
    notes: [],
    others: 0,
    isSliced: false,
  };
}

/** True when an object of before is not among those of now. */
function lacks(
  now: ReadonlyMap<ObjectKey, ManifestObject>,
  before: ReadonlyMap<ObjectKey, ManifestObject>,
): boolean {
  for (const key of before.keys()) if (!now.has(key)) return true;
  return false;
}
