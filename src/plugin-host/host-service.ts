import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostLocalFile } from "../ipam/host-local-import.ts";
import type { HostHandlers } from "../rpc/generated/patchbay/host/v1/Host.ts";
import { hostProto, type ServerWritableStream } from "../rpc/services.ts";
import { grpcError } from "../rpc/status.ts";
import type { ServedService } from "../rpc/unix-server.ts";
import type { AttachmentRecord } from "./core/attachment.ts";
import type { Host } from "./core/host.ts";
import {
  checkAttachments,
  importHostLocal,
  listAttachments,
  listNetworks,
  matches,
  releaseIpam,
  showIpam,
  toAttachment,
} from "./core/operator.ts";
import type { Trace } from "./core/ports.ts";
import { examineNode } from "./doctor.ts";
import { ERRORS, formatErrorChain, PatchbayError, toPatchbayError } from "./errors.ts";
import type { EventLog, TimedEvent } from "./event-log.ts";
import { LIMITS } from "./limits.ts";
import { servicesHandlers } from "./services/services-service.ts";
import { HOST_VERSION } from "./version.ts";

export interface HostServiceDeps {
  readonly host: Host;
  readonly events: EventLog;
  readonly trace: Trace;
  readonly bootId: string;
  readonly startedMs: number;
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
      plugins: listPlugins(host),
      bootId: deps.bootId,
      journalPending: (await host.context.ports.journal.read()).length,
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
    CheckAttachments: unary(async ({ attachmentId }) => ({
      attachments: await checkAttachments(host.context, attachmentId),
    })),
    Doctor: unary(async () => ({ findings: await examineNode(host.context) })),
    ...servicesHandlers(),
  };
  return { definition: hostProto.Host.service, handlers: { ...handlers } };
}

/** Each watcher may have a backlog: their number is what bounds the memory of all. */
function limitWatchers(): <Q, A>(call: ServerWritableStream<Q, A>) => boolean {
  const watchers = new Set<object>();
  return (call) => {
    if (watchers.size >= LIMITS.watchersMax) {
      hangUp(call, `Cannot serve more than ${LIMITS.watchersMax} watchers`);
      return false;
    }
    watchers.add(call);
    const leave = () => watchers.delete(call);
    call.on("cancelled", leave);
    call.on("close", leave);
    return true;
  };
}

/** A watcher that does not read must not fill the host's memory: after this it gets no more. */
function push<Q, A>(call: ServerWritableStream<Q, A>, message: A): boolean {
  if (call.writableLength < LIMITS.watchBacklogMax) {
    call.write(message);
    return true;
  }
  hangUp(call, `The watcher is ${LIMITS.watchBacklogMax} messages behind`);
  return false;
}

/** Not destroy(): the watcher would never learn that it was hung up on. */
function hangUp<Q, A>(call: ServerWritableStream<Q, A>, reason: string): void {
  call.emit("error", grpcError("RESOURCE_EXHAUSTED", reason));
}

type UnaryHandler<Q, A> = (
  call: { readonly request: Q },
  done: (error: object | null, answer?: A) => void,
) => void;

function unary<Q, A>(work: (request: Q) => Promise<A>): UnaryHandler<Q, A> {
  return (call, done) => {
    work(call.request).then(
      (answer) => done(null, answer),
      (error: unknown) => {
        const known = toPatchbayError(error);
        done(grpcError(ERRORS[known.code].grpc, `${formatErrorChain(known)} [${known.code}]`));
      },
    );
  };
}

function listPlugins(host: Host) {
  const { plugins } = host.context.ports;
  return plugins.names().map((name) => {
    const version = plugins.find(name)?.info.version ?? "";
    return { name, version, builtIn: true };
  });
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
