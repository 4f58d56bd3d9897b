import { hostname } from "node:os";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CliContext, type CommonOptions, withCommonOptions } from "./context.ts";
import { CliError, messageOf } from "./failure.ts";
import {
  chooseCluster,
  type KubernetesOptions,
  withKubernetesOptions,
} from "./kubernetes-options.ts";

const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
const defaultMetricsPort = 9640;

interface HostOptions extends CommonOptions, KubernetesOptions {
  readonly logLevel: (typeof logLevels)[number];
  readonly metricsPort: number | "off";
  readonly manifests?: string;
  readonly nodeName: string;
  readonly config?: string;
}

export function addHostCommand(program: Command, _context: CliContext): void {
  const command = program
    .command("host")
    .description("run the plugin host in the foreground, until SIGTERM or SIGINT")
    .addOption(
      new Option("--log-level <level>", "what to log, as JSON lines on standard error")
        .choices(logLevels)
        .default("info"),
    )
    .addOption(
      new Option(
        "--metrics-port <port>",
        'port of /metrics on 127.0.0.1; 0 picks one, "off" for none',
      )
        .argParser(parsePort)
        .default(defaultMetricsPort),
    )
    .option(
      "--manifests <dir>",
      "folder of Services, EndpointSlices, Nodes and ServiceCIDRs to serve",
    )
    .addOption(
      new Option("--node-name <name>", "name of this node in Kubernetes objects")
        .argParser(parseNodeName)
        .default(hostname().toLowerCase(), "the host name in lower case"),
    )
    .option(
      "--config <file>",
      "the host's configuration (default: etc/patchbay/host.json below the root)",
    )
    .addHelpText(
      "after",
      `
Give --api-server where the kubeconfig, or the pod's environment, names a Service: this host is what
makes Services work. With --kubernetes the network's conflist is best written by
\`patchbay install --kubernetes\`, and docs/kubernetes.md has a node from zero.

Examples:
  $ npx patchbay host --kubernetes --kubeconfig /etc/patchbay/kubeconfig --api-server https://192.0.2.10:6443 \\
      --runtime-endpoint /run/containerd/containerd.sock
  $ npx patchbay host --manifests /etc/patchbay/services --node-name node1
  $ npx patchbay host --root /tmp/node1 --log-level warn &
  $ kill $!                       # stops when running calls have ended; pods keep their network`,
    );
  withKubernetesOptions(command);
  withCommonOptions(command, { json: false }).action(async () => {
    const options = command.opts<HostOptions>();
    const { root, logLevel, metricsPort, nodeName, manifests, config } = options;
    const cluster = chooseCluster(options, manifests);
    const { runHost } = await import("../plugin-host/main.ts");
    try {
      await runHost({
        root,
        logLevel,
        metricsPort: metricsPort === "off" ? undefined : metricsPort,
        nodeName,
        manifests: manifests === undefined ? undefined : resolve(manifests),
        configFile: config === undefined ? undefined : resolve(config),
        ...cluster,
      });
    } catch (error) {
      if (!(error instanceof Error) || error instanceof TypeError) throw error;
      const text = causes(error);
      const remedy = anotherHost.test(text) ? `: another host runs there: stop it first` : "";
      throw new CliError(`Cannot run the plugin host below ${root}: ${text}${remedy}`, 1, {
        cause: error,
      });
    }
  });
}

/** What the host's store and sockets say then. */
const anotherHost = /database is locked|Another process serves/;

function parsePort(text: string): number | "off" {
  if (text === "off") return text;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be 0 to 65535, or "off".');
}

/** RFC 1123 subdomain, as the API demands of a Node's name. */
function parseNodeName(text: string): string {
  const label = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
  if (text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(text)) return text;
  throw new InvalidArgumentError("It must be a DNS name in lower case.");
}

/** The messages from the outermost error to the first cause. */
function causes(error: unknown): string {
  const messages: string[] = [];
  for (let link = error; link instanceof Error; link = link.cause) messages.push(messageOf(link));
  return messages.join(": ");
}
