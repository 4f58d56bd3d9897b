import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type ObjectEvent,
  type ObjectKey,
  objectKey,
  type ServicesObject,
} from "../../services/objects.ts";
import type { Clock } from "../core/ports.ts";
import { FakeClock } from "../fake-clock.ts";
import type { ManifestLimits } from "./manifest-limits.ts";
import { type ManifestSource, watchManifests } from "./manifest-source.ts";
import { formatProblem, type ObjectListener, type SourceProblem } from "./object-source.ts";

const DEADLINE_MS = 10_000;

/** A node's manifest: the shortest there is. */
function node(name: string, podCIDR = "10.0.0.0/24"): string {
  return `apiVersion: v1\nkind: Node\nmetadata:\n  name: ${name}\nspec:\n  podCIDR: ${podCIDR}\n`;
}

/** Hears a source, and waits for what it is to say. */
class Hearer implements ObjectListener {
  /** Words such as "put one 10.0.0.0/24", "delete one", "relist one,two". */
  readonly words: string[] = [];
  readonly objects = new Map<ObjectKey, ServicesObject>();
  problems: string[] = [];
  problemChanges = 0;

  onEvents(_source: string, events: readonly ObjectEvent[]): void {
    for (const event of events) this.words.push(this.#take(event));
  }

  onProblems(_source: string, problems: readonly SourceProblem[]): void {
    this.problemChanges++;
    this.problems = problems.map(formatProblem);
  }

  /** "one=10.0.0.0/24 two=...", sorted. */
  state(): string {
    return [...this.objects.values()].map(nodeText).sort().join(" ");
  }

  async until(condition: () => boolean, what: () => string = () => this.state()): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!condition()) {
      if (performance.now() > deadline) assert.fail(`Waited in vain: ${what()} ${this.problems}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async untilState(state: string): Promise<void> {
    await this.until(() => this.state() === state);
  }

  async untilProblems(...problems: readonly string[]): Promise<void> {
    await this.until(() => this.problems.join("\n") === problems.join("\n"));
  }

  #take(event: ObjectEvent): string {
    switch (event.kind) {
      case "put":
        this.objects.set(objectKey(event.object), event.object);
        return `put ${nodeText(event.object)}`;
      case "delete":
        this.objects.delete(event.key);
        return `delete ${event.key.split("/").at(-1)}`;
      case "relist":
        this.objects.clear();
        for (const object of event.objects) this.objects.set(objectKey(object), object);
        return `relist ${event.objects.map(nodeText).join(" ")}`.trim();
    }
  }
}

function nodeText(object: ServicesObject): string {
  assert.ok(object.kind === "Node");
  return `${object.metadata.name}=${object.spec?.podCIDR?.split("/")[0]?.split(".")[2]}`;
}

/** A folder with some files, and a source that reads it. */
class Scene {
  readonly root = mkdtempSync(join(tmpdir(), "patchbay-manifests-"));
  readonly folder = join(this.root, "folder");
  readonly hearer = new Hearer();
  #source: ManifestSource | undefined;

  constructor(files: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.folder);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  async watch(
    options: { clock?: Clock; limits?: Partial<ManifestLimits>; deaf?: boolean } = {},
  ): Promise<ManifestSource> {
    const { clock, limits, deaf } = options;
    this.#source = await watchManifests({
      folder: this.folder,
      listener: this.hearer,
      ...(clock && { clock }),
      ...(limits && { limits }),
      ...(deaf && { watch: () => () => {} }),
    });
    return this.#source;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** In place. */
  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** As editors do it that want it whole. */
  replace(name: string, text: string): void {
    writeFileSync(this.path(`.${name}.tmp`), text);
    renameSync(this.path(`.${name}.tmp`), this.path(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source?.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Waits until the source has set a timer this far ahead: it has looked, and waits for more. */
async function untilTimer(scene: Scene, clock: FakeClock, inMs: number): Promise<void> {
  const due = clock.monotonicMs() + inMs;
  await scene.hearer.until(
    () => clock.nextTimerMs() === due,
    () => `next timer ${clock.nextTimerMs()}, not ${due}`,
  );
}

describe("watchManifests() at start", () => {
  it("tells everything as one relist, in the order of file names", async () => {
    await using scene = new Scene({
      "b.yml": `${node("b")}---\n${node("c", "10.0.1.0/24")}`,
      "a.yaml": `apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n---\n${node("a")}`,
      "c.json": '{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "j"}}',
      ".hidden.yaml": node("hidden"),
      "notes.txt": node("text"),
      "web.yaml~": node("backup"),
    });
    mkdirSync(scene.path("below"));
    writeFileSync(join(scene.path("below"), "d.yaml"), node("below"));
    const source = await scene.watch();
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0 c=1 j=undefined"]);
    assert.deepEqual(source.counts, { files: 3, objects: 4, others: 1 });
    assert.equal(scene.hearer.problemChanges, 0);
  });

  it("tells of an empty folder that it is empty", async () => {
    await using scene = new Scene();
    await scene.watch();
    assert.deepEqual(scene.hearer.words, ["relist"]);
  });

  it("tells problems at once, and the objects of a file beside those that have one", async () => {
    await using scene = new Scene({
      "a.yaml": `${node("a")}---\n${node("b", "10.0.0.0/99")}`,
      "b.yaml": node("c"),
      "c.yaml": "",
      "d.yaml": `${node("d")}---\n: [\n`,
      "e.json": `{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"f"}},{"metadata":{}}]}`,
    });
    await scene.watch();
    assert.deepEqual(scene.hearer.words, ["relist a=0 c=0 f=undefined"]);
    assert.deepEqual(scene.hearer.problems, [
      'a.yaml:13:12: spec.podCIDR is "10.0.0.0/99", expected an address with a prefix length',
      "c.yaml: is empty; delete it or leave a comment in it",
      "d.yaml:9:1: YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      "e.json:1:85: items[1].metadata.name is missing, expected a DNS name",
    ]);
  });

  it("says nothing of objects while there is no folder", async () => {
    await using scene = new Scene();
    rmSync(scene.folder, { recursive: true });
    await scene.watch({ limits: { missingFolderMs: 5 } });
    assert.deepEqual(scene.hearer.words, []);
    assert.deepEqual(scene.hearer.problems, [
      `${scene.folder}: does not exist; the objects read from it stay`,
    ]);
    mkdirSync(scene.folder);
    scene.write("a.yaml", node("a"));
    await scene.hearer.untilState("a=0");
    await scene.hearer.untilProblems();
  });

  it("reads no FIFO, device or folder of such a name", async () => {
    await using scene = new Scene();
    execFileSync("mkfifo", [scene.path("a.yaml")]);
    symlinkSync("/dev/zero", scene.path("b.yaml"));
    mkdirSync(scene.path("c.json"));
    await scene.watch();
    assert.deepEqual(
      scene.hearer.problems,
      ["a.yaml", "b.yaml", "c.json"].map((name) => `${name}: is not a plain file`),
    );
  });

  it("keeps to its bounds", async () => {
    await using scene = new Scene({
      "a.yaml": `${node("a")}---\n${node("b")}`,
      "b.yaml": `${node("c")}---\n${node("d")}`,
      "c.yaml": `# ${"x".repeat(300)}\n`,
      "d.yaml": node("e"),
      "e.yaml": node("f"),
    });
    await scene.watch({ limits: { filesMax: 4, objectsMax: 3, fileBytesMax: 300 } });
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0 e=0"]);
    assert.deepEqual(scene.hearer.problems, [
      `${scene.folder}: has 5 manifests, the first 4 are read`,
      "b.yaml:1:1: more than 1 objects",
      "c.yaml: has 303 bytes, expected at most 300",
    ]);
  });
});

describe("watchManifests() while files change", () => {
  it("tells of files that are made, written, replaced, renamed and deleted", async () => {
    await using scene = new Scene({ "a.yaml": node("a") });
    await scene.watch();
    scene.write("b.yaml", node("b"));
    await scene.hearer.untilState("a=0 b=0");
    scene.write("b.yaml", node("b", "10.0.1.0/24"));
    await scene.hearer.untilState("a=0 b=1");
    scene.replace("a.yaml", node("a", "10.0.22.0/24"));
    await scene.hearer.untilState("a=22 b=1");
    scene.replace("a.yaml", node("c"));
    await scene.hearer.untilState("b=1 c=0");
    unlinkSync(scene.path("b.yaml"));
    await scene.hearer.untilState("c=0");
    assert.deepEqual(scene.hearer.words, [
      "relist a=0",
      "put b=0",
      "put b=1",
      "put a=22",
      "delete a",
      "put c=0",
      "delete b",
    ]);
    assert.equal(scene.hearer.problemChanges, 0);
  });

  it("does not tell again what is the same", async () => {
    await using scene = new Scene({ "a.yaml": `${node("a")}---\n${node("b")}` });
    await scene.watch();
    utimesSync(scene.path("a.yaml"), 1, 1);
    scene.replace("a.yaml", `# a comment\n${node("b")}---\n${node("a", "10.0.1.0/24")}`);
    await scene.hearer.untilState("a=1 b=0");
    renameSync(scene.path("a.yaml"), scene.path("b.yaml"));
    scene.write("c.yaml", node("c"));
    await scene.hearer.untilState("a=1 b=0 c=0");
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0", "put a=1", "put c=0"]);
    assert.equal(scene.hearer.problemChanges, 0);
  });

  it("keeps the last good state of a broken file, and says so until it is mended", async () => {
    await using scene = new Scene({ "a.yaml": `${node("a")}---\n${node("b")}` });
    await scene.watch();
    scene.write("a.yaml", `${node("a", "10.0.1.0/24")}---\nkind: [\n`);
    await scene.hearer.until(
      () => scene.hearer.problems[0]?.startsWith("a.yaml:9:1: YAML") === true,
    );
    assert.equal(scene.hearer.state(), "a=0 b=0");
    scene.write("a.yaml", `${node("a", "10.0.1.0/24")}---\n${node("b")}`);
    await scene.hearer.untilProblems();
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0", "put a=1"]);
    assert.equal(scene.hearer.problemChanges, 2);
  });

  it("lets the first of two with one name in a file count, and tells of the second", async () => {
    const twice = `${node("a")}---\n${node("a", "10.0.1.0/24")}---\n${node("b")}`;
    await using scene = new Scene({ "a.yaml": twice });
    await scene.watch();
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0"]);
    const problem = (line: number) =>
      `a.yaml:${line}:9: metadata.name is "a", but Node a is in this file already, which counts`;
    assert.deepEqual(scene.hearer.problems, [problem(11)]);
    // All of it can be read: what it has no more is gone.
    scene.replace("a.yaml", `${node("a", "10.0.2.0/24")}---\n${node("a")}`);
    await scene.hearer.untilState("a=2");
    scene.replace("a.yaml", node("a"));
    await scene.hearer.untilState("a=0");
    await scene.hearer.untilProblems();
  });

  it("keeps an object that is bad now as it was, and takes away nothing meanwhile", async () => {
    await using scene = new Scene({
      "a.yaml": [node("a"), node("b"), node("c")].join("---\n"),
    });
    await scene.watch();
    const bad = node("b", "10.0.1.0/99");
    // As half of a file may look: c is not there (yet).
    scene.replace("a.yaml", `${node("a", "10.0.1.0/24")}---\n${node("d")}---\n${bad}`);
    await scene.hearer.untilState("a=1 b=0 c=0 d=0");
    await scene.hearer.untilProblems(
      'a.yaml:20:12: spec.podCIDR is "10.0.1.0/99", expected an address with a prefix length',
    );
    // The problem comes back with the text, and not before.
    scene.replace("a.yaml", "broken: [\n");
    await scene.hearer.until(() => scene.hearer.problems[0]?.includes("YAML") === true);
    assert.equal(scene.hearer.state(), "a=1 b=0 c=0 d=0");
    scene.replace("a.yaml", node("a", "10.0.1.0/24"));
    await scene.hearer.untilState("a=1");
    await scene.hearer.untilProblems();
  });

  it("bounds what a file keeps of before", async () => {
    await using scene = new Scene({ "a.yaml": `${node("a")}---\n${node("b")}` });
    await scene.watch({ limits: { objectsMax: 3 } });
    scene.replace("a.yaml", `${node("c")}---\n${node("d")}---\nkind: Node\n`);
    await scene.hearer.untilProblems("a.yaml: more than 3 objects");
    assert.equal(scene.hearer.state(), "a=0 b=0");
  });

  it("withdraws the problem of a file that goes back to what it was, or away", async () => {
    await using scene = new Scene({ "a.yaml": node("a"), "b.yaml": "x" });
    await scene.watch();
    scene.write("a.yaml", "");
    await scene.hearer.until(() => scene.hearer.problems.length === 2);
    scene.write("a.yaml", node("a"));
    await scene.hearer.until(() => scene.hearer.problems.length === 1);
    unlinkSync(scene.path("b.yaml"));
    await scene.hearer.untilProblems();
    assert.deepEqual(scene.hearer.words, ["relist a=0"]);
  });

  it("lets no new file take an object from the one that has it, and names both places", async () => {
    await using scene = new Scene({ "b.yaml": node("x", "10.0.2.0/24") });
    await scene.watch();
    scene.write("a.yaml", `${node("y")}---\n${node("x", "10.0.1.0/24")}`);
    await scene.hearer.untilProblems("a.yaml:11:9: Node x is in b.yaml:4:9 already, which counts");
    assert.equal(scene.hearer.state(), "x=2 y=0");
    unlinkSync(scene.path("b.yaml"));
    await scene.hearer.untilState("x=1 y=0");
    await scene.hearer.untilProblems();
  });

  it("notes kinds that may be a mistake, and serves the rest of the file", async () => {
    const misspelt = "apiVersion: v1\nkind: Ndoe\nmetadata: {name: b}\n";
    await using scene = new Scene({ "a.yaml": `${node("a")}---\n${misspelt}` });
    await scene.watch();
    const note = 'a.yaml:9:7: kind "Ndoe" is not read, did you mean Node?';
    await scene.hearer.untilProblems(note);
    assert.equal(scene.hearer.state(), "a=0");
    // The same content once more: the note stays.
    scene.write("a.yaml", "broken: [\n");
    await scene.hearer.until(() => scene.hearer.problems[0] !== note);
    scene.write("a.yaml", `${node("a")}---\n${misspelt}`);
    await scene.hearer.untilProblems(note);
    scene.write("a.yaml", node("a"));
    await scene.hearer.untilProblems();
  });

  it("lets the first file by name have an object that two have at the start", async () => {
    await using scene = new Scene({
      "b.yaml": node("x", "10.0.2.0/24"),
      "a.yaml": node("x", "10.0.1.0/24"),
    });
    await scene.watch();
    assert.equal(scene.hearer.state(), "x=1");
    await scene.hearer.untilProblems("b.yaml:4:9: Node x is in a.yaml:4:9 already, which counts");
  });

  it("follows the kubelet, who moves a link", async () => {
    await using scene = new Scene();
    const fill = (version: string, text: string) => {
      mkdirSync(scene.path(version));
      writeFileSync(join(scene.path(version), "a.yaml"), text);
      symlinkSync(version, scene.path("..data_tmp"));
      renameSync(scene.path("..data_tmp"), scene.path("..data"));
    };
    fill("..1", node("a"));
    symlinkSync("..data/a.yaml", scene.path("a.yaml"));
    await scene.watch();
    fill("..2", node("b", "10.0.1.0/24"));
    rmSync(scene.path("..1"), { recursive: true });
    await scene.hearer.untilState("b=1");
    fill("..3", node("b", "10.0.2.0/24"));
    await scene.hearer.untilState("b=2");
    assert.deepEqual(scene.hearer.words, ["relist a=0", "delete a", "put b=1", "put b=2"]);
  });

  it("keeps its objects when the folder goes, and follows the next one", async () => {
    await using scene = new Scene({ "a.yaml": node("a"), "b.yaml": node("b") });
    await scene.watch({ limits: { missingFolderMs: 5 } });
    renameSync(scene.folder, `${scene.folder}.old`);
    await scene.hearer.untilProblems(
      `${scene.folder}: does not exist; the objects read from it stay`,
    );
    assert.equal(scene.hearer.state(), "a=0 b=0");
    mkdirSync(scene.folder);
    scene.write("b.yaml", node("b", "10.0.1.0/24"));
    await scene.hearer.untilState("b=1");
    await scene.hearer.untilProblems();
    for (const round of ["2", "3", "4"]) {
      rmSync(scene.folder, { recursive: true });
      mkdirSync(scene.folder);
      scene.write("b.yaml", node("b", `10.0.${round}.0/24`));
      await scene.hearer.untilState(`b=${round}`);
    }
  });

  it("finds by looking what no event told", async () => {
    await using scene = new Scene({ "a.yaml": node("a"), "b.yaml": node("b") });
    const clock = new FakeClock();
    await scene.watch({ clock, deaf: true });
    scene.write("a.yaml", node("a", "10.0.1.0/24"));
    unlinkSync(scene.path("b.yaml"));
    scene.write("c.yaml", node("c"));
    clock.advance(10_000);
    await scene.hearer.untilState("a=1 b=0 c=0");
    await untilTimer(scene, clock, 10);
    clock.advance(10);
    await scene.hearer.untilState("a=1 c=0");
  });

  it("tells nothing once it is closed", async () => {
    await using scene = new Scene({ "a.yaml": node("a") });
    const clock = new FakeClock();
    const source = await scene.watch({ clock });
    scene.write("a.yaml", node("a", "10.0.1.0/24"));
    await source.close();
    scene.write("a.yaml", node("a", "10.0.2.0/24"));
    assert.equal(clock.nextTimerMs(), undefined);
    assert.deepEqual(scene.hearer.words, ["relist a=0"]);
  });
});

describe("watchManifests() while a file is being written", () => {
  it("says nothing of a broken file that is mended within moments", async () => {
    await using scene = new Scene({ "a.yaml": node("a") });
    const clock = new FakeClock();
    await scene.watch({ clock });
    scene.write("a.yaml", "kind: [");
    await untilTimer(scene, clock, 100);
    clock.advance(99);
    appendFileSync(scene.path("a.yaml"), "x");
    await untilTimer(scene, clock, 100);
    scene.write("a.yaml", node("a", "10.0.1.0/24"));
    await scene.hearer.untilState("a=1");
    clock.advance(1_000);
    assert.equal(scene.hearer.problemChanges, 0);
  });

  it("says that a file is broken when it stays so", async () => {
    await using scene = new Scene({ "a.yaml": node("a") });
    const clock = new FakeClock();
    await scene.watch({ clock });
    scene.write("a.yaml", "");
    await untilTimer(scene, clock, 100);
    clock.advance(100);
    await scene.hearer.untilProblems("a.yaml: is empty; delete it or leave a comment in it");
    assert.equal(scene.hearer.state(), "a=0");
  });

  it("waits with what is shorter than before, or lacks objects", async () => {
    await using scene = new Scene({ "a.yaml": `${node("a")}---\n${node("b")}` });
    const clock = new FakeClock();
    await scene.watch({ clock });
    scene.write("a.yaml", node("a", "10.0.1.0/24"));
    await untilTimer(scene, clock, 10);
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0"]);
    appendFileSync(scene.path("a.yaml"), `---\n${node("b")}`);
    await scene.hearer.untilState("a=1 b=0");
    // It looks once more when the file has come to rest.
    clock.advance(10);
    await untilTimer(scene, clock, 9_990);
    scene.write("a.yaml", `# ${"longer ".repeat(40)}\n${node("a", "10.0.2.0/24")}`);
    await untilTimer(scene, clock, 10);
    assert.equal(scene.hearer.state(), "a=1 b=0");
    clock.advance(10);
    await scene.hearer.untilState("a=2");
    assert.deepEqual(scene.hearer.words, ["relist a=0 b=0", "put a=1", "delete b", "put a=2"]);
  });

  it("waits with whole blocks, which are how large files are written", async () => {
    await using scene = new Scene();
    const clock = new FakeClock();
    await scene.watch({ clock });
    const text = node("a");
    scene.write("a.yaml", `#${"x".repeat(4_096 - text.length - 2)}\n${text}`);
    await untilTimer(scene, clock, 10);
    assert.equal(scene.hearer.state(), "");
    clock.advance(10);
    await scene.hearer.untilState("a=0");
  });

  it("waits for nothing where a file is moved in, or is JSON", async () => {
    const json = (podCIDR: string, more = "") =>
      `{"kind":"Node","apiVersion":"v1","metadata":{"name":"j"},"spec":{"podCIDR":"${podCIDR}"}}${more}`;
    await using scene = new Scene({
      "a.yaml": `${node("a")}---\n${node("b")}`,
      "j.json": json("10.0.0.0/24", " ".repeat(100)),
    });
    // Time stands still: what would wait would wait for ever.
    await scene.watch({ clock: new FakeClock() });
    scene.replace("a.yaml", node("a", "10.0.1.0/24"));
    await scene.hearer.untilState("a=1 j=0");
    scene.write("j.json", json("10.0.1.0/24"));
    await scene.hearer.untilState("a=1 j=1");
  });
});

describe("watchManifests() after any history", () => {
  it("has what a fresh read has, but for who has an object that several files have", async () => {
    const name = fc.constantFrom("a.yaml", "b.yaml", "c.json", "d.yml");
    const content = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.array(fc.tuple(fc.constantFrom("x", "y", "z"), fc.nat(3)), { maxLength: 3 }),
      },
      { weight: 1, arbitrary: fc.constant("broken" as const) },
    );
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("write" as const, "replace" as const), name, content }),
      fc.record({ kind: fc.constant("rename" as const), name, to: name }),
      fc.record({ kind: fc.constant("delete" as const), name }),
      fc.record({ kind: fc.constant("swap" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, pauses) => {
        await using scene = new Scene();
        await scene.watch({ limits: { settleMs: 1, brokenMs: 2, missingFolderMs: 1 } });
        for (const each of steps) {
          run(scene, each);
          if (pauses) await new Promise((resolve) => setImmediate(resolve));
        }
        // What is broken keeps what it was, which a fresh read cannot know: mend it.
        for (const file of readdirSync(scene.folder)) {
          if (isBroken(scene, file)) scene.replace(file, toText(file, node(`mended-${file[0]}`)));
        }
        scene.write("e.yaml", node("last"));
        await using fresh = new FreshRead(scene.folder);
        await fresh.read();
        await scene.hearer.until(
          () => withoutHolders(scene.hearer) === withoutHolders(fresh.hearer),
          () => `${withoutHolders(scene.hearer)} | not ${withoutHolders(fresh.hearer)}`,
        );
      }),
      { numRuns: 150 },
    );
  });
});

type Step =
  | {
      readonly kind: "write" | "replace";
      readonly name: string;
      readonly content: readonly (readonly [string, number])[] | "broken";
    }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "swap" };

/** State and problems, except for which of several files an object is from: that is whoever had it first. */
function withoutHolders(hearer: Hearer): string {
  const { problems } = hearer;
  const contested = /^.*: Node (?<name>\S+) is in .* already, which counts$/;
  const names = problems.map((problem) => contested.exec(problem)?.groups?.["name"]);
  const objects = hearer
    .state()
    .split(" ")
    .map((word) => (names.includes(word.split("=")[0]) ? `${word.split("=")[0]}=?` : word));
  const others = problems.map((problem, index) => names[index] ?? problem);
  return `${objects.join(" ")} | ${others.sort().join(", ")}`;
}

const brokenText = "broken: [\n";

function run(scene: Scene, step: Step): void {
  switch (step.kind) {
    case "write":
      return scene.write(step.name, contentOf(step.name, step.content));
    case "replace":
      return scene.replace(step.name, contentOf(step.name, step.content));
    case "rename":
      return ifThere(() => renameSync(scene.path(step.name), scene.path(step.to)));
    case "delete":
      return ifThere(() => unlinkSync(scene.path(step.name)));
    case "swap": {
      renameSync(scene.folder, `${scene.folder}.old`);
      mkdirSync(scene.folder);
      for (const name of readdirSync(`${scene.folder}.old`)) {
        if (name > "b") renameSync(join(`${scene.folder}.old`, name), scene.path(name));
      }
      return rmSync(`${scene.folder}.old`, { recursive: true });
    }
  }
}

function contentOf(
  name: string,
  content: readonly (readonly [string, number])[] | "broken",
): string {
  if (content === "broken") return brokenText;
  // The last of an object counts, so that no file has one twice.
  const nodes = [...new Map(content)].map(([each, value]) => node(each, `10.0.${value}.0/24`));
  return toText(name, `# nodes\n${nodes.join("---\n")}`);
}

/** A file may come to another ending by rename: YAML under a JSON name is broken, and mended as such. */
function toText(name: string, yaml: string): string {
  if (!name.endsWith(".json")) return yaml;
  const names = [...yaml.matchAll(/name: (.*)\n.*\n.*podCIDR: (.*)\n/g)];
  const items = names.map(([, each, podCIDR]) => ({ metadata: { name: each }, spec: { podCIDR } }));
  return JSON.stringify({ kind: "NodeList", apiVersion: "v1", items });
}

function isBroken(scene: Scene, name: string): boolean {
  const text = readFileSync(scene.path(name), "utf8");
  return text === brokenText || name.endsWith(".json") === text.startsWith("#");
}

function ifThere(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

class FreshRead {
  readonly hearer = new Hearer();
  readonly #folder: string;
  #source: ManifestSource | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(): Promise<void> {
    this.#source = await watchManifests({ folder: this.#folder, listener: this.hearer });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source?.close();
  }
}
