import { setImmediate } from "node:timers/promises";
import type { NetnsPath } from "../../../kernel/kernel.ts";
import { NO_WISHES } from "../../../plugin-sdk/network-plugin.ts";
import type { AttachmentId, AttachmentRecord } from "../../core/attachment.ts";
import type { HostEvent } from "../../core/ports.ts";
import { FakeClock } from "../../fake-clock.ts";
import { FakeApi } from "../fake-api.ts";
import type { FakeObject } from "../fake-selectors.ts";
import type { NodeCondition, OwnNode, OwnPod, OwnPods, ViewChange } from "../view.ts";
import { Publisher, type PublisherPorts } from "./publisher.ts";

export const PODS = "/api/v1/pods";
export const NODES = "/api/v1/nodes";
export const EVENTS = "/api/v1/events";
export const STATUS = "k8s.v1.cni.cncf.io/network-status";

/** What a watch made of the objects of a FakeApi when it was told to look. */
export class FakeView {
  node: OwnNode | undefined;
  pods: OwnPods = toOwnPods(new Map());
  readonly #api: FakeApi;
  readonly #listeners = new Set<(change: ViewChange) => void>();

  constructor(api: FakeApi) {
    this.#api = api;
  }

  listen(listener: (change: ViewChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The watch broke: what it showed is shown on. */
  fallBehind(): void {
    this.pods = toOwnPods(new Map([...this.pods].map((pod) => [pod.uid, pod])), false);
  }

  /** The watch has caught up; listeners hear of what is another than before. */
  catchUp(): void {
    const before = new Map([...this.pods].map((pod) => [pod.uid, JSON.stringify(pod)]));
    const nodeBefore = JSON.stringify(this.node);
    const pods = [...this.#objects(PODS)].map(toOwnPod);
    this.pods = toOwnPods(new Map(pods.map((pod) => [pod.uid, pod])));
    const [node] = this.#objects(NODES);
    this.node = node && toOwnNode(node);
    const isNew = (pod: OwnPod) => before.get(pod.uid) !== JSON.stringify(pod);
    const gone = [...before.keys()].filter((uid) => this.pods.get(uid) === undefined);
    const change = {
      node: JSON.stringify(this.node) !== nodeBefore,
      pods: [...pods.filter(isNew).map(({ uid }) => uid), ...gone],
    };
    if (!change.node && change.pods.length === 0) return;
    for (const listener of this.#listeners) listener(change);
  }

  *#objects(collection: string): Iterable<FakeObject> {
    for (const line of this.#api.toString().split("\n")) {
      const [path, key = ""] = line.split(" ");
      const object = path === collection ? this.#api.find(collection, key) : undefined;
      if (object) yield object;
    }
  }
}

/** A host's records and a cluster, with a publisher between them. */
export class Scene {
  readonly api = new FakeApi();
  readonly view = new FakeView(this.api);
  readonly clock = new FakeClock();
  readonly told: HostEvent[] = [];
  readonly outcomes: string[] = [];
  records: AttachmentRecord[] = [];
  isReady = true;
  publisher: Publisher;

  constructor(given: Partial<PublisherPorts> = {}) {
    this.publisher = this.#open(given);
  }

  /** kill -9, and the next start. */
  async restart(): Promise<void> {
    await this.publisher.close();
    this.clock.clearTimers();
    this.publisher = this.#open({});
    this.publisher.start();
    await this.pass(100);
  }

  /** Time goes by, with a watch that always keeps up. */
  async pass(ms: number, { seen = true }: { readonly seen?: boolean } = {}): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    await setImmediate();
    for (;;) {
      const nextMs = this.clock.nextTimerMs();
      if (nextMs === undefined || nextMs > endMs) break;
      this.clock.advance(Math.max(0, nextMs - this.clock.monotonicMs()));
      await setImmediate();
      if (seen) this.view.catchUp();
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
  }

  /** A pod in the API. Its uid is `${name}-uid`. */
  pod(name: string, annotations: Record<string, string> = {}, more: object = {}): FakeObject {
    const metadata = { namespace: "default", name, uid: `${name}-uid`, annotations, ...more };
    const object = this.api.put(PODS, { metadata });
    this.view.catchUp();
    return object;
  }

  /** The host attached a pod; networks beside the default one by name. */
  attach(name: string, networks: readonly string[] = []): void {
    const added = ["cluster", ...networks].map((network, index) => record(name, network, index));
    this.records = [...this.records, ...added];
    for (const attachment of added) {
      this.publisher.onEvent({ kind: "attached", subject: "", message: "", attachment });
    }
  }

  fail(name: string, sentence: string): void {
    const about = {
      kind: "Pod" as const,
      namespace: "default",
      name,
      uid: `${name}-uid`,
      sentence,
    };
    this.publisher.onEvent({ kind: "attach-failed", subject: "", message: sentence, about });
  }

  statusOf(name: string): string | undefined {
    return this.api.find(PODS, `default/${name}`)?.metadata.annotations?.[STATUS];
  }

  /** Those that reached the server. */
  writes(path = ""): number {
    return this.api.count("patch", path) + this.api.count("create", path);
  }

  /** Events of core/v1, as `kubectl describe` shows them. */
  events(): string[] {
    return this.api
      .toString()
      .split("\n")
      .filter((line) => line.startsWith(`${EVENTS} `))
      .map((line) => this.api.find(EVENTS, line.split(" ")[1] ?? ""))
      .map((event) => {
        const { type, reason, involvedObject, message, count } = event as unknown as {
          type: string;
          reason: string;
          involvedObject: { kind: string; name: string; uid: string };
          message: string;
          count: number;
        };
        return `${type} ${reason} x${count} ${involvedObject.kind}/${involvedObject.name}: ${message}`;
      });
  }

  #open(given: Partial<PublisherPorts>): Publisher {
    return new Publisher({
      api: this.api,
      view: this.view,
      records: () => this.records,
      clock: this.clock,
      events: { emit: (event) => this.told.push(event) },
      nodeName: "n1",
      isReady: () => this.isReady,
      onWrite: (kind, outcome) => this.outcomes.push(`${kind} ${outcome}`),
      ...given,
    });
  }
}

/** An attachment of pod default/`name`; the first of its container is the default network's. */
export function record(name: string, network: string, index = 0): AttachmentRecord {
  const containerId = `${name}-sandbox`;
  const netns = `/run/netns/${name}`;
  const ifname = index === 0 ? "eth0" : `net${index}`;
  const address = `10.${index}.0.5`;
  return {
    id: `${containerId}/${ifname}` as AttachmentId,
    primaryId: `${containerId}/eth0` as AttachmentId,
    network,
    containerId,
    ifname,
    netns: netns as NetnsPath,
    netnsIdentity: "4:2",
    plugin: "routed",
    cniNetwork: "cluster",
    after: [],
    request: {
      ...NO_WISHES,
      attachmentId: "",
      pod: { namespace: "default", name, uid: `${name}-uid`, labels: {} },
      sandboxId: containerId,
      netns,
      ifname,
      network,
      configJson: "{}",
      addresses: [],
      routes: [],
      mac: "",
      mtu: 0,
      device: null,
      masquerade: null,
    },
    state: {
      kind: "attached",
      response: {
        interfaces: [{ name: ifname, sandbox: netns, mac: "", mtu: 0, pciId: "", socketPath: "" }],
        addresses: [{ address: `${address}/16`, gateway: "", interfaceIndex: 0 }],
        routes: [],
        dns: null,
        deviceInfoJson: "",
      },
    },
    createdWallMs: 1,
  };
}

function toOwnPods(byUid: ReadonlyMap<string, OwnPod>, isCurrent = true): OwnPods {
  const all = [...byUid.values()];
  return {
    isCurrent,
    size: all.length,
    get: (uid) => byUid.get(uid),
    find: (namespace, name) => all.find((pod) => pod.namespace === namespace && pod.name === name),
    [Symbol.iterator]: () => all.values(),
  };
}

function toOwnPod({ metadata }: FakeObject): OwnPod {
  const { annotations = {} } = metadata;
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    uid: metadata.uid ?? "",
    staticUid: annotations["kubernetes.io/config.hash"] ?? "",
    networkStatus: annotations[STATUS],
    isLeaving: "deletionTimestamp" in metadata,
  };
}

function toOwnNode(node: FakeObject): OwnNode {
  const { conditions = [] } = (node["status"] ?? {}) as {
    conditions?: (NodeCondition & { type: string })[];
  };
  return {
    name: node.metadata.name,
    uid: node.metadata.uid ?? "",
    podCidrs: [],
    networkUnavailable: conditions.find(({ type }) => type === "NetworkUnavailable"),
  };
}
