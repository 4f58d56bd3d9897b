import type { ObjectKey } from "../../services/objects.ts";
import type { Clock, EventSink, NodeView } from "../core/ports.ts";
import type { ManifestEvent, ManifestObject } from "../manifests/manifest-object.ts";
import type { SourceProblem } from "../manifests/object-source.ts";
import type { KubernetesApi, TokenLife } from "./api.ts";
import { Connection } from "./connection.ts";
import { JournalWriter } from "./journal-writer.ts";
import type { Journal } from "./object-journal.ts";
import type { Kept } from "./objects/kept.ts";
import { PodList } from "./pod-list.ts";
import { Reflector } from "./reflector.ts";
import { ResourceStore, type StoreChange } from "./resource-store.ts";
import { type ResourceName, watchedResources } from "./resources.ts";
import type { KubernetesView, OwnNode, OwnPods, ViewChange, WatchState } from "./view.ts";

export interface ClusterOptions {
  readonly nodeName: string;
  readonly api: KubernetesApi;
  /** undefined: nothing is written down. */
  readonly journal: Journal | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: EventSink;
}

/** Who hears of the objects of a group of resources: first a relist, when all of them are there. */
export interface ClusterListener {
  onEvents(events: readonly ManifestEvent[]): void;
  /** All problems of the group as of now. */
  onProblems(problems: readonly SourceProblem[]): void;
}

interface Followed {
  readonly name: ResourceName;
  readonly group: Group | undefined;
  readonly store: ResourceStore;
  readonly reflector: Reflector;
}

/** Resources that are told of together. */
interface Group {
  readonly members: Followed[];
  listener: ClusterListener | undefined;
  /** Its relist was told. */
  isTold: boolean;
}

const SERVICES: ReadonlySet<ResourceName> = new Set<ResourceName>([
  "services",
  "endpointslices.discovery.k8s.io",
  "nodes (own)",
  "nodes (others)",
  "servicecidrs.networking.k8s.io",
]);
const NETWORKS: ReadonlySet<ResourceName> = new Set<ResourceName>([
  "network-attachment-definitions.k8s.cni.cncf.io",
  "ipamclaims.k8s.cni.cncf.io",
]);
const OWN_NODE: ResourceName = "nodes (own)";
const OWN_PODS: ResourceName = "pods";

/**
 * What this node knows of its cluster: one reflector and store for each resource, the journal behind
 * them, and who is to hear of it. Deterministic: clock, randomness and server are ports.
 */
export class Cluster implements KubernetesView, NodeView {
  readonly #options: ClusterOptions;
  readonly #followed = new Map<ResourceName, Followed>();
  readonly #services: Group = { members: [], listener: undefined, isTold: false };
  readonly #networks: Group = { members: [], listener: undefined, isTold: false };
  readonly #listeners = new Set<(change: ViewChange) => void>();
  readonly #writer: JournalWriter | undefined;
  readonly #connection: Connection;
  readonly #pods = new PodList();
  #node: OwnNode | undefined;
  /** Uid of the own Node as it was last known, also while it is gone; undefined: it never was. */
  #knownUid: string | undefined;
  /** What an earlier host wrote down may be of another cluster, or too old: the own Node has not been seen yet. */
  #isDoubtful = false;
  /** What is told to listeners next. */
  #news: { node: boolean; pods: Set<string> } | undefined;
  #cancelNews: () => void = () => {};

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { journal, clock, events, nodeName, api } = options;
    this.#connection = new Connection({ events, server: () => api.server });
    this.#writer =
      journal &&
      new JournalWriter({
        journal,
        clock,
        onError: (error) =>
          events.emit({
            kind: "kubernetes-failed",
            subject: "journal",
            message: `What is heard of the API server is not written down any more: ${String(error)}`,
          }),
      });
    for (const resource of watchedResources(nodeName)) this.#follow(resource);
    this.#knownUid = this.#node?.uid;
    if (this.#isDoubtful) this.#writer?.hold();
  }

  get node(): OwnNode | undefined {
    return this.#node;
  }

  get pods(): OwnPods {
    return this.#pods;
  }

  get server(): string {
    return this.#options.api.server;
  }

  async readTokenLife(): Promise<TokenLife | undefined> {
    return await this.#options.api.readTokenLife?.();
  }

  get watches(): readonly WatchState[] {
    return [...this.#followed.values()].map(({ reflector, store }) => ({
      ...reflector.state,
      objects: store.size,
    }));
  }

  get name(): string {
    return this.#options.nodeName;
  }

  get podCidrs(): readonly string[] {
    return this.#node?.podCidrs ?? [];
  }

  /** Pods would find Services missing that are there. */
  get unready(): string {
    const missing = this.#services.members.filter(({ store }) => !store.isListed);
    if (missing.length === 0) {
      const { nodeName } = this.#options;
      return this.#node
        ? ""
        : `The cluster has no Node ${nodeName}: the kubelet registers it, and --node-name says its name`;
    }
    const names = missing.map(({ name }) => name).join(", ");
    const trouble = missing.find(({ reflector }) => reflector.state.trouble !== "");
    const why = trouble ? `: ${trouble.reflector.state.trouble}` : "";
    return `No first list of ${names} came from ${this.server} yet${why}`;
  }

  listen(listener: (change: ViewChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to tell and to ask the server. What an earlier host knew is told at once. */
  start(listeners: {
    readonly services: ClusterListener;
    readonly networks: ClusterListener;
  }): void {
    this.#services.listener = listeners.services;
    this.#networks.listener = listeners.networks;
    for (const group of [this.#services, this.#networks]) this.#tell(group, []);
    for (const { reflector } of this.#followed.values()) reflector.start();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#followed.values()].map(({ reflector }) => reflector.close()));
    this.#writer?.close();
    this.#cancelNews();
  }

  #follow(resource: ReturnType<typeof watchedResources>[number]): void {
    const { api, clock, random } = this.#options;
    const { name } = resource;
    const store: ResourceStore = new ResourceStore(resource, {
      onStored: (changes) => this.#onStored(name, changes),
      onProblems: () => this.#onProblems(name),
      onVersion: () => this.#writer?.noted(name),
      onState: (state) => this.#onState(name, state),
    });
    const restored = this.#writer?.read(name, (kept) => resource.restore(kept));
    if (restored) {
      this.#isDoubtful ||= name !== OWN_NODE && (!this.#node || !restored.isFresh);
      store.restore(restored.version, restored.objects);
    }
    if (this.#isDoubtful) store.onDistrust();
    this.#writer?.follow(name, store, { isRestored: restored !== undefined });
    const group = this.#groupOf(name);
    const reflector = new Reflector({
      resource,
      api,
      clock,
      random,
      listener: store,
      isWitness: name === OWN_NODE,
      // Whether it is the same cluster, the own Node tells: one object, listed at each start. Where none was
      // known, nothing does; nor does anything tell a backup that was restored long ago, and has overtaken.
      ...(restored && {
        restored: {
          ...restored,
          isConfirmed: name === OWN_NODE || this.#isDoubtful,
        },
      }),
    });
    const followed: Followed = { name, group, store, reflector };
    this.#followed.set(name, followed);
    group?.members.push(followed);
    if (name === OWN_NODE) this.#node = ownNodeOf(store, this.#options.nodeName);
    if (name === OWN_PODS) this.#pods.restore(store.values());
  }

  #groupOf(name: ResourceName): Group | undefined {
    if (SERVICES.has(name)) return this.#services;
    return NETWORKS.has(name) ? this.#networks : undefined;
  }

  #onStored(name: ResourceName, changes: readonly StoreChange[]): void {
    this.#writer?.noted(name, changes);
    if (name === OWN_NODE) this.#noteNode();
    if (name === OWN_PODS) {
      for (const uid of this.#pods.apply(changes)) this.#noteNews().pods.add(uid);
    }
    const followed = this.#followed.get(name);
    if (followed?.group) this.#tell(followed.group, changes);
  }

  #noteNode(): void {
    const own = this.#followed.get(OWN_NODE);
    this.#node = own && ownNodeOf(own.store, this.#options.nodeName);
    this.#noteNews().node = true;
    const before = this.#knownUid;
    if (!this.#node) return;
    this.#knownUid = this.#node.uid;
    if (this.#isDoubtful) {
      // Everything is listed as it is; what is not yet must not stand beside this Node in the journal.
      this.#isDoubtful = false;
      this.#writer?.forget();
      return;
    }
    if (before === undefined || before === this.#node.uid) return;
    // Another cluster, or a Node made anew in this one, which nobody can tell apart. Versions of one cluster
    // mean nothing in another.
    this.#writer?.forget();
    for (const { name, reflector } of this.#followed.values()) {
      if (name !== OWN_NODE) reflector.relist();
    }
  }

  /** Changes of a group, or all of it when the last of its first lists has come. */
  #tell(group: Group, changes: readonly StoreChange[]): void {
    const { listener, members } = group;
    if (!listener || !members.every(({ store }) => store.isListed)) return;
    if (group.isTold) {
      const events = changes.flatMap(eventsOf);
      if (events.length > 0) listener.onEvents(events);
      return;
    }
    group.isTold = true;
    const objects = members.flatMap(({ store }) => [...store.values()].flatMap(objectsOf));
    listener.onEvents([{ kind: "relist", objects }]);
  }

  #onProblems(name: ResourceName): void {
    const group = this.#followed.get(name)?.group;
    group?.listener?.onProblems(group.members.flatMap(({ store }) => [...store.problems.values()]));
  }

  #onState(name: ResourceName, state: WatchState): void {
    this.#connection.note(state);
    if (name === OWN_PODS) this.#pods.isCurrent = state.phase === "watching";
  }

  /** Listeners hear of what comes together once, after those who brought it. */
  #noteNews(): { node: boolean; pods: Set<string> } {
    if (this.#news) return this.#news;
    const news = { node: false, pods: new Set<string>() };
    this.#news = news;
    this.#cancelNews = this.#options.clock.after(0, () => {
      this.#news = undefined;
      for (const listener of this.#listeners) {
        listener({ node: news.node, pods: [...news.pods] });
      }
    });
    return news;
  }
}

/** By its name: a proxy that drops the selector must not make this node another one. */
function ownNodeOf(store: ResourceStore, nodeName: string): OwnNode | undefined {
  for (const kept of store.values()) {
    if (kept.kind === "own-node" && kept.node.name === nodeName) return kept.node;
  }
  return undefined;
}

function objectsOf(kept: Kept): ManifestObject[] {
  return kept.kind === "own-pod" ? [] : [kept.object];
}

function eventsOf({ key, value }: StoreChange): ManifestEvent[] {
  if (value === undefined) return [{ kind: "delete", key: key satisfies ObjectKey }];
  return objectsOf(value).map((object) => ({ kind: "put", object }));
}
