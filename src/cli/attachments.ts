import type { Command } from "commander";
import type { Attachment__Output } from "../rpc/generated/patchbay/host/v1/Attachment.ts";
import type { AttachmentChange__Output } from "../rpc/generated/patchbay/host/v1/AttachmentChange.ts";
import {
  type CliContext,
  type CommonOptions,
  hostNotRunning,
  withCommonOptions,
  withHost,
} from "./context.ts";
import { formatDuration } from "./format.ts";
import { sanitize } from "./output.ts";
import { type Column, printTable } from "./table.ts";

interface AttachmentsOptions extends CommonOptions {
  readonly network: string;
  readonly pod: string;
  readonly container: string;
  readonly watch?: true;
}

export function addAttachmentsCommand(program: Command, context: CliContext): void {
  const command = program
    .command("attachments")
    .description("list the attachments of pods")
    .option("--network <name>", "only of this network", "")
    .option("--pod <namespace/name>", "only of this pod", "")
    .option("--container <id>", "only of this container; the beginning of its id is enough", "")
    .option("--watch", "then show every change, until interrupted; JSON: one object a line")
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay attachments --pod default/web-1
  $ npx patchbay attachments --watch --json | jq .change`,
    );
  withCommonOptions(command).action(async () => {
    const { root, json, network, pod, container, watch } = command.opts<AttachmentsOptions>();
    const request = { network, pod, containerId: container };
    await withHost(context, { root, what: "list attachments" }, async (host) => {
      if (watch) {
        for await (const change of host.watchAttachments(request)) {
          if (json) context.output.jsonLine(change);
          else printChange(context, change);
        }
        throw hostNotRunning(root);
      }
      const attachments = await host.listAttachments(request);
      if (json) context.output.json({ attachments });
      else printTable(context.output, attachmentColumns(context.now()), attachments);
    });
  });
}

/** Columns of an attachment, as `check` has them too. */
export function attachmentColumns(nowMs: number): readonly Column<Attachment__Output>[] {
  return [
    { title: "ATTACHMENT", value: (attachment) => attachment.attachmentId },
    { title: "POD", value: describePod },
    { title: "CONTAINER", value: (attachment) => attachment.containerId.slice(0, 12) },
    { title: "IFNAME", value: (attachment) => attachment.ifname },
    { title: "NETWORK", value: (attachment) => attachment.network },
    { title: "ADDRESSES", value: (attachment) => attachment.addresses.join(", ") },
    {
      title: "STATE",
      value: (attachment) => attachment.state,
      style: (attachment) => (attachment.state === "attached" ? undefined : "yellow"),
    },
    { title: "AGE", value: (attachment) => formatDuration(nowMs - attachment.createdMs) },
  ];
}

export function describePod(attachment: Attachment__Output): string {
  if (attachment.podName === "") return "";
  return `${attachment.podNamespace}/${attachment.podName}`;
}

function printChange(
  { output }: CliContext,
  { change, attachment }: AttachmentChange__Output,
): void {
  if (!attachment) return;
  const subject = describePod(attachment) || attachment.containerId.slice(0, 12);
  const words = [change, attachment.attachmentId, subject, attachment.ifname, attachment.network];
  output.line(sanitize([...words, attachment.addresses.join(", ")].join("  ")));
}
