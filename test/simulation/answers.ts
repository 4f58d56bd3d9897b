import { ERRORS, PatchbayError } from "../../src/plugin-host/errors.ts";
import type { CniAnswer } from "../../src/plugin-host/core/host.ts";
import type { SimNode } from "./node.ts";
import type { Call } from "./runtime.ts";

const CODES = new Set<number>(Object.values(ERRORS).map((entry) => entry.cni));

interface Answer {
  readonly cniVersion?: unknown;
  readonly code?: unknown;
  readonly msg?: unknown;
  readonly ips?: readonly { readonly address: string }[];
}

/** Every answer is what the CNI specification says, and no failure of weather is called a bug. */
export function checkAnswer(node: SimNode, call: Call, answer: CniAnswer): void {
  const wrong = (why: string) =>
    node.fail("answers are valid CNI", `${call.verb} ${call.number} ${why}: ${answer.resultJson}`);
  if (answer.exitCode === 0 && call.verb !== "ADD") {
    if (answer.resultJson !== "") wrong("has a result");
    return;
  }
  const result = JSON.parse(answer.resultJson) as Answer;
  const asked = JSON.parse(call.message?.configJson.toString() ?? "{}") as Answer;
  if (result.cniVersion !== asked.cniVersion) wrong("has another cniVersion");
  if (answer.exitCode === 0) {
    if (!result.ips || result.ips.length === 0) wrong("has no address");
    return;
  }
  if (!CODES.has(result.code as number)) wrong("has a code that is not in the catalogue");
  if (result.code === ERRORS.INTERNAL.cni) wrong("calls weather a bug");
  if (typeof result.msg !== "string" || result.msg === "") wrong("has no message");
  const { attachment } = call;
  if (call.verb === "CHECK" && attachment?.isLiving && !attachment.pod.hasFlapped) {
    const saysDrift = result.code === ERRORS.DRIFT.cni || result.code === ERRORS.NOT_ATTACHED.cni;
    // The default route of a second network takes the place of the first one's.
    const hasOne = attachment.pod.attachments.length === 1 || !node.profile.isKernel;
    if (saysDrift && hasOne && attachment.lastAdd < call.number) {
      node.fail("CHECK of a living pod finds no drift", answer.resultJson);
    }
  }
}

/** A failure of a hot-plug is one of the catalogue, and none of weather is called a bug. */
export function checkRefusal(node: SimNode, call: Call, error: unknown): void {
  if (error instanceof PatchbayError && error.code !== "INTERNAL") return;
  node.fail("refusals are of the catalogue", `${call.verb} ${call.number}: ${String(error)}`);
}

/** CIDR addresses of an ADD's answer. */
export function parseAddresses(resultJson: string): string[] {
  const result = JSON.parse(resultJson) as Answer;
  return (result.ips ?? []).map((ip) => ip.address);
}
