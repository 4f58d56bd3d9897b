import type { Command } from "commander";
import { describePod } from "./attachments.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { CLI_LIMITS } from "./limits.ts";
import { sanitize } from "./output.ts";

interface CheckOptions extends CommonOptions {
  readonly pod: string;
  readonly network: string;
  readonly repair?: true;
}

export function addCheckCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("check")
    .argument("[attachment]", "id of one attachment, or namespace/name of a pod; absent: all")
    .description("compare attachments with the kernel, as CNI CHECK does, and mend what differs")
    .option(
      "--pod <pod>",
      "only of this pod: namespace/name, or the beginning of a container id",
      "",
    )
    .option("--network <name>", "only of this network", "")
    .option("--repair", "mend what differs, where the plugin can");
  withCommonOptions(command)
    .addHelpText("after", "\nExit code 1 when something differs, and was not mended.")
    .action(async (subject = "") => {
      const { root, json, network, repair, ...options } = command.opts<CheckOptions>();
      const what = subject ? `check ${subject}` : "check the attachments";
      // As `attach` and `detach` take a pod; ids have no slash.
      const isPod = subject.includes("/") && options.pod === "";
      const attachmentId = isPod ? "" : subject;
      const pod = isPod ? subject : options.pod;
      const { attachments } = await withHost(
        context,
        { root, what, timeoutMs: CLI_LIMITS.longCallMs },
        (host) => host.checkAttachments({ attachmentId, pod, network, repair: repair === true }),
      );
      const drifted = attachments.filter(({ findings }) => findings.length > 0);
      const left = drifted.filter(({ findings, repaired }) => findings.length > repaired.length);
      if (left.length > 0) setExitCode(EXIT.failure);
      if (json) {
        context.output.json({ attachments });
        return;
      }
      const { output } = context;
      for (const { attachment, findings, repaired } of drifted) {
        if (!attachment) continue;
        const whose = describePod(attachment) || attachment.containerId.slice(0, 12);
        const title = `${attachment.attachmentId} (${whose} ${attachment.ifname})`;
        output.line(output.style("red", sanitize(title)));
        for (const finding of findings) {
          const mark = repaired.includes(finding) ? " (mended)" : "";
          output.line(`  ${sanitize(finding)}${mark}`);
        }
      }
      const asRecorded = attachments.length - drifted.length;
      const checked = formatNumber(attachments.length, "attachment");
      const mended = drifted.length - left.length;
      const remedy = repair ? "recreate these pods" : "try --repair, or recreate these pods";
      const parts = [
        `${asRecorded} as recorded`,
        ...(mended > 0 ? [`${mended} mended`] : []),
        ...(left.length > 0 ? [`${left.length} not: ${remedy}`] : []),
      ];
      const summary = drifted.length === 0 ? "all as recorded" : parts.join(", ");
      output.line(`${checked} checked: ${summary}`);
    });
}
