import type { NetworkPluginCalls, WireFailure } from "../rpc/network-plugin-server.ts";
import type { GrpcStatusName } from "../rpc/status.ts";
import { AttachmentTurns } from "./attachment-turns.ts";
import { checkAttach, checkAttachmentId } from "./check-request.ts";
import { type NetworkPlugin, PluginError, type PluginErrorKind } from "./network-plugin.ts";

/** Causes of an error that are told of. */
const CAUSES_MAX = 8;

/** A plugin's methods as calls of the wire: checked, and those of one attachment one after the other. */
export function callsOf(plugin: NetworkPlugin): NetworkPluginCalls {
  const turns = new AttachmentTurns();
  return {
    getInfo: async () => plugin.info,
    async attach(request, signal) {
      checkAttach(request);
      const { attachmentId } = request;
      const turn = { attachmentId, what: "Attach", signal };
      return turns.run(turn, () => plugin.attach(request, { signal }));
    },
    async detach(request, signal) {
      checkAttachmentId(request);
      const { attachmentId } = request;
      const turn = { attachmentId, what: "Detach", signal };
      await turns.run(turn, () => plugin.detach(request, { signal }));
      return {};
    },
    async check(request, signal) {
      const { attachment } = request;
      if (!attachment) throw new PluginError("invalid-config", "attachment is missing");
      checkAttach(attachment);
      const turn = { attachmentId: attachment.attachmentId, what: "Check", signal };
      const findings = await turns.run(turn, () => plugin.check(request, { signal }));
      return { findings: [...findings] };
    },
    async list(request, signal) {
      return { attachments: [...(await plugin.list(request, { signal }))] };
    },
    status: (request, signal) => plugin.status(request, { signal }),
    async repairNetwork(request, signal) {
      if (!plugin.repairNetwork) {
        throw new NotImplementedError(`${plugin.info.name} has no RepairNetwork`);
      }
      return { findings: [...(await plugin.repairNetwork(request, { signal }))] };
    },
  };
}

class NotImplementedError extends Error {
  override readonly name = "NotImplementedError";
}

/** network.proto, "Failures are gRPC statuses". */
const STATUSES: Readonly<Record<PluginErrorKind, GrpcStatusName>> = {
  "invalid-config": "INVALID_ARGUMENT",
  "interface-exists": "ALREADY_EXISTS",
  transient: "UNAVAILABLE",
};

/** A failure as the host gets it: messages of the error and its causes, never a stack. */
export function wireFailureOf(error: unknown): WireFailure {
  return { status: statusOf(error), message: messageOf(error) };
}

/**
 * What the plugin's log gets of a failure: nothing of those that the plugin explains to its caller, a
 * line of those of the system and the kernel, which have a code, and the stack of all others.
 */
export function logTextOf(error: unknown): string | undefined {
  if (error instanceof PluginError || error instanceof NotImplementedError) return undefined;
  const isOfSystem = error instanceof Error && "code" in error && typeof error.code === "string";
  if (isOfSystem || !(error instanceof Error)) return messageOf(error);
  return error.stack ?? messageOf(error);
}

function statusOf(error: unknown): GrpcStatusName {
  if (error instanceof PluginError) return STATUSES[error.kind] ?? "UNKNOWN";
  return error instanceof NotImplementedError ? "UNIMPLEMENTED" : "UNKNOWN";
}

function messageOf(error: unknown): string {
  const messages: string[] = [];
  let next = error;
  while (next instanceof Error && messages.length < CAUSES_MAX) {
    const message = next.message === "" ? next.name : next.message;
    // An error that was wrapped with its own text says everything once.
    if (!messages.some((known) => known.includes(message))) messages.push(message);
    next = next.cause;
  }
  return messages.length > 0 ? messages.join(": ") : `The plugin threw ${typeof error}`;
}
