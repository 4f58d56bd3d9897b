import type { Command } from "commander";
import type { Attachment__Output } from "../rpc/generated/patchbay/host/v1/Attachment.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { CliError } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { drawNode } from "./map.ts";
import { writePicture } from "./write-picture.ts";

interface MapOptions extends CommonOptions {
  readonly output?: string;
  readonly pod: string;
  readonly network: string;
}

export function addMapCommand(program: Command, context: CliContext): void {
  const command = program
    .command("map")
    .description("draw the node: pods, their networks and addresses, bridges, plugins, as an SVG")
    .option("-o, --output <file>", "write to this file; absent: standard output")
    .option("--pod <pod>", "only this: namespace/name, or the beginning of a container id", "")
    .option("--network <name>", "only this network and the pods on it", "");
  withCommonOptions(command, { json: false })
    .addHelpText(
      "after",
      `
The first 500 pods are drawn. For programs: \`attachments\`, \`networks\`, \`plugins\` with --json.

Examples:
  $ npx patchbay map -o node.svg
  $ npx patchbay map --network infra/storage > storage.svg`,
    )
    .action(async () => {
      const { root, output, pod, network } = command.opts<MapOptions>();
      const request = pod.includes("/")
        ? { network, pod, containerId: "" }
        : { network, pod: "", containerId: pod };
      const answers = await withHost(context, { root, what: "draw the node" }, async (host) => {
        const [status, { definitions }, attachments] = await Promise.all([
          host.getStatus(),
          host.listNetworkDefinitions({ namespace: "" }),
          host.listAttachments(request),
        ]);
        return { status, definitions, attachments };
      });
      const part = [pod && `pod ${pod}`, network && `network ${network}`].filter(Boolean);
      if (part.length > 0 && answers.attachments.length === 0) {
        throw new CliError(`Nothing to draw: nothing is attached of ${part.join(" and ")}`);
      }
      const svg = drawNode(answers, part.join(", "));
      const what = formatNumber(podsOf(answers.attachments), "pod");
      writePicture(context, { svg, file: output, what });
    });
}

function podsOf(attachments: readonly Attachment__Output[]): number {
  return new Set(attachments.map(({ primaryId }) => primaryId)).size;
}
