import { type AttachResponse, can, type Finding } from "../../plugin-sdk/network-plugin.ts";
import type { CniRequest } from "../cni/request.ts";
import { addressesOfResult } from "../cni/result.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type AttachmentRecord, attachmentIdOf } from "./attachment.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { describePod } from "./detach.ts";
import { identifyNetns } from "./netns.ts";

type CheckRequest = Extract<CniRequest, { verb: "CHECK" }>;

/** CNI CHECK: throws DRIFT that names every difference between record, kernel and prevResult. */
export async function check(context: HostContext, request: CheckRequest): Promise<void> {
  const id = attachmentIdOf({ network: request.config.name, ...request });
  const record = context.state.attachments.get(id);
  if (!record) {
    throw new PatchbayError(
      "NOT_ATTACHED",
      `${request.ifname} of container ${request.containerId} is not attached to ${request.config.name}`,
    );
  }
  // The runtime asks about its own attachment and means the pod: no other verb looks at the others. What is
  // being plugged in or out is nobody's promise.
  const others = context.state
    .recordsOfPod(id)
    .filter((other) => other !== record && other.state.kind === "attached");
  const pod = [record, ...others];
  const differences: string[] = [];
  for (const each of pod) {
    const findings = await checkRecord(context, each);
    if (each === record) findings.push(...comparePrevResult(each, request.config.prevResult));
    const prefix = each === record ? "" : `${each.ifname} (network ${each.network}): `;
    differences.push(...findings.map((item) => `${prefix}${describeFinding(item)}`));
  }
  if (differences.length === 0) return;
  const what = `${record.ifname} of ${describePod(record)} is not as recorded`;
  throw new PatchbayError("DRIFT", what, { cause: differences.join("; ") });
}

/**
 * Every difference between a record and the world. Empty: as recorded. With `repair` a plugin that can mends
 * what it finds; the caller then holds the container's lock.
 */
export async function checkRecord(
  context: HostContext,
  record: AttachmentRecord,
  options: { readonly repair: boolean } = { repair: false },
): Promise<Finding[]> {
  if (record.state.kind === "adopted") return [];
  if (record.state.kind !== "attached") {
    return [finding("state", record.ifname, "attached", record.state.kind)];
  }
  const found = (await identifyNetns(context, record.netns, "CHECK_FAILED")) ?? "";
  if (found !== record.netnsIdentity) {
    return [finding("netns", record.netns, record.netnsIdentity, found)];
  }
  const attached: AttachResponse = record.state.response;
  const configOf = () => context.state.networks.get(record.network)?.configJson;
  for (let tries = 1; ; tries++) {
    const before = configOf();
    const findings = await checkByPlugin(context, record, { attached, ...options });
    // A configuration that another pod brought meanwhile may have ended what was looked for.
    const isSettled = findings.length === 0 || configOf() === before;
    if (isSettled || tries === CHECK_TRIES) return [...findings];
  }
}

/** A network whose configuration changes during each of them is told of as it is found. */
const CHECK_TRIES = 3;

async function checkByPlugin(
  context: HostContext,
  record: AttachmentRecord,
  options: { readonly attached: AttachResponse; readonly repair: boolean },
): Promise<readonly Finding[]> {
  const { clock } = context.ports;
  const plugin = requirePlugin(context, record.plugin);
  const what = `Check of ${record.ifname} of ${describePod(record)} by ${record.plugin}`;
  const repair = options.repair && can(plugin, "CAPABILITY_REPAIR");
  const limitMs = LIMITS.checkMs;
  const attachment = withWishInForce(context, record);
  const check = () => plugin.check({ attachment, attached: options.attached, repair });
  try {
    // A repair changes the attachment, and so is one of the calls that must not overlap.
    if (repair) return await context.pluginCalls.run(record.id, { limitMs, what }, check);
    return await withDeadline(check(), { clock, limitMs, what });
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    throw new PatchbayError("CHECK_FAILED", `${what} failed`, { cause });
  }
}

/** Masquerade is the network's: a newer configuration may have ended what this pod came with. */
function withWishInForce({ state }: HostContext, { network, request }: AttachmentRecord) {
  const isNewest = state.networks.get(network)?.configJson === request.configJson;
  return isNewest ? request : { ...request, masquerade: null };
}

/** "address-missing eth0: expected 10.88.0.5/32, found nothing" */
export function describeFinding(item: Finding): string {
  return `${item.kind} ${item.object}: expected ${item.expected || "nothing"}, found ${item.found || "nothing"}`;
}

/** Later members of a chain may have added to the result: only what we gave must be there. */
function comparePrevResult(record: AttachmentRecord, prevResult: unknown): Finding[] {
  if (prevResult === undefined || record.state.kind !== "attached") return [];
  const given = new Set(addressesOfResult(prevResult));
  return record.state.response.addresses
    .filter((ip) => !given.has(ip.address))
    .map((ip) => finding("prev-result", record.ifname, ip.address, ""));
}

function finding(kind: string, object: string, expected: string, found: string): Finding {
  return { kind, object, expected, found, repaired: false };
}
