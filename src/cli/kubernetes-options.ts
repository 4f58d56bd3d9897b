import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CliError, EXIT } from "./failure.ts";

/** Options of `patchbay host` that are about the cluster and the container runtime. */
export interface KubernetesOptions {
  readonly kubernetes?: true;
  readonly kubeconfig?: string;
  readonly apiServer?: readonly string[];
  readonly runtimeEndpoint?: string;
}

/** What the host is told of them. */
export interface ClusterChoice {
  readonly kubernetes:
    | { readonly kubeconfig: string | undefined; readonly apiServers: readonly string[] }
    | undefined;
  readonly runtimeEndpoint: string | undefined;
}

export function withKubernetesOptions(command: Command): Command {
  return command
    .option("--kubernetes", "serve what the cluster's API server has: Services, networks, own Node")
    .option(
      "--kubeconfig <file>",
      "how to reach the API server, and as whom (default: the ServiceAccount of the pod, $KUBECONFIG, /etc/patchbay/kubeconfig)",
    )
    .addOption(
      new Option(
        "--api-server <url>",
        "address of the API server itself, in place of the kubeconfig's or the Service's; again for more",
      ).argParser(addApiServer),
    )
    .addOption(
      new Option(
        "--runtime-endpoint <path>",
        "CRI socket of the container runtime, which knows what runs",
      ).argParser(parseEndpoint),
    );
}

/** Throws CliError (usage) where options do not go together. */
export function chooseCluster(
  { kubernetes, kubeconfig, apiServer = [], runtimeEndpoint }: KubernetesOptions,
  manifests: string | undefined,
): ClusterChoice {
  if (!kubernetes) {
    const stray =
      kubeconfig !== undefined ? "--kubeconfig" : apiServer.length > 0 && "--api-server";
    if (stray) throw new CliError(`${stray} needs --kubernetes beside it`, EXIT.usage);
    return { kubernetes: undefined, runtimeEndpoint };
  }
  if (manifests !== undefined) {
    const why = "they are two sources of the same objects";
    throw new CliError(`--kubernetes and --manifests exclude each other: ${why}`, EXIT.usage);
  }
  return {
    kubernetes: {
      kubeconfig: kubeconfig === undefined ? undefined : resolve(kubeconfig),
      apiServers: apiServer,
    },
    runtimeEndpoint,
  };
}

/** How many API servers a control plane has, and more. */
const apiServersMax = 16;

function addApiServer(text: string, before: readonly string[] = []): readonly string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWhole = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !isWhole || !/^https?:\/\/[^/]/i.test(text)) {
    throw new InvalidArgumentError("It must be a URL such as https://192.0.2.10:6443.");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new InvalidArgumentError(
      "It must have no user, query or fragment: the kubeconfig says who asks.",
    );
  }
  if (before.length >= apiServersMax) {
    throw new InvalidArgumentError(`At most ${apiServersMax} may be given.`);
  }
  const server = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  return before.includes(server) ? before : [...before, server];
}

/** Longest path of a Unix socket: sun_path of linux/un.h, less the final zero. */
const socketPathMax = 107;

/** As the kubelet's flag has it, with "unix://", or a path alone. */
function parseEndpoint(text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined && scheme !== "unix") {
    throw new InvalidArgumentError("It must be a path, or unix:///path.");
  }
  const path = resolve(text.replace(/^unix:\/\//, ""));
  if (text === "" || text.endsWith("/") || Buffer.byteLength(path) > socketPathMax) {
    throw new InvalidArgumentError(`It must name a socket, in at most ${socketPathMax} bytes.`);
  }
  return path;
}
