import type { Command } from "commander";
import { attachmentColumns } from "./attachments.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { CLI_LIMITS } from "./limits.ts";
import { printTable } from "./table.ts";

const POD = "namespace/name, or the beginning of a container id";

export function addAttachCommand(program: Command, context: CliContext): void {
  const command = program
    .command("attach")
    .argument("<pod>", POD)
    .argument("<network>", "[namespace/]name[@interface], or one JSON object of the annotation")
    .description("attach a running pod to one more network");
  withCommonOptions(command)
    .addHelpText(
      "after",
      `
All or nothing; again it answers the same. \`patchbay networks\` lists what can be named.

Examples:
  $ npx patchbay attach default/web-1 storage
  $ npx patchbay attach default/web-1 infra/storage@net3
  $ npx patchbay attach default/web-1 '{"name":"storage","ips":["10.20.0.7"]}'`,
    )
    .action(async (pod: string, selection: string) => {
      const { root, json } = command.opts<CommonOptions>();
      const how = { root, what: `attach ${pod} to ${selection}`, timeoutMs: CLI_LIMITS.longCallMs };
      const { attachment } = await withHost(context, how, (host) =>
        host.attachNetwork({ pod, selection }),
      );
      if (json) context.output.json({ attachment });
      else if (attachment) {
        printTable(context.output, attachmentColumns(context.now()), [attachment]);
      }
    });
}

export function addDetachCommand(program: Command, context: CliContext): void {
  const command = program
    .command("detach")
    .argument("<pod>", POD)
    .argument("<network>", "interface inside the pod, or network where the pod has it once")
    .description("detach a running pod from a network beside its default one");
  withCommonOptions(command)
    .addHelpText(
      "after",
      `
What is not attached is success. The default network goes with the pod alone.

Examples:
  $ npx patchbay detach default/web-1 storage
  $ npx patchbay detach default/web-1 net3`,
    )
    .action(async (pod: string, target: string) => {
      const { root, json } = command.opts<CommonOptions>();
      const how = { root, what: `detach ${pod} from ${target}`, timeoutMs: CLI_LIMITS.longCallMs };
      const { attachments } = await withHost(context, how, (host) =>
        host.detachNetwork({ pod, target }),
      );
      if (json) context.output.json({ attachments });
      else if (attachments.length === 0) context.output.line(`${pod} is not attached to ${target}`);
      else printTable(context.output, attachmentColumns(context.now()), attachments);
    });
}
