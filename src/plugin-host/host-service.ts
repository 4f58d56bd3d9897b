import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostLocalFile } from "../ipam/host-local-import.ts";
import type { HostHandlers } from "../rpc/generated/patchbay/host/v1/Host.ts";
import { hostProto } from "../rpc/services.ts";
import type { ServedService } from "../rpc/unix-server.ts";
import type { AttachmentRecord } from "./core/attachment.ts";
import type { Host } from "./core/host.ts";
import {
  checkAttachments,
  importHostLocal,
  listAttachments,
  listNetworks,
  matches,
  networkStatuses,
  releaseIpam,
  showIpam,
  toAttachment,
} from "./core/operator.ts";
import { findStates, listDefinitions } from "./core/definition-states.ts";
import type { Trace } from "./core/ports.ts";
import { examineNode } from "./doctor.ts";
import { PatchbayError } from "./errors.ts";
import type { EventLog, TimedEvent } from "./event-log.ts";
import { limitWatchers, push, unary } from "./grpc-answers.ts";
import {
  examineKubernetes,
  examinePublishing,
  examineRuntime,
} from "./kubernetes/kubernetes-doctor.ts";
import type { PublishDenial } from "./kubernetes/publish/writer.ts";
import { toKubernetesStatus } from "./kubernetes/kubernetes-status.ts";
import type { KubernetesView } from "./kubernetes/view.ts";
import { listNetworkPlugins } from "./plugins/plugin-status.ts";
import { examinePlugins } from "./plugins/plugins-doctor.ts";
import type { PluginRegistry } from "./registry.ts";
import type { ApplySources } from "./services/apply-sources.ts";
import type { ServicesCore } from "./services/services-core.ts";
import { examineConfigs, examineDefinitions } from "./networks/definitions-doctor.ts";
import { examineServices } from "./services/services-doctor.ts";
import { servicesHandlers } from "./services/services-service.ts";
import { HOST_VERSION } from "./version.ts";

export interface HostServiceDeps {
  readonly host: Host;
  readonly events: EventLog;
  readonly trace: Trace;
  readonly bootId: string;
  readonly startedMs: number;
  readonly nodeName: string;
  readonly plugins: Pick<PluginRegistry, "list">;
  readonly services: ServicesCore;
  readonly applySources: ApplySources;
  /** What sources of Services could not read. */
  readonly servicesProblems: () => readonly string[];
  /** Undefined: the host runs without a cluster. */
  readonly kubernetes: KubernetesView | undefined;
  /** What the API server does not let the host write. */
  readonly publishDenials: () => readonly PublishDenial[];
  /** Path of the container runtime's CRI socket; undefined: it is not asked. */
  readonly runtimeEndpoint: string | undefined;
}

/** host-local writes two short lines; a larger file is not one of its. */
const HOST_LOCAL_FILE_BYTES_MAX = 4096;

/** patchbay.host.v1 on top of the core. */
export function hostService(deps: HostServiceDeps): ServedService {
  const { host, events } = deps;
  const admit = limitWatchers();
  const handlers: HostHandlers = {
    GetStatus: unary(async () => ({
      version: HOST_VERSION,
      pid: process.pid,
      startedMs: deps.startedMs,
      ready: host.phase === "ready",
      reason: host.phase === "ready" ? "" : `The host is ${host.phase}`,
      running: host.admission.running,
      waiting: host.admission.waiting,
      networks: await listNetworks(host.context),
      plugins: [
        ...listNetworkPlugins(host.context, deps.plugins.list()),
        ...listPlanes(deps.services),
      ],
      bootId: deps.bootId,
      journalPending: (await host.context.ports.journal.read()).length,
      nodeName: deps.nodeName,
      kubernetes: deps.kubernetes
        ? toKubernetesStatus(deps.kubernetes, host.context.ports.node.unready)
        : null,
    })),
    ListAttachments: unary(async (request) => ({
      attachments: listAttachments(host.context, request),
    })),
    WatchAttachments(call) {
      if (!admit(call)) return;
      for (const attachment of listAttachments(host.context, call.request)) {
        call.write({ change: "present", attachment });
      }
      const stop = events.listen((event) => {
        const change = toAttachmentChange(event);
        if (!change || !matches(change.attachment, call.request)) return;
        const attachment = toAttachment(change.attachment);
        if (!push(call, { change: change.change, attachment })) stop();
      });
      call.on("cancelled", stop);
      call.on("close", stop);
    },
    WatchEvents(call) {
      if (call.request.follow && !admit(call)) return;
      for (const event of events.last(call.request.last)) call.write(event);
      if (!call.request.follow) {
        call.end();
        return;
      }
      const stop = events.listen((event) => {
        if (!push(call, event)) stop();
      });
      call.on("cancelled", stop);
      call.on("close", stop);
    },
    ShowIpam: unary(async (request) => ({ pools: showIpam(host.context, request) })),
    ReleaseIpam: unary(async ({ attachmentId }) => ({
      addresses: await releaseIpam(host.context, attachmentId, deps.trace.begin("RELEASE")),
    })),
    ImportHostLocal: unary(async ({ directory, network, configJson, dryRun }) => {
      const files = readHostLocalFolder(directory);
      return importHostLocal(host.context, { files, network, configJson, dryRun });
    }),
    CheckAttachments: unary(async (request) => ({
      attachments: await checkAttachments(host.context, request),
    })),
    AttachNetwork: unary(async ({ pod, selection }) => ({
      attachment: toAttachment(await host.attachNetwork(pod, selection)),
    })),
    DetachNetwork: unary(async ({ pod, target }) => ({
      attachments: (await host.detachNetwork(pod, target)).map(toAttachment),
    })),
    ListNetworkDefinitions: unary(async ({ namespace }) => ({
      definitions: await listDefinitions(host.context, namespace),
      problems: [...host.context.ports.definitions.problems],
    })),
    GetNetworkStatus: unary(async ({ pod }) => ({ pods: networkStatuses(host.context, pod) })),
    Doctor: unary(async () => ({
      findings: [
        ...(await examineNode(host.context)),
        ...examinePlugins(host.context, deps.plugins.list()),
        ...(await examineNetworks(host)),
        ...examineServices(deps.services, deps.servicesProblems()),
        ...(await examineCluster(deps)),
      ],
    })),
    ...servicesHandlers({
      core: deps.services,
      host,
      sources: deps.applySources,
      problems: deps.servicesProblems,
      admit,
    }),
  };
  return { definition: hostProto.Host.service, handlers: { ...handlers } };
}

async function examineCluster(deps: HostServiceDeps) {
  const { host, kubernetes, runtimeEndpoint, nodeName, services } = deps;
  const { podWitnesses } = host.context.ports;
  const tokenLife = await kubernetes?.readTokenLife?.();
  const about = { table: services.table, nodeName, tokenLife, nowMs: Date.now() };
  return [
    ...(kubernetes ? examineKubernetes(kubernetes, about) : []),
    ...examinePublishing(deps.publishDenials()),
    ...(runtimeEndpoint === undefined ? [] : [await examineRuntime(runtimeEndpoint, podWitnesses)]),
  ];
}

async function examineNetworks({ context }: Host) {
  const { definitions, plugins } = context.ports;
  const states = await findStates(context, definitions.list());
  return [
    ...examineDefinitions(definitions, states, plugins),
    ...examineConfigs(context.state.networks.values(), plugins),
  ];
}

/** Data planes of Services, with what is wrong with them. */
function listPlanes(services: ServicesCore) {
  if (!services.isWanted) return [];
  return services.planes.map(({ revision: _revision, ...plane }) => ({
    ...plane,
    roles: ["services"],
  }));
}

/** What an event says of an attachment; undefined for the others. */
function toAttachmentChange(
  event: TimedEvent,
): { change: string; attachment: AttachmentRecord } | undefined {
  if (!event.attachment) return undefined;
  if (event.kind === "attached") return { change: "attached", attachment: event.attachment };
  if (event.kind === "detached") return { change: "removed", attachment: event.attachment };
  return undefined;
}

function readHostLocalFolder(directory: string): HostLocalFile[] {
  try {
    // Not through symbolic links: host-local makes none.
    const names = readdirSync(directory).filter((name) => {
      const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
      return stat?.isFile() === true && stat.size <= HOST_LOCAL_FILE_BYTES_MAX;
    });
    return names.map((name) => ({ name, content: readFileSync(join(directory, name), "utf8") }));
  } catch (cause) {
    throw new PatchbayError("IO_FAILURE", `Cannot read the folder ${directory}`, { cause });
  }
}
