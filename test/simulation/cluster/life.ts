import { Definitions } from "../../../src/plugin-host/networks/definitions.ts";
import { FakeClock } from "../../../src/plugin-host/fake-clock.ts";
import type { FakeApi } from "../../../src/plugin-host/kubernetes/fake-api.ts";
import { Cluster } from "../../../src/plugin-host/kubernetes/cluster.ts";
import type {
  Journal,
  JournalChanges,
} from "../../../src/plugin-host/kubernetes/object-journal.ts";
import {
  type ResourceName,
  watchedResources,
} from "../../../src/plugin-host/kubernetes/resources.ts";
import { servicesEventOf } from "../../../src/plugin-host/services-source.ts";
import type {
  ManifestEvent,
  ManifestObject,
} from "../../../src/plugin-host/manifests/manifest-object.ts";
import { formatProblem } from "../../../src/plugin-host/manifests/object-source.ts";
import { sampleFacts } from "../../../src/services/sample-objects.ts";
import { createServiceTable } from "../../../src/services/service-table.ts";
import { LIMITS } from "../../../src/plugin-host/limits.ts";
import type { Rng } from "../rng.ts";
import { askedFor, Network } from "./network.ts";
import { NODE_NAME } from "./objects.ts";
import { textOf } from "./truth.ts";

/** All that promises can do without time is done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface LifeOptions {
  readonly api: FakeApi;
  readonly disk: Disk;
  readonly rng: Rng;
  /** Of its start. */
  readonly wallMs: number;
}

/** The journal over the lives of hosts, with what it is known to hold. */
export interface Disk {
  readonly journal: Journal;
  /** Version by resource of which something complete was written. */
  readonly versions: Map<ResourceName, string>;
}

/** One host from its start to its end, and what it told. */
export class Life {
  readonly clock: FakeClock;
  readonly network: Network;
  readonly cluster: Cluster;
  readonly table = createServiceTable(sampleFacts({ nodeName: NODE_NAME }));
  readonly definitions = new Definitions({
    isComplete: false,
    findConflist: () => undefined,
    events: { emit: () => {} },
  });
  /** What was told, added up: by resource, then by key. */
  readonly told = new Map<ResourceName, Map<string, string>>();
  /** The same as objects. */
  readonly objects = new Map<string, ManifestObject>();
  /** Groups that were told of. */
  readonly isTold = { services: false, networks: false };
  /** What listeners must not be told. */
  readonly faults: string[] = [];
  readonly restoredUid: string | undefined;
  isClosed = false;
  /** Writes of the journal that still succeed before kill -9; undefined: all. */
  writesLeft: number | undefined;
  #isDead = false;

  constructor({ api, disk, rng, wallMs }: LifeOptions) {
    this.clock = new FakeClock(wallMs);
    const restored = watchedResources(NODE_NAME).filter(({ name }) => {
      const ageMs = wallMs - (disk.journal.read(name)?.writtenMs ?? 0);
      const isKnown = (disk.versions.get(name) ?? "") !== "" && name !== "nodes (own)";
      return isKnown && ageMs <= LIMITS.kubernetesResumeMs;
    });
    this.network = new Network(api, {
      restored: restored.map(({ path, query }) => askedFor(path, query)),
    });
    this.cluster = new Cluster({
      nodeName: NODE_NAME,
      api: this.network,
      journal: this.#journalOn(disk),
      clock: this.clock,
      random: () => rng.next() / 2 ** 32,
      events: { emit: () => {} },
    });
    this.restoredUid = this.cluster.node?.uid;
    this.network.follow(() => this.cluster.node?.uid);
    this.cluster.listen(() => this.#hear("the view"));
    this.cluster.start({
      services: {
        onEvents: (events) => {
          this.#add("services", events);
          this.table.applyObjects("kubernetes", events.flatMap(servicesEventOf));
          this.table.takeChanges();
        },
        onProblems: () => this.#hear("problems"),
      },
      networks: {
        onEvents: (events) => {
          this.#add("networks", events);
          this.definitions.apply(events);
        },
        onProblems: (problems) => this.definitions.setProblems(problems.map(formatProblem)),
      },
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** kill -9. */
  die(): void {
    this.#isDead = true;
    this.network.die();
    this.clock.clearTimers();
  }

  async close(): Promise<void> {
    const closed = this.cluster.close();
    await settled();
    await closed;
    this.isClosed = true;
  }

  /** Time passes, and what is due happens at its time. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      await settled();
      const nowMs = this.clock.monotonicMs();
      const nextMs = Math.min(this.clock.nextTimerMs() ?? endMs, endMs);
      this.clock.advance(Math.max(0, nextMs - nowMs));
      if (nextMs < endMs) continue;
      await settled();
      return;
    }
  }

  /** What is known of a resource, as it was told; undefined: nothing was told yet. */
  known(name: ResourceName): ReadonlyMap<string, string> | undefined {
    if (name === "pods") {
      const pods = [...this.cluster.pods];
      return new Map(pods.map((pod) => [`Pod/${pod.namespace}/${pod.name}`, textOf(pod)]));
    }
    const isTold = NETWORKS.has(name) ? this.isTold.networks : this.isTold.services;
    return isTold ? (this.told.get(name) ?? new Map()) : undefined;
  }

  #hear(what: string): void {
    if (this.isClosed || this.#isDead) this.faults.push(`${what} told after the end`);
  }

  #add(group: "services" | "networks", events: readonly ManifestEvent[]): void {
    this.#hear(group);
    for (const event of events) {
      if (event.kind === "relist") {
        if (this.isTold[group]) this.faults.push(`${group} are told of anew`);
        this.isTold[group] = true;
        for (const object of event.objects) this.#put(object);
      } else if (!this.isTold[group]) this.faults.push(`${group}: news before the list`);
      else if (event.kind === "put") this.#put(event.object);
      else {
        const held = this.told.get(resourceOf(event.key));
        this.objects.delete(event.key);
        if (!held?.delete(event.key)) this.faults.push(`${event.key} goes and was not there`);
      }
    }
  }

  #put(object: ManifestObject): void {
    const key = `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
    const name = resourceOf(key);
    const held = this.told.getOrInsertComputed(name, () => new Map<string, string>());
    held.set(key, textOf(object));
    this.objects.set(key, object);
  }

  #journalOn({ journal, versions }: Disk): Journal {
    return {
      read: (resource) => journal.read(resource),
      write: (changes: JournalChanges) => {
        this.#spend();
        journal.write(changes);
        const name = changes.resource as ResourceName;
        if (changes.version === undefined) versions.delete(name);
        else versions.set(name, changes.version);
      },
      forget: () => {
        this.#spend();
        journal.forget();
        versions.clear();
      },
    };
  }

  #spend(): void {
    if (!this.#isDead && this.writesLeft !== undefined && this.writesLeft-- <= 0) this.die();
    if (this.#isDead) throw new Error("the host is dead");
  }
}

const NETWORKS: ReadonlySet<ResourceName> = new Set<ResourceName>([
  "network-attachment-definitions.k8s.cni.cncf.io",
  "ipamclaims.k8s.cni.cncf.io",
]);

const BY_KIND: Readonly<Record<string, ResourceName>> = {
  Service: "services",
  EndpointSlice: "endpointslices.discovery.k8s.io",
  Node: "nodes (others)",
  ServiceCIDR: "servicecidrs.networking.k8s.io",
  NetworkAttachmentDefinition: "network-attachment-definitions.k8s.cni.cncf.io",
  IPAMClaim: "ipamclaims.k8s.cni.cncf.io",
};

function resourceOf(key: string): ResourceName {
  if (key === `Node//${NODE_NAME}`) return "nodes (own)";
  const name = BY_KIND[key.split("/")[0] ?? ""];
  if (name === undefined) throw new Error(`What is ${key}?`);
  return name;
}
