import type { CniRequest } from "../cni/request.ts";
import { attachmentIdOf } from "./attachment.ts";
import type { HostContext } from "./context.ts";
import { detachRecords } from "./detach.ts";
import type { CallTrace } from "./ports.ts";

type DelRequest = Extract<CniRequest, { verb: "DEL" }>;

/**
 * CNI DEL: takes away the attachment named and all that the pod has beside it. What is not recorded is
 * gone already, and that is success. Neither prevResult nor the namespace is needed. The caller holds
 * the container's lock.
 */
export async function del(
  context: HostContext,
  request: DelRequest,
  trace: CallTrace,
): Promise<void> {
  const primaryId = attachmentIdOf({ network: request.config.name, ...request });
  const records = context.state.recordsOfPod(primaryId);
  if (records.length > 0) await detachRecords(context, records, trace);
}
