import { hash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { createBridgePlugin } from "../../plugins/bridge/plugin.ts";
import { lazyCniExec } from "../../plugins/cni-exec/lazy.ts";
import { createHostDevicePlugin } from "../../plugins/host-device/plugin.ts";
import { createMacvlanPlugin } from "../../plugins/macvlan/plugin.ts";
import { createRoutedPlugin } from "../../plugins/routed/plugin.ts";
import { createVxlanPlugin } from "../../plugins/vxlan/plugin.ts";
import { withTuning } from "../../plugins/tuning/plugin.ts";
import { openNftables } from "../kernel/nftables.ts";
import { openPciDevices } from "../kernel/pci-devices.ts";
import { openKernel } from "../kernel/rtnetlink-kernel.ts";
import { HeldAttachments } from "../plugin-sdk/held-attachments.ts";
import { serveUnix } from "../rpc/unix-server.ts";
import { CniConfFolder } from "./cni-conf-folder.ts";
import { Host } from "./core/host.ts";
import { NO_NODE_VIEW, NO_POD_WITNESSES, type PodWitnesses } from "./core/ports.ts";
import type { OpenedCluster } from "./kubernetes/open-cluster.ts";
import type { OwnPods } from "./kubernetes/view.ts";
import { FolderDelJournal } from "./del-journal.ts";
import { EventLog } from "./event-log.ts";
import { faultFromEnvironment } from "./fault.ts";
import { hostService } from "./host-service.ts";
import { readHostConfig } from "./host-config.ts";
import { LIMITS } from "./limits.ts";
import { createMetrics, serveMetrics } from "./metrics.ts";
import { lockNode } from "./node-lock.ts";
import { pathsBelow } from "./paths.ts";
import { Definitions } from "./networks/definitions.ts";
import { manifestsSource } from "./node-manifests.ts";
import { PluginFolder } from "./plugins/plugin-folder.ts";
import { PluginRegistry } from "./registry.ts";
import { PodAddresses } from "./services/pod-addresses.ts";
import { openServicesNode } from "./services/services-node.ts";
import { shimService } from "./shim-service.ts";
import { SqliteStore } from "./store-sqlite.ts";
import { systemClock } from "./system-clock.ts";
import { HOST_VERSION } from "./version.ts";

export interface RunHostOptions {
  /** "/" on a node. */
  readonly root: string;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** Port of /metrics on 127.0.0.1; 0 picks one, undefined serves none. */
  readonly metricsPort: number | undefined;
  /** Name of this node, as Node objects and EndpointSlices have it. */
  readonly nodeName: string;
  /** Folder of manifests; undefined: none. */
  readonly manifests: string | undefined;
  /** The host's configuration; undefined: etc/patchbay/host.json below the root, if it is there. */
  readonly configFile: string | undefined;
  /** How to reach the API server; undefined: no cluster. */
  readonly kubernetes:
    | {
        /** Undefined: as a pod of the cluster does (in-cluster configuration). */
        readonly kubeconfig: string | undefined;
        /** URLs that go before the one that the configuration names. Empty: that one. */
        readonly apiServers: readonly string[];
      }
    | undefined;
  /** Path of the container runtime's CRI socket; undefined: it is not asked. */
  readonly runtimeEndpoint: string | undefined;
}

/** Longest time of each call of a third party's plugin: the core's own deadlines. */
const PLUGIN_DEADLINES = {
  greetingMs: LIMITS.pluginGreetingMs,
  attachMs: LIMITS.attachMs,
  detachMs: LIMITS.detachMs,
  checkMs: LIMITS.checkMs,
  listMs: LIMITS.listMs,
  statusMs: LIMITS.pluginStatusMs,
  repairNetworkMs: LIMITS.attachMs,
};

/** Events after which the next round of reconciliation comes at once. */
const HURRYING: ReadonlySet<string> = new Set([
  "services-repaired",
  "plugin-joined",
  "plugin-recovered",
]);

/** Written by the page or ten times a second: a write for each line would cost an ADD 50 us. */
const LOG_TO_STDERR = { fd: 2, sync: false, minLength: 4096, periodicFlush: 100 };

/**
 * The composition root: the only reader of environment and machine, the only maker of real
 * adapters. Resolves when the host has been told to stop and has stopped.
 */
export async function runHost(options: RunHostOptions): Promise<void> {
  const paths = pathsBelow(options.root);
  const log = pino({ level: options.logLevel }, pino.destination(LOG_TO_STDERR));
  const startedMs = Date.now();
  const config = readHostConfig(options.configFile ?? paths.hostConfig, {
    isOptional: options.configFile === undefined,
    hasCluster: options.kubernetes !== undefined,
  });

  // From the first moment on: a stop while starting stops as cleanly as later.
  const signalled = untilSignal();
  await using cleanup = new AsyncDisposableStack();
  // Opened first: its lock is what keeps a second host out.
  const store = cleanup.adopt(new SqliteStore(paths.database), (open) => open.close());
  // Hosts of different roots would undo each other's links and tables.
  const lock = await lockNode({ pid: process.pid, root: paths.root });
  cleanup.defer(() => lock.close());
  const kernel = cleanup.adopt(await openKernel(), (open) => open.close());
  const nftables = openNftables();
  const events = new EventLog({ max: LIMITS.eventsMax, now: Date.now });
  const metrics = createMetrics(
    {
      attachments: () => host.context.state.attachments.size,
      running: () => host.admission.running,
      waiting: () => host.admission.waiting,
    },
    faultFromEnvironment(process.env["PATCHBAY_FAULT"]),
  );
  events.listen((event) => {
    metrics.countEvent(event);
    logEvent(log, event);
  });

  const confFolder = new CniConfFolder(config.cni.confDir);
  const definitions = new Definitions({
    isComplete: options.manifests === undefined && options.kubernetes === undefined,
    findConflist: (name) => confFolder.find(name),
    events,
  });
  const opened = await openKubernetes(options, { journalFile: paths.objects, events });
  if (opened) cleanup.use(opened);
  const cluster = opened?.cluster;
  const plugins = new PluginFolder({
    clock: systemClock,
    events,
    folder: paths.pluginDir,
    // A node without plugins pays for none of this.
    connect: async (socketPath) => {
      const { connectNetworkPlugin } = await import("../rpc/network-plugin-client.ts");
      return connectNetworkPlugin(socketPath, {
        hostVersion: HOST_VERSION,
        deadlines: PLUGIN_DEADLINES,
        messageBytesMax: LIMITS.pluginAnswerBytesMax,
      });
    },
  });
  const services = cleanup.use(
    openServicesNode({
      clock: systemClock,
      events,
      kernel,
      registry: metrics.registry,
      config: config.services,
      nodeName: options.nodeName,
      source: opened
        ? opened.sourceFor(definitions)
        : options.manifests === undefined
          ? undefined
          : manifestsSource({ folder: options.manifests, clock: systemClock, definitions }),
      markerFile: paths.servicesMarker,
      version: HOST_VERSION,
      plugins,
      // A node without Services pays for none of this.
      connectPlugin: async (socketPath) => {
        const { connectPlugin } = await import("../rpc/service-plugin-client.ts");
        return connectPlugin(socketPath, {
          timeoutMs: LIMITS.pluginGreetingMs,
          messageBytesMax: LIMITS.pluginMessageBytesMax,
        });
      },
      openNetfilter: async () => (await import("../kernel/nf-netfilter.ts")).openNetfilter(),
      createPlane: async ({ nfnetlink }) => {
        const { createNftablesPlane } = await import("../../plugins/nftables/plane.ts");
        const { masqueradeBit } = config.services;
        return createNftablesPlane({ nftables, nfnetlink, masqueradeBit });
      },
      openNamespacePlane: async () => {
        const { openNetnsNetfilter } = await import("../kernel/netns-netfilter.ts");
        const { createPodPlane } = await import("../../plugins/nftables/pod-plane.ts");
        return createPodPlane({ netfilter: await openNetnsNetfilter(), kernel });
      },
    }),
  );
  cleanup.defer(() => plugins.close());
  const podAddresses = new PodAddresses(services.core);
  events.listen((event) => podAddresses.onEvent(event));
  events.listen((event) => services.onEvent(event));

  const heldBy = <Detail>(plugin: string) =>
    new HeldAttachments<Detail>(join(paths.heldDir, plugin));
  const hostId = hash("sha256", paths.root).slice(0, 8);
  const journal = new FolderDelJournal(paths.delJournal);
  await journal.removeAbandoned();
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const registry = new PluginRegistry({
    clock: systemClock,
    events,
    builtIn: [
      createRoutedPlugin({ kernel, nftables, hostId }),
      createBridgePlugin({ kernel, nftables, hostId }),
      createVxlanPlugin({ kernel, nftables, hostId }),
      createMacvlanPlugin({ kernel, hostId, held: heldBy("macvlan") }),
      createHostDevicePlugin({
        kernel,
        hostId,
        held: heldBy("host-device"),
        pci: openPciDevices(),
      }),
      lazyCniExec({
        folder: paths.cniExec,
        load: async () => {
          const { createHostCniExec } = await import("./cni-exec.ts");
          return createHostCniExec({ kernel, folder: paths.cniExec, config: config.cni, events });
        },
      }),
    ],
    decorate: (plugin) =>
      withTuning(plugin, {
        kernel,
        hostId,
        sysctlAllowList: config.networks.sysctlAllowList,
        held: heldBy(join("tuning", plugin.info.name)),
      }),
  });
  plugins.addRole(registry);
  const witnesses = await openWitnesses(options, { pods: cluster?.pods, events });
  if (witnesses) cleanup.use(witnesses);
  const host = new Host(
    {
      clock: systemClock,
      store,
      plugins: registry,
      netns: { identify: (path) => kernel.netnsIdentity(path) },
      journal,
      trace: metrics.trace,
      events,
      services: services.attachments,
      definitions,
      node: cluster ?? NO_NODE_VIEW,
      podWitnesses: witnesses ?? NO_POD_WITNESSES,
    },
    {
      bootId,
      ownNetns: ownNetnsIdentity(),
      policy: config.networks,
      repairsDrift: config.networks.repairsDrift,
    },
  );

  const publisher = opened?.openPublisher({
    records: () => host.context.state.attachments.values(),
    isReady: () => host.phase === "ready" && cluster?.unready === "",
    onWrite: (kind, outcome) => metrics.countWrite(kind, outcome),
  });
  if (publisher) {
    cleanup.defer(() => publisher.close());
    events.listen((event) => publisher.onEvent(event));
  }

  // Who empties a table of Services mostly empties all: `nft flush ruleset`.
  // What a plugin that was away left undone is done when it is back.
  events.listen(({ kind }) => {
    if (HURRYING.has(kind)) host.hurry();
  });

  const deps = {
    host,
    events,
    trace: metrics.trace,
    bootId,
    startedMs,
    nodeName: options.nodeName,
    plugins: registry,
    services: services.core,
    applySources: services.applySources,
    servicesProblems: () => services.problems(),
    kubernetes: cluster,
    publishDenials: () => publisher?.denials ?? [],
    runtimeEndpoint: options.runtimeEndpoint,
  };
  const shimServer = await serveUnix(paths.shimSocket, [shimService(host)]);
  cleanup.defer(() => shimServer.stop(LIMITS.stopGraceMs));
  const hostServer = await serveUnix(paths.hostSocket, [hostService(deps)]);
  cleanup.defer(() => hostServer.stop(0));
  const metricsServer = await startMetrics(options, metrics.registry, log);
  if (metricsServer) cleanup.defer(() => closeServer(metricsServer));

  // Beside the pods' start: neither waits for the other.
  services.start();
  plugins.start();
  // What a crash left unfinished may be theirs to finish.
  await plugins.firstAnswers(LIMITS.pluginFirstLookMs);
  await host.start();
  podAddresses.restore(host.context.state.attachments.values());
  publisher?.start();
  log.info(
    { version: HOST_VERSION, root: paths.root, pid: process.pid, socket: paths.shimSocket },
    "Plugin host is ready",
  );
  const signal = await signalled;
  log.info({ signal }, "Plugin host stops");
  await host.stop();
  // What hangs is told to its callers, instead of being waited for once more.
  registry.abort();
}

/** A node without a cluster pays for none of this. */
async function openKubernetes(
  { nodeName, kubernetes }: RunHostOptions,
  deps: { readonly journalFile: string; readonly events: EventLog },
): Promise<OpenedCluster | undefined> {
  if (kubernetes === undefined) return undefined;
  const { openCluster } = await import("./kubernetes/open-cluster.ts");
  return openCluster({ nodeName, ...kubernetes, ...deps, clock: systemClock });
}

async function openWitnesses(
  { runtimeEndpoint }: RunHostOptions,
  deps: { readonly pods: OwnPods | undefined; readonly events: EventLog },
): Promise<(PodWitnesses & Disposable) | undefined> {
  if (runtimeEndpoint === undefined && deps.pods === undefined) return undefined;
  const { openPodWitnesses } = await import("./runtime/pod-witnesses.ts");
  return openPodWitnesses({ runtimeEndpoint, ...deps, clock: systemClock });
}

function logEvent(log: Logger, event: { kind: string; subject: string; message: string }): void {
  const { kind, subject, message } = event;
  const isTrouble =
    kind.endsWith("-failed") || kind.startsWith("leak-") || kind.startsWith("orphan");
  log[isTrouble ? "warn" : "info"]({ kind, subject }, message);
}

/** "device:inode", as Kernel.netnsIdentity says it of pods. */
function ownNetnsIdentity(): string {
  const { dev, ino } = statSync("/proc/self/ns/net", { bigint: true });
  return `${dev}:${ino}`;
}

/** A port that another program has must not keep pods from starting. */
async function startMetrics(
  options: RunHostOptions,
  registry: Parameters<typeof serveMetrics>[0],
  log: Logger,
): Promise<Server | undefined> {
  if (options.metricsPort === undefined) return undefined;
  try {
    const server = await serveMetrics(registry, options.metricsPort);
    log.info({ address: server.address() }, "Metrics are served");
    return server;
  } catch (error) {
    log.warn({ error: String(error) }, "Metrics are not served");
    return undefined;
  }
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
}
