import { type Command, Option } from "commander";
import type { EndpointView__Output } from "../rpc/generated/patchbay/host/v1/EndpointView.ts";
import type { ExplainResponse__Output } from "../rpc/generated/patchbay/host/v1/ExplainResponse.ts";
import { type CliContext, type CommonOptions, withHost } from "./context.ts";
import { EXIT } from "./failure.ts";
import { formatDuration } from "./format.ts";
import { type Output, sanitize } from "./output.ts";
import { type Destination, parseDestination, parseSource } from "./services-destination.ts";
import { type ServicesParentOptions, withServicesOptions } from "./services-options.ts";
import { formatFrontend, formatSocket } from "./services-text.ts";

interface ExplainOptions extends CommonOptions, ServicesParentOptions {
  readonly from: string;
  readonly to: Destination;
}

/** How wide the labels at the left are. */
const LABEL_COLUMNS = 12;

export function addServicesExplainCommand(
  services: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = services
    .command("explain")
    .description("say what becomes of a packet, why, and whether the kernel holds the same")
    .addOption(
      new Option("--from <source>", 'NAMESPACE/POD, an IP address, or "node"')
        .argParser(parseSource)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--to <ip:port/proto>",
        "destination; IPv6 in brackets; tcp (default), udp or sctp",
      )
        .argParser(parseDestination)
        .makeOptionMandatory(),
    )
    .addHelpText(
      "after",
      `
Examples:
  $ npx patchbay services explain --from default/web-1 --to 10.96.0.10:80
  $ npx patchbay services explain --from 192.0.2.7 --to '[fd00:96::a]:53/udp'
  $ npx patchbay services explain --from node --to 127.0.0.1:30080/tcp --json

Exit code 0 when it could be explained, whatever the verdict, and ${EXIT.kernelDiffers} when the kernel holds something
else (standard error is empty then; a host that cannot be reached is a line on it).`,
    );
  withServicesOptions(command).action(async () => {
    const { root, json, from, to } = command.optsWithGlobals<ExplainOptions>();
    const what = `explain packets from ${from} to ${formatFrontend(to)}`;
    const answer = await withHost(context, { root, what }, (host) => host.explain({ from, ...to }));
    // What could not be read does not differ.
    const differs = answer.kernelChecked && answer.kernelDifferences.length > 0;
    if (differs) setExitCode(EXIT.kernelDiffers);
    if (json) context.output.json(answer);
    else printExplanation(context.output, answer, { from, to });
  });
}

function printExplanation(
  output: Output,
  answer: ExplainResponse__Output,
  question: { readonly from: string; readonly to: Destination },
): void {
  const style = verdictStyles[answer.verdict] ?? "bold";
  output.line(output.style(style, sanitize(describeVerdict(answer, question))));
  output.line();
  const print = (label: string, lines: readonly string[]) => {
    for (const [index, line] of lines.entries()) {
      output.line(`${(index === 0 ? label : "").padEnd(LABEL_COLUMNS)}${sanitize(line)}`.trimEnd());
    }
  };
  const { service, frontendKind, sourceKind, sourceReason, rule, ruleText } = answer;
  print("Service", [service === "" ? "none" : joinWith(" ", service, inParentheses(frontendKind))]);
  print("Source", [joinWith(": ", sourceKind, sourceReason)]);
  print("Shadowed", describeShadowed(answer));
  print("Endpoints", answer.endpoints.map(describeEndpoint));
  print("Pick", describePick(answer));
  if (answer.verdict === "forward") {
    print("Masquerade", [
      joinWith(": ", answer.masquerade ? "yes" : "no", answer.masqueradeReason),
    ]);
  }
  print("Rule", [joinWith(": ", rule, ruleText)]);
  print("Not used", answer.unused);
  print("Kernel", describeKernel(answer));
}

const verdictStyles: Readonly<Record<string, Parameters<Output["style"]>[0]>> = {
  forward: "green",
  reject: "red",
  drop: "yellow",
};

/** The answer in one sentence. */
function describeVerdict(
  answer: ExplainResponse__Output,
  { from, to }: { readonly from: string; readonly to: Destination },
): string {
  const who = from === "node" ? "this node" : from;
  const where = formatFrontend(to);
  const packets = `Packets from ${who} to ${where}`;
  switch (answer.verdict) {
    case "forward": {
      const { length } = answer.endpoints;
      const [only] = answer.endpoints;
      const target = length === 1 && only ? formatSocket(only) : `one of ${length} endpoints`;
      const seen = answer.masquerade ? "the node's address" : "the address of the source";
      return `${packets} go to ${target}, which sees ${seen}.`;
    }
    case "reject": {
      const how = to.protocol === "TCP" ? "a TCP reset" : "ICMP port unreachable";
      return `${packets} are refused with ${how}.`;
    }
    case "drop":
      return `${packets} are dropped without an answer.`;
    case "no-service":
      return `${packets} go on as they are: no Service is there.`;
    default:
      return `${packets}: ${answer.verdict}.`;
  }
}

/** "10.88.0.2:8080  pod default/web-1, node node-a (this one), zone a, weight 3". */
function describeEndpoint(endpoint: EndpointView__Output): string {
  const { pod, node, zone, weight, local } = endpoint;
  const facts = [
    pod && `pod ${pod}`,
    node ? `node ${node}${local ? " (this one)" : ""}` : local && "this node",
    zone && `zone ${zone}`,
    weight > 1 && `weight ${weight}`,
  ].filter((fact) => typeof fact === "string" && fact !== "");
  return joinWith("  ", formatSocket(endpoint), facts.join(", "));
}

function describeShadowed({ shadowed }: ExplainResponse__Output): string[] {
  if (shadowed.length === 0) return [];
  return [`${shadowed.join(", ")}, with the same address and port: gets none of the traffic`];
}

/** Said only where it is not at random, each connection anew. */
function describePick({ pick, affinitySeconds }: ExplainResponse__Output): string[] {
  const how = pick === "consistent-hash" ? "consistent hash of the client's address" : "";
  const stays =
    affinitySeconds > 0
      ? `a client stays with its endpoint for ${formatDuration(affinitySeconds * 1000)}`
      : "";
  const text = joinWith("; ", how || (stays && "at random"), stays);
  return text === "" ? [] : [text];
}

function describeKernel({ kernelChecked, kernelDifferences }: ExplainResponse__Output): string[] {
  if (!kernelChecked) return ["not checked", ...kernelDifferences];
  if (kernelDifferences.length === 0) return ["holds the same"];
  return ["holds something else:", ...kernelDifferences];
}

function joinWith(separator: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(separator);
}

function inParentheses(text: string): string {
  return text === "" ? "" : `(${text})`;
}
