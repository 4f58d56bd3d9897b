import type { Finding, ListedAttachment, StatusResponse } from "../../plugin-sdk/network-plugin.ts";
import { LIMITS } from "../limits.ts";
import { toPlainText } from "./plain-text.ts";

/** Findings of one Check. */
const FINDINGS_MAX = 1_000;
/** Of a finding's texts, UTF-16 units. */
const FINDING_TEXT_MAX = 1_024;
/** More than the host has recorded: after the loss of its store a plugin may hold them all, and as many new ones. */
const LISTED_MAX = 2 * LIMITS.attachmentsMax;

/** network.proto, AttachRequest.attachment_id. */
const ATTACHMENT_ID = /^[\x21-\x7e]{1,64}$/;
const FINDING_KIND = /^[a-z][a-z0-9-]{0,62}$/;

/** An answer that cannot be: the field and what is wrong with it. */
export class GarbageError extends Error {
  override readonly name = "GarbageError";
}

/** Throws GarbageError unless it holds. */
export function expect(holds: boolean, field: string, expected: string): asserts holds {
  if (!holds) throw new GarbageError(`field ${field}: expected ${expected}`);
}

/** Text of a bounded length, of any characters but control characters. */
export function expectText(value: unknown, field: string, max: number): asserts value is string {
  const isShort = typeof value === "string" && value.length <= max;
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  const isText = isShort && !/[\u0000-\u001f\u007f]/.test(value);
  expect(isText, field, `a line of at most ${max} characters`);
}

export function expectList(value: unknown, field: string, max: number): asserts value is unknown[] {
  expect(Array.isArray(value), field, "a list");
  expect(value.length <= max, field, `at most ${max} entries, found ${value.length}`);
}

/** Answer of Check and RepairNetwork. */
export function checkFindings(findings: readonly Finding[]): readonly Finding[] {
  expectList(findings, "findings", FINDINGS_MAX);
  for (const [index, finding] of findings.entries()) {
    const field = `findings[${index}]`;
    expect(FINDING_KIND.test(finding.kind), `${field}.kind`, 'a word like "link-missing"');
    expectText(finding.object, `${field}.object`, FINDING_TEXT_MAX);
    expectText(finding.expected, `${field}.expected`, FINDING_TEXT_MAX);
    expectText(finding.found, `${field}.found`, FINDING_TEXT_MAX);
    expect(typeof finding.repaired === "boolean", `${field}.repaired`, "true or false");
  }
  return findings;
}

/** Answer of List. What is for people is made readable, not refused. */
export function checkListed(listed: readonly ListedAttachment[]): readonly ListedAttachment[] {
  expectList(listed, "attachments", LISTED_MAX);
  return listed.map(({ attachmentId, object }, index) => {
    expect(
      ATTACHMENT_ID.test(attachmentId),
      `attachments[${index}].attachment_id`,
      "1 to 64 printable characters",
    );
    return { attachmentId, object: toPlainText(object) };
  });
}

/** Answer of Status. */
export function checkStatus({ ready, reason }: StatusResponse): StatusResponse {
  expect(typeof ready === "boolean", "ready", "true or false");
  return { ready, reason: toPlainText(reason) };
}
