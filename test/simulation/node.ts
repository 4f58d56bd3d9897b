import type { HostEvent } from "../../src/plugin-host/core/ports.ts";
import { FakeClock } from "../../src/plugin-host/fake-clock.ts";
import { FakeDelJournal } from "../../src/plugin-host/fake-del-journal.ts";
import { FakeStore } from "../../src/plugin-host/fake-store.ts";
import { HostLife } from "./host-life.ts";
import { KernelWorld } from "./kernel-world.ts";
import { Ledger } from "./ledger.ts";
import { FakeDefinitions } from "../../src/plugin-host/networks/fake-definitions.ts";
import { CLAIMS, toDefinition } from "./extras.ts";
import { drawExtras, drawNetworks, type SimNetwork } from "./networks.ts";
import { type ListBugs, SimPodLists } from "./pod-lists.ts";
import { SimNodeRanges } from "./node-ranges.ts";
import { type PluginBugs, PluginWorld } from "./plugin-world.ts";
import { type PortCall, PortCalls } from "./port-calls.ts";
import { drawProfile, type Profile } from "./profile.ts";
import { hashText, type Rng } from "./rng.ts";
import { type Attachment, Runtime } from "./runtime.ts";
import type { StoreBugs } from "./sim-store.ts";
import type { World } from "./world.ts";

/** An invariant that did not hold. */
export interface Failure {
  readonly invariant: string;
  readonly message: string;
}

export interface NodeOptions {
  readonly bugs?: StoreBugs & PluginBugs & ListBugs;
  /** Runtime and cluster say which pods there are. */
  readonly hasLists?: boolean;
  /** The first network has the ranges of the Node object. */
  readonly hasNodeRanges?: boolean;
  /** Told of everything that happens; costs time. */
  readonly trace?: (line: string) => void;
}

/** What is broken now. */
export interface Faults {
  isDiskFull: boolean;
  isDiskUnsyncable: boolean;
  isJournalFull: boolean;
  /** Namespaces that cannot be seen although they are there, by path: until when. */
  readonly flaps: Map<string, number>;
  readonly pluginsGone: Set<string>;
}

/**
 * A node in memory: clock, disk, kernel and container runtime live on, plugin hosts come and go.
 * Whatever happens is drawn from `rng`, which the scheduler sets anew for each step.
 */
export class SimNode {
  readonly options: NodeOptions;
  readonly profile: Profile;
  readonly networks: readonly SimNetwork[];
  readonly extras: readonly SimNetwork[];
  readonly definitions = new FakeDefinitions();
  readonly clock = new FakeClock();
  readonly disk = new FakeStore();
  readonly journal = new FakeDelJournal();
  readonly calls: PortCalls;
  readonly ledger: Ledger;
  readonly runtime: Runtime;
  readonly lists: SimPodLists | undefined;
  readonly ranges: SimNodeRanges | undefined;
  readonly world: World;
  readonly faults: Faults = {
    isDiskFull: false,
    isDiskUnsyncable: false,
    isJournalFull: false,
    flaps: new Map(),
    pluginsGone: new Set(),
  };
  /** Attachments that a plugin holds and no host made, and since when. */
  readonly orphans = new Map<string, number>();
  /** What a runtime believed to be valid a while ago. */
  staleList:
    | {
        readonly network: SimNetwork;
        readonly valid: readonly Attachment[];
        readonly atMs: number;
      }
    | undefined;
  readonly eventCounts = new Map<string, number>();
  rng: Rng;
  bootId = "boot-0";
  life: HostLife | undefined;
  flushFailures = 0;
  failure: Failure | undefined;
  hash = 0x811c9dc5;
  #lives = 0;
  #boots = 0;
  #crashIn = 0;
  #commitFailureIn = 0;
  #unfinished: PortCall[] = [];

  constructor(rng: Rng, options: NodeOptions = {}) {
    this.rng = rng;
    this.options = options;
    this.profile = drawProfile(rng);
    this.networks = drawNetworks(rng, this.profile);
    this.extras = drawExtras(rng, this.profile);
    for (const extra of this.extras) this.definitions.put(toDefinition(extra));
    for (const claim of CLAIMS) this.definitions.claims.add(claim);
    this.calls = new PortCalls(() => this.clock.monotonicMs());
    this.ledger = new Ledger(this);
    this.runtime = new Runtime(this);
    const [first] = this.networks;
    this.ranges = options.hasNodeRanges && first ? new SimNodeRanges(first) : undefined;
    this.lists = options.hasLists ? new SimPodLists(this) : undefined;
    this.world = this.profile.isKernel
      ? new KernelWorld(this.ledger, () => this.rng)
      : new PluginWorld(this.ledger, {
          ...options.bugs,
          profile: this.profile,
          rng: () => this.rng,
        });
  }

  /** One line of the trace. */
  note(line: () => string): void {
    const text = line();
    this.hash = hashText(this.hash, text);
    this.options.trace?.(`${String(this.clock.monotonicMs()).padStart(9)} ${text}`);
  }

  /** The first failure counts: the others follow from it. */
  fail(invariant: string, message: string): void {
    if (this.failure) return;
    this.failure = { invariant, message };
    this.note(() => `BROKEN ${invariant}: ${message}`);
  }

  observe(event: HostEvent): void {
    this.eventCounts.set(event.kind, (this.eventCounts.get(event.kind) ?? 0) + 1);
    if (event.kind === "flush-failed") this.flushFailures++;
    this.note(() => `event ${event.kind} ${event.subject}: ${event.message}`);
  }

  startHost(): void {
    if (this.life) return;
    this.ledger.hostStarts();
    this.life = new HostLife(this, ++this.#lives);
    this.note(() => `host ${this.#lives} starts`);
    this.life.start();
  }

  /** The process is gone, by whatever way; calls in flight may still have their effect. */
  endHost(why: string): void {
    const { life } = this;
    if (!life) return;
    this.note(() => `host ${life.number} ends: ${why}`);
    life.alive = false;
    this.life = undefined;
    this.#crashIn = 0;
    this.#commitFailureIn = 0;
    this.clock.clearTimers();
    this.#unfinished.push(...this.calls.drop(life));
    this.runtime.hostDied(life);
  }

  /** Power loss: namespaces and links gone, the store back to what was flushed. */
  async reboot(): Promise<void> {
    this.endHost("power loss");
    this.#unfinished = [];
    for (const pod of [...this.runtime.pods]) {
      await this.runtime.removeNetns(pod);
      if (pod.fate === "run") pod.fate = this.rng.chance(0.7) ? "teardown" : "abandoned";
    }
    this.orphans.clear();
    await this.world.reboot();
    this.disk.losePower(this.rng.chance(0.5) ? this.rng.below(20) : 0);
    this.ledger.lostPower();
    this.bootId = `boot-${++this.#boots}`;
    this.clock.advance(this.rng.between(5_000, 90_000));
    this.note(() => `node boots as ${this.bootId}`);
  }

  /** Asks for a kill at one of the next places inside the host. */
  armCrash(places: number): void {
    if (this.life) this.#crashIn = places;
  }

  armCommitFailure(commits: number): void {
    if (this.life) this.#commitFailureIn = commits;
  }

  takeCrash(): boolean {
    return this.#crashIn > 0 && --this.#crashIn === 0;
  }

  takeCommitFailure(): boolean {
    return this.#commitFailureIn > 0 && --this.#commitFailureIn === 0;
  }

  /** Lets what follows from a step happen: every promise that can go on does, and nothing else. */
  async settle(): Promise<void> {
    await drained();
    while (this.#unfinished.length > 0) {
      const left = this.#unfinished;
      this.#unfinished = [];
      for (const call of left) {
        if (!this.rng.chance(0.3)) continue;
        this.note(() => `${call.label} still happens`);
        await call.work(this.rng.chance(0.5));
      }
      await drained();
    }
  }

  /** Time passes and timers fire, each with all that follows from it. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + ms;
    for (let fired = 0; fired < 200; fired++) {
      const nextMs = this.clock.nextTimerMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.clock.advance(Math.max(0, nextMs - this.clock.monotonicMs()));
      await this.settle();
    }
    const left = untilMs - this.clock.monotonicMs();
    if (left > 0) this.clock.advance(left);
    this.#expire();
  }

  #expire(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [path, untilMs] of this.faults.flaps) {
      if (untilMs <= nowMs) this.faults.flaps.delete(path);
    }
    for (const call of this.runtime.calls) {
      if (call.dueMs >= nowMs) continue;
      this.fail("every call is answered", `${call.verb} ${call.number} waits since long`);
    }
  }
}

/** Runs all microtasks; no time passes. */
function drained(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
