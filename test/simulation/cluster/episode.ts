import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError } from "../../../src/plugin-host/kubernetes/api.ts";
import { FakeApi } from "../../../src/plugin-host/kubernetes/fake-api.ts";
import { ObjectJournal } from "../../../src/plugin-host/kubernetes/object-journal.ts";
import type {
  ResourceName,
  WatchedResource,
} from "../../../src/plugin-host/kubernetes/resources.ts";
import { LIMITS } from "../../../src/plugin-host/limits.ts";
import { Rng } from "../rng.ts";
import { Broken, checkEnd, checkNow, checkRest, checkStart } from "./checks.ts";
import { type Disk, Life, settled } from "./life.ts";
import { askedFor, type Weather } from "./network.ts";
import {
  claim,
  CLAIMS,
  COLLECTIONS,
  NODE_NAME,
  NODES,
  OPTIONAL,
  ownNode,
  randomObject,
} from "./objects.ts";
import { Truth } from "./truth.ts";

export interface EpisodeOptions {
  readonly seed: number;
  readonly episode: number;
  readonly trace?: (line: string) => void;
}

export interface EpisodeResult {
  readonly steps: number;
  /** What happened how often: that all kinds of trouble come up. */
  readonly counts: ReadonlyMap<string, number>;
  /** The first invariant that broke, and at which step. */
  readonly failure: { readonly step: number; readonly message: string } | undefined;
}

const STEPS = 150;
/** Longer than every pause, and than kinds that are absent are remembered. */
const REST_MS = LIMITS.kubernetesRetryAfterMaxMs + LIMITS.kubernetesGoneMs + 30_000;
const MINUTE_MS = 60_000;
/** Of one resource in a minute in which nothing works: pauses double up to 5 s, an attempt has two requests. */
const REQUESTS_PER_MINUTE_MAX = 70;
/** More than one transaction writes. */
const MANY = LIMITS.kubernetesJournalBatchMax + 100;

/** One cluster and the hosts of one of its nodes, one after the other, from the first to the last. */
export async function runEpisode(options: EpisodeOptions): Promise<EpisodeResult> {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-cluster-"));
  const world = new World(options, join(folder, "objects.db"));
  try {
    await world.run();
    return { steps: world.step, counts: world.counts, failure: undefined };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const failure = { step: world.step, message: error.message };
    return { steps: world.step, counts: world.counts, failure };
  } finally {
    world.end();
    rmSync(folder, { recursive: true });
  }
}

class World {
  readonly counts = new Map<string, number>();
  step = 0;
  readonly #rng: Rng;
  readonly #trace: (line: string) => void;
  readonly #file: string;
  readonly #truth = new Truth();
  readonly #versions = new Map<ResourceName, string>();
  #api = new FakeApi();
  #journal: ObjectJournal | undefined;
  #life: Life | undefined;
  #restore: (() => void) | undefined;
  #backupVersion = 0;
  #isDown = false;
  #uids = 0;
  #bumps = 0;
  #wallMs = 1_800_000_000_000;
  /** The host may follow a cluster with versions of another, until it comes to rest. */
  #isForeign = false;

  constructor({ seed, episode, trace = () => {} }: EpisodeOptions, file: string) {
    this.#rng = new Rng(seed, episode);
    this.#trace = trace;
    this.#file = file;
  }

  async run(): Promise<void> {
    this.#found();
    if (this.#rng.chance(0.1)) this.#fill();
    for (; this.step < STEPS; this.step++) {
      await this.#act();
      if (this.#rng.chance(0.7)) await settled();
      if (this.#life) await this.#look(this.#life);
      if (this.step % 50 === 49) await this.#rest();
    }
  }

  end(): void {
    this.#life?.die();
    this.#journal?.close();
  }

  /** A cluster of its own: other versions, other uids. */
  #found(): void {
    this.#api = new FakeApi();
    this.#restore = undefined;
    this.#isDown = false;
    const rng = this.#rng;
    for (const [path, kind] of Object.entries(OPTIONAL)) {
      if (rng.chance(0.7)) this.#api.serve(path, kind);
      else this.#api.unserve(path);
    }
    this.#api.linesPerChunk = rng.oneOf(1, 3, 100);
    this.#api.advance(rng.oneOf(0, 0, 500));
    this.#truth.begin();
    this.#api.uidPrefix = `${this.#truth.cluster}/`;
    this.#truth.note(this.#api);
    for (let count = rng.below(30); count > 0; count--) this.#change();
  }

  #fill(): void {
    this.#api.serve(CLAIMS, "IPAMClaim");
    for (let number = 0; number < MANY; number++) this.#api.put(CLAIMS, claim(`many${number}`));
    this.#truth.note(this.#api);
  }

  async #act(): Promise<void> {
    const rng = this.#rng;
    const roll = rng.below(100);
    if (roll < 45) return this.#change();
    if (roll < 57) return this.#pass(rng.oneOf(10, 200, 600, 3_000, 20_000));
    if (roll < 69) return this.#startOrEnd();
    if (roll < 77) return this.#trouble();
    if (roll < 85) return this.#changeWeather();
    if (roll < 88) return this.#minute();
    if (roll < 90) return this.#turnKind();
    if (roll < 92) return this.#backUp();
    if (roll < 94) return this.#restoreBackup();
    if (roll < 96) return this.#turnServer();
    if (roll < 97) return this.#moveToAnotherCluster();
    this.#note("fair weather");
    this.#life?.network.weather.clear();
  }

  #change(): void {
    const rng = this.#rng;
    const served = COLLECTIONS.filter((path) => this.#isServed(path));
    const path = rng.pick(served) ?? NODES;
    const object = randomObject(rng, path);
    const { namespace, name } = object.metadata;
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    if (rng.chance(0.3)) {
      this.#note(`remove ${path} ${key}`);
      this.#api.remove(path, key);
    } else if (path === NODES && name === NODE_NAME) {
      this.#putOwnNode();
    } else {
      this.#note(`put ${path} ${key}`);
      this.#api.put(path, object);
    }
    this.#truth.note(this.#api, path);
  }

  #putOwnNode(): void {
    const { uid } = this.#api.find(NODES, NODE_NAME)?.metadata ?? {};
    const object = ownNode(this.#rng, uid ?? `${this.#truth.cluster}/node${this.#uids++}`);
    this.#note(`put own Node ${object.metadata.uid}`);
    this.#api.put(NODES, object);
  }

  #isServed(path: string): boolean {
    return OPTIONAL[path] === undefined || this.#api.isServed(path);
  }

  async #pass(ms: number): Promise<void> {
    this.#note(`pass ${ms}`);
    await this.#life?.pass(ms);
  }

  async #startOrEnd(): Promise<void> {
    const life = this.#life;
    if (!life) return this.#start();
    if (this.#rng.chance(0.3)) return this.#close(life);
    if (this.#rng.chance(0.5)) {
      this.#note("kill");
      return this.#kill(life);
    }
    life.writesLeft = this.#rng.below(4);
    this.#note(`kill at write ${life.writesLeft}`);
  }

  #start(): void {
    this.#note(`start with ${JSON.stringify([...this.#versions])}`);
    this.#journal ??= ObjectJournal.open(this.#file, { nodeName: NODE_NAME });
    const disk: Disk = { journal: this.#journal, versions: this.#versions };
    const life = new Life({ api: this.#api, disk, rng: this.#rng, wallMs: this.#wallMs });
    this.#life = life;
    life.network.mayListAll = this.#isForeign;
    checkStart(life, {
      versions: this.#versions,
      truth: this.#truth,
      isForeign: this.#isForeign,
    });
  }

  #kill(life: Life): void {
    life.die();
    this.#forgetLife();
  }

  async #close(life: Life): Promise<void> {
    this.#note("close");
    await life.close();
    checkEnd(life, this.#api);
    this.#forgetLife();
  }

  #forgetLife(): void {
    const awayMs = this.#rng.oneOf(0, 1_000, 60_000, 2 * LIMITS.kubernetesResumeMs);
    this.#wallMs = (this.#life?.clock.wallMs() ?? 0) + awayMs;
    this.#life = undefined;
    // Another process opens the file.
    if (this.#rng.chance(0.3)) {
      this.#journal?.close();
      this.#journal = undefined;
    }
  }

  /** Of a moment. */
  async #trouble(): Promise<void> {
    const { path } = this.#anyResource();
    const api = this.#api;
    const what = this.#rng.below(9);
    this.#note(`trouble ${what} of ${path}`);
    if (what === 0) api.endStreams();
    if (what === 1) api.breakStreams();
    if (what === 2) api.expireStreams(path);
    if (what === 3) api.pushLine(path, this.#rng.oneOf("{ no json", '{"type":"NEWS"}', "null"));
    if (what === 4) api.breakNextStream(path, this.#rng.below(6));
    if (what === 5) api.compact();
    if (what === 6) api.bookmark();
    if (what === 7) api.expiredBy = this.#rng.oneOf("event", "answer");
    if (what === 8) {
      api.holdsListEnds = !api.holdsListEnds;
      if (!api.holdsListEnds) api.endLists();
    }
  }

  #anyResource(): WatchedResource {
    return this.#rng.pick(this.#truth.resources) as WatchedResource;
  }

  /** Until it changes. */
  #changeWeather(): void {
    if (this.#rng.chance(0.2)) {
      const refusal = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden";
      const isRefused = this.#api.initialEventsRefusal !== undefined;
      this.#api.initialEventsRefusal = isRefused
        ? undefined
        : new ApiError(refusal, { status: 422 });
      this.#note(`lists by watches: ${isRefused}`);
      return;
    }
    const { path, query } = this.#anyResource();
    this.#setWeather(askedFor(path, query), this.#anyWeather());
  }

  #setWeather(asked: string, weather: Weather): void {
    this.#note(`weather of ${asked}: ${JSON.stringify(weather)}`);
    this.#life?.network.weather.set(asked, weather);
  }

  #anyWeather(): Weather {
    const rng = this.#rng;
    const status = rng.oneOf(401, 403, 429, 500, 503);
    const retryAfterMs = status === 429 ? rng.oneOf(0, 1_000, 600_000) : 0;
    const error = new ApiError(`status ${status}`, { status, retryAfterMs });
    const internal = { kind: "Status", code: 500, message: "internal", reason: "InternalError" };
    const line = rng.oneOf("garbage", JSON.stringify({ type: "ERROR", object: internal }));
    const broken = rng.chance(0.5) ? new ApiError("Stream broken off") : undefined;
    return rng.oneOf<Weather>(
      { kind: "fair" },
      { kind: "refused", error },
      { kind: "expired", error: new ApiError("too old", { status: 410, reason: "Expired" }) },
      { kind: "garbled", line },
      { kind: "short", chunks: rng.between(1, 4), error: broken },
    );
  }

  /** A minute of the same trouble for everything: nobody is asked without end. */
  async #minute(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    const weather = this.#anyWeather();
    const isOutage = this.#rng.chance(0.4);
    this.#note(`minute of ${isOutage ? "outage" : JSON.stringify(weather)}`);
    if (isOutage) this.#api.down();
    else {
      for (const { path, query } of this.#truth.resources) {
        life.network.weather.set(askedFor(path, query), weather);
      }
      this.#api.breakStreams();
    }
    life.network.counts.clear();
    await life.pass(MINUTE_MS);
    for (const [asked, count] of life.network.counts) {
      if (count <= REQUESTS_PER_MINUTE_MAX) continue;
      throw new Broken(`${asked} is asked for ${count} times in a minute`);
    }
    if (isOutage && !this.#isDown) this.#api.up();
    if (!isOutage) life.network.weather.clear();
  }

  #turnKind(): void {
    const path = this.#rng.pick(Object.keys(OPTIONAL)) ?? "";
    const isServed = this.#isServed(path);
    this.#note(`served ${path}: ${!isServed}`);
    if (isServed) this.#api.unserve(path);
    else this.#api.serve(path, OPTIONAL[path] ?? "");
    this.#truth.note(this.#api);
  }

  #turnServer(): void {
    this.#isDown = !this.#isDown;
    this.#note(`down: ${this.#isDown}`);
    if (this.#isDown) this.#api.down();
    else this.#api.up();
  }

  #backUp(): void {
    this.#note("backup");
    this.#restore = this.#api.backUp();
    this.#backupVersion = Number(this.#api.version);
  }

  /** A backup is restored: versions jump, as etcdutl --bump-revision has them, or they go back. */
  async #restoreBackup(): Promise<void> {
    const restore = this.#restore;
    if (!restore) return;
    this.#api.bookmark();
    await settled();
    const life = this.#life;
    const lead = Number(this.#api.version) - this.#backupVersion;
    const isBumped = this.#rng.chance(0.5);
    this.#note(`restore ${lead} versions back, bumped: ${isBumped}`);
    this.#api.down();
    restore();
    if (isBumped) {
      this.#bumps += 100_000;
      this.#api.advance(this.#bumps);
      this.#api.compact();
    }
    this.#truth.begin({ isSameCluster: true });
    this.#truth.note(this.#api);
    if (!this.#isDown) this.#api.up();
    if (isBumped) return;
    // Versions must not overtake those that are known before that was looked at: nobody could tell them apart.
    this.#restore = undefined;
    this.#isDown = false;
    this.#api.up();
    life?.network.weather.clear();
    if (life) life.writesLeft = undefined;
    else this.#start();
    const isFollowing = life?.cluster.watches.every(
      ({ phase, resourceVersion }) =>
        phase === "absent" ||
        (phase === "watching" && Number(resourceVersion) >= this.#backupVersion + 10),
    );
    if (isFollowing) {
      await this.#pass(400);
      for (let count = this.#rng.below(4); count > 0; count--) this.#change();
    }
    this.#api.holdsListEnds = false;
    this.#api.endLists();
    await this.#life?.pass(REST_MS);
  }

  #moveToAnotherCluster(): void {
    if (this.#life || !this.#versions.has("nodes (own)")) return;
    if (!this.#api.find(NODES, NODE_NAME)) return;
    this.#note("another cluster");
    this.#found();
    this.#isForeign = true;
  }

  async #look(life: Life): Promise<void> {
    if (life.isDead) {
      this.#note("killed");
      this.#forgetLife();
      return;
    }
    await settled();
    if (!life.isDead) checkNow(life, { truth: this.#truth, isForeign: this.#isForeign });
  }

  /** Everything is mended, time passes, and nothing is to be found wrong. */
  async #rest(): Promise<void> {
    this.#note("rest");
    this.#isDown = false;
    this.#api.up();
    this.#api.holdsListEnds = false;
    this.#api.endLists();
    // Servers end watches at their time; here they would be silent for too long in the middle of the rest.
    this.#api.endStreams();
    if (!this.#api.find(NODES, NODE_NAME)) {
      this.#putOwnNode();
      this.#truth.note(this.#api, NODES);
    }
    if (this.#life?.isDead) this.#forgetLife();
    if (!this.#life) this.#start();
    const life = this.#life as Life;
    life.network.weather.clear();
    life.writesLeft = undefined;
    await life.pass(REST_MS);
    // Streams that are to break do so now.
    for (let round = 0; round < 5; round++) {
      this.#api.bookmark();
      await life.pass(LIMITS.kubernetesRetryMaxMs * 2);
    }
    this.#isForeign = false;
    life.network.mayListAll = false;
    checkNow(life, { truth: this.#truth, isForeign: false });
    checkRest(life, { truth: this.#truth, versions: this.#versions, version: this.#api.version });
  }

  #note(line: string): void {
    const what = line.replace(/ .*/, "");
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    this.#trace(`${this.step} @${this.#api.version} ${line}`);
  }
}
