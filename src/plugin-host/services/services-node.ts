import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Registry } from "prom-client";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Netfilter } from "../../kernel/nf-netfilter.ts";
import type { PluginConnection } from "../../rpc/service-plugin-client.ts";
import type { ObjectEvent } from "../../services/objects.ts";
import type { NamespacePlane } from "../../services/namespace-plane.ts";
import type { ServicePlane } from "../../services/service-plane.ts";
import { createServiceTable } from "../../services/service-table.ts";
import type { AttachmentServices, Clock, EventSink, HostEvent } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import type { ServicesConfig } from "../host-config.ts";
import { formatProblem, type SourceProblem } from "../manifests/object-source.ts";
import type { ServicesSource } from "../services-source.ts";
import type { PluginFolder } from "../plugins/plugin-folder.ts";
import { CoreAttachmentServices } from "./attachment-services.ts";
import { ApplySources } from "./apply-sources.ts";
import type { ServiceEdges } from "./edges.ts";
import { LazyPlane } from "./lazy-plane.ts";
import { NodeAddresses } from "./node-addresses.ts";
import { NodeFactsTracker } from "./node-facts.ts";
import { PodNamespaces } from "./networks/pod-namespaces.ts";
import { PodNetworkFacts } from "./networks/pod-network-facts.ts";
import { PluginPlanes } from "./plugin-planes.ts";
import { ServicesCore } from "./services-core.ts";
import { createServicesMetrics, LateMetrics } from "./services-metrics.ts";
import { ANY_CALLER } from "./services-service.ts";

export interface ServicesNodeDeps {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly kernel: Kernel;
  readonly registry: Registry;
  readonly config: ServicesConfig;
  readonly nodeName: string;
  /** Where objects come from, a folder or an API server; undefined: from nowhere. */
  readonly source: ServicesSource | undefined;
  /** Stands while a data plane may hold something of ours. */
  readonly markerFile: string;
  readonly version: string;
  /** Of third parties; started and closed by its owner. */
  readonly plugins: PluginFolder;
  readonly connectPlugin: (socketPath: string) => Promise<PluginConnection>;
  readonly openNetfilter: () => Promise<Netfilter>;
  readonly createPlane: (netfilter: Netfilter) => Promise<ServicePlane>;
  /** Writes Services into namespaces of pods. */
  readonly openNamespacePlane: () => Promise<NamespacePlane>;
}

const NODE_ADDRESSES = "node addresses";
const EDGES = "health servers and flows";

/** Everything of Services that a host runs. */
export interface ServicesNode extends AsyncDisposable {
  readonly core: ServicesCore;
  readonly applySources: ApplySources;
  readonly attachments: AttachmentServices;
  /** What the host tells of attachments. */
  onEvent(event: HostEvent): void;
  /** What sources could not read. */
  problems(): readonly string[];
  /** Begins with the sources. */
  start(): void;
}

/** Puts core, sources and data plane of this node together. */
export function openServicesNode(deps: ServicesNodeDeps): ServicesNode {
  const { clock, events, config, nodeName } = deps;
  const cleanup = new AsyncDisposableStack();
  const tracker = new NodeFactsTracker({ nodeName, config });
  const table = createServiceTable(tracker.facts);
  const metrics = new LateMetrics(() =>
    createServicesMetrics({
      registry: deps.registry,
      wallMs: () => clock.wallMs(),
      revision: () => core.revision,
      programmedRevision: () => core.programmedRevision,
      plan: () => table.plan(),
      connectionCounts: () => core.connectionCounts(),
    }),
  );
  const core: ServicesCore = new ServicesCore({ clock, events, table, metrics });
  cleanup.defer(() => core.stop());
  core.onWanted(() => metrics.begin());

  const netfilter = new Lazy(deps.openNetfilter);
  // Loaded when there is something for it to do; the first plan waits for it.
  let edges: ServiceEdges | undefined;
  core.awaitSource(EDGES);
  core.onWanted(() => {
    const opening = openEdges().catch((error: unknown) => {
      const message = `Cannot open ${EDGES}: ${formatErrorChain(error)}`;
      events.emit({ kind: "services-edge-failed", subject: "services", message });
    });
    void opening.finally(() => core.sourceIsReady(EDGES));
  });
  const openEdges = async () => {
    const { ServiceEdges } = await import("./edges.ts");
    if (cleanup.disposed) return;
    edges = cleanup.use(
      new ServiceEdges({
        core,
        clock,
        events,
        metrics,
        healthz: config.healthz,
        servesLocalhost: tracker.servesLocalhost,
        nodePortAddresses: () => tracker.facts.nodePortAddresses,
      }),
    );
    edges.setNode(tracker.ownNode);
    if (netfilter.found) edges.openFlows(netfilter.found.conntrack);
  };
  const plane = new LazyPlane("nftables", async () => {
    const opened = await netfilter.get();
    edges?.openFlows(opened.conntrack);
    mark(deps.markerFile, "");
    return deps.createPlane(opened);
  });
  // Asked before the plane is made, which marks.
  const marks = readMarks(deps.markerFile);
  core.addPlane(plane, { isRequired: true, version: deps.version });
  core.onWanted(() => plane.warm());
  cleanup.defer(async () => {
    await plane.close();
    await netfilter.found?.close();
  });

  const namespaces = new PodNamespaces({
    clock,
    events,
    open: deps.openNamespacePlane,
    isThere: async ({ path, identity }) => {
      const found = await deps.kernel.netnsIdentity(path);
      return found !== undefined && `${found.device}:${found.inode}` === identity;
    },
    findServing: (key) => table.servingEndpoints(key),
    onHolding(isAny) {
      if (!isAny) unmark(deps.markerFile, PODS);
      else if (readMarks(deps.markerFile)?.includes(PODS) !== true) mark(deps.markerFile, PODS);
    },
  });
  cleanup.defer(() => namespaces.close());
  const networkFacts = new PodNetworkFacts(core);
  // A node without Services on networks has no such plane.
  let hasNamespaces = false;
  const addNamespaces = () => {
    if (hasNamespaces) return;
    hasNamespaces = true;
    core.addPlane(namespaces, { isRequired: false, isAwaited: true, version: deps.version });
  };
  core.listen({
    taken: (taken) => {
      if (taken === undefined) return;
      if (taken.changes.putFrontends.some(({ onNetwork }) => onNetwork)) addNamespaces();
      namespaces.follow(taken.changes);
    },
  });
  if (marks?.includes(PODS)) addNamespaces();

  const { connectPlugin: connect, version: hostVersion } = deps;
  deps.plugins.addRole(new PluginPlanes({ core, clock, events, hostVersion, connect }));

  let nodePortTrouble = "";
  const noteNodePorts = () => {
    const before = nodePortTrouble;
    nodePortTrouble = tracker.nodePortTrouble;
    if (nodePortTrouble === "" || nodePortTrouble === before) return;
    const subject = "nodePortAddresses";
    events.emit({ kind: "services-edge-failed", subject, message: nodePortTrouble });
  };
  const addresses = new NodeAddresses({
    kernel: deps.kernel,
    clock,
    listener: (found) => {
      const isNew = tracker.setKernelAddresses(found);
      noteNodePorts();
      if (!isNew) return;
      core.setFacts(tracker.facts);
      edges?.setNode(tracker.ownNode);
    },
    onError: (message) =>
      events.emit({ kind: "services-source-failed", subject: NODE_ADDRESSES, message }),
  });
  cleanup.defer(() => addresses.stop());
  // A host port that is on no address yet would be taken for programmed.
  core.awaitSource(NODE_ADDRESSES);
  const followKernel = async () => {
    try {
      await (tracker.needsKernel ? addresses.start() : addresses.stop());
    } catch (error) {
      const message = formatErrorChain(error);
      events.emit({ kind: "services-source-failed", subject: NODE_ADDRESSES, message });
    }
    core.sourceIsReady(NODE_ADDRESSES);
  };

  const problems = new Map<string, readonly SourceProblem[]>();
  const onEvents = (source: string, changes: readonly ObjectEvent[]) => {
    if (tracker.applyObjects(source, changes)) {
      core.setFacts(tracker.facts);
      if (!tracker.needsKernel) noteNodePorts();
      void followKernel();
    }
    edges?.setNode(tracker.ownNode);
    core.applyObjects(source, changes);
  };
  const onProblems = (source: string, found: readonly SourceProblem[]) => {
    noteProblems(events, { source, before: problems.get(source) ?? [], found });
    problems.set(source, found);
  };

  return {
    core,
    applySources: new ApplySources((isAny) => {
      if (isAny) mark(deps.markerFile, CALLERS);
      else unmark(deps.markerFile, CALLERS);
    }),
    attachments: new CoreAttachmentServices({
      core,
      events,
      nodeName,
      addWaits: config.addWaits,
      clock,
      networks: {
        restore: (records) => {
          networkFacts.restore(records);
          namespaces.restore(records, { mayHold: marks?.includes(PODS) === true });
        },
        settle: (record) => namespaces.settle(record),
        withdraw: (id) => {
          networkFacts.remove(id);
          namespaces.withdraw(id);
        },
      },
      nodeAddresses: async () => {
        const found = await deps.kernel.addresses();
        return found.map(({ address: { family, value } }) => ({ family, value }));
      },
    }),
    onEvent(event) {
      const { kind, attachment } = event;
      if (kind !== "attached" || !attachment) return;
      networkFacts.add(attachment);
      namespaces.attach(attachment);
    },
    problems: () => [
      ...(nodePortTrouble === "" ? [] : [nodePortTrouble]),
      ...namespaces.troubles().slice(0, TROUBLES_MAX),
      ...core.lateSources.map(describeLate),
      ...[...problems.values()].flatMap((found) => found.map(formatProblem)),
    ],
    start() {
      const { source } = deps;
      if (source === undefined) {
        // An earlier host had callers of ApplyServices: they have a while to come back. Not for ever, since
        // nothing else is programmed meanwhile, and what they gave is not meant to survive the host.
        if (marks?.includes(CALLERS)) core.expectSource(ANY_CALLER, { keeps: false });
        // It left something that may be out of date.
        else if (marks !== undefined) core.want();
        core.onWanted(() => void followKernel());
        return;
      }
      core.expectSource(source.name, { keeps: marks !== undefined });
      void followKernel();
      const watching = source.open({ onEvents, onProblems });
      cleanup.defer(async () => {
        await (await watching.catch(() => undefined))?.[Symbol.asyncDispose]();
      });
      watching.catch((error: unknown) => {
        const message = `Cannot watch ${source.about}: ${formatErrorChain(error)}`;
        events.emit({ kind: "services-source-failed", subject: source.name, message });
      });
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

function describeLate(source: string): string {
  return `No first list of ${source} came yet; nothing is programmed before, what the kernel holds stays`;
}

/** Each problem once, as it comes. */
function noteProblems(
  events: EventSink,
  change: {
    readonly source: string;
    readonly before: readonly SourceProblem[];
    readonly found: readonly SourceProblem[];
  },
): void {
  const known = new Set(change.before.map(formatProblem));
  for (const text of change.found.map(formatProblem)) {
    if (known.has(text)) continue;
    events.emit({ kind: "services-source-failed", subject: change.source, message: text });
  }
}

/** Something that is opened when it is first asked for. A failure is no answer: the next one asks again. */
class Lazy<T> {
  readonly #open: () => Promise<T>;
  #opening: Promise<T> | undefined;
  found: T | undefined;

  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  async get(): Promise<T> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    this.found = await this.#opening;
    return this.found;
  }
}

/** In the marker: somebody called ApplyServices. */
const CALLERS = "callers";
/** Of namespaces of pods that are told at a time. */
const TROUBLES_MAX = 100;
/** In the marker: namespaces of pods hold rules. */
const PODS = "pods";

function mark(markerFile: string, text: string): void {
  mkdirSync(dirname(markerFile), { recursive: true, mode: 0o700 });
  appendFileSync(markerFile, text);
}

function unmark(markerFile: string, text: string): void {
  writeFileSync(markerFile, (readMarks(markerFile) ?? "").replaceAll(text, ""));
}

/** undefined: nothing of ours is in the kernel. */
function readMarks(markerFile: string): string | undefined {
  try {
    return readFileSync(markerFile, "utf8");
  } catch {
    return undefined;
  }
}
