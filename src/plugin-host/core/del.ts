import type { CniRequest } from "../cni/request.ts";
import { attachmentIdOf } from "./attachment.ts";
import type { HostContext } from "./context.ts";
import { detachRecord } from "./detach.ts";
import type { CallTrace } from "./ports.ts";

type DelRequest = Extract<CniRequest, { verb: "DEL" }>;

/**
 * CNI DEL: what is not recorded is gone already, and that is success. Neither prevResult nor the
 * namespace is needed. The caller holds the container's lock.
 */
export async function del(
  context: HostContext,
  request: DelRequest,
  trace: CallTrace,
): Promise<void> {
  const record = context.state.attachments.get(
    attachmentIdOf({ network: request.config.name, ...request }),
  );
  if (record) await detachRecord(context, record, trace);
}
