import type { Command } from "commander";
import { describePod } from "./attachments.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { CLI_LIMITS } from "./limits.ts";
import { sanitize } from "./output.ts";

export function addCheckCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("check")
    .argument("[attachment]", "id of one attachment, see `patchbay attachments`; absent: all")
    .description("compare attachments with the kernel, as CNI CHECK does");
  withCommonOptions(command)
    .addHelpText("after", "\nExit code 1 when something differs.")
    .action(async (attachmentId = "") => {
      const { root, json } = command.opts<CommonOptions>();
      const what = attachmentId ? `check ${attachmentId}` : "check the attachments";
      const { attachments } = await withHost(
        context,
        { root, what, timeoutMs: CLI_LIMITS.longCallMs },
        (host) => host.checkAttachments({ attachmentId }),
      );
      const drifted = attachments.filter(({ findings }) => findings.length > 0);
      if (drifted.length > 0) setExitCode(EXIT.failure);
      if (json) {
        context.output.json({ attachments });
        return;
      }
      const { output } = context;
      for (const { attachment, findings } of drifted) {
        if (!attachment) continue;
        const pod = describePod(attachment) || attachment.containerId.slice(0, 12);
        const subject = `${attachment.attachmentId} (${pod} ${attachment.ifname})`;
        output.line(output.style("red", sanitize(subject)));
        for (const finding of findings) output.line(`  ${sanitize(finding)}`);
      }
      const asRecorded = attachments.length - drifted.length;
      const checked = formatNumber(attachments.length, "attachment");
      output.line(
        drifted.length === 0
          ? `${checked} checked: all as recorded`
          : `${checked} checked: ${asRecorded} as recorded, ${drifted.length} not: recreate these pods`,
      );
    });
}
