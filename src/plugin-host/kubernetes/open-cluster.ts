import { randomInt } from "node:crypto";
import { formatErrorChain } from "../errors.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { formatProblem } from "../manifests/object-source.ts";
import type { Definitions } from "../networks/definitions.ts";
import { type ServicesSource, servicesEventOf } from "../services-source.ts";
import { Cluster } from "./cluster.ts";
import { readApiAccess } from "./connect/read-api-access.ts";
import { openHttp2Api } from "./connect/http2-api.ts";
import { ObjectJournal } from "./object-journal.ts";
import { Publisher, type PublisherPorts } from "./publish/publisher.ts";

export interface OpenClusterOptions {
  readonly nodeName: string;
  /** undefined: as a pod of the cluster does (in-cluster configuration). */
  readonly kubeconfig: string | undefined;
  /** URLs that go before the one that the configuration names. */
  readonly apiServers: readonly string[];
  /** Where the last state is written down. */
  readonly journalFile: string;
  readonly clock: Clock;
  readonly events: EventSink;
}

export interface OpenedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  /** The cluster as the source of Services and of networks. */
  sourceFor(definitions: Definitions): ServicesSource;
  /** What writes to the API server; start() begins. */
  openPublisher(ports: Pick<PublisherPorts, "records" | "isReady" | "onWrite">): Publisher;
}

const RANDOM_STEPS = 2 ** 32;

/**
 * The cluster with its real server and journal; nothing is asked before it is started. Throws PatchbayError
 * INVALID_KUBECONFIG.
 */
export async function openCluster(options: OpenClusterOptions): Promise<OpenedCluster> {
  const { nodeName, clock, events } = options;
  const api = openHttp2Api(await readApiAccess(options), { clock });
  const journal = openJournal(options);
  const cluster = new Cluster({
    nodeName,
    api,
    journal,
    clock,
    random: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS,
    events,
  });
  return {
    cluster,
    sourceFor: (definitions) => clusterSource(cluster, definitions),
    openPublisher: (ports) =>
      new Publisher({ ...ports, api, view: cluster, clock, events, nodeName }),
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await api[Symbol.asyncDispose]();
      journal?.close();
    },
  };
}

function clusterSource(cluster: Cluster, definitions: Definitions): ServicesSource {
  const name = "kubernetes";
  return {
    name,
    about: "the API server",
    async open(services) {
      cluster.start({
        services: {
          onEvents: (events) => services.onEvents(name, events.flatMap(servicesEventOf)),
          onProblems: (problems) => services.onProblems(name, problems),
        },
        networks: {
          onEvents: (events) => definitions.apply(events),
          onProblems: (problems) => definitions.setProblems(problems.map(formatProblem)),
        },
      });
      return { [Symbol.asyncDispose]: () => cluster.close() };
    },
  };
}

/** Without one a restart asks the server for everything; that is no reason to keep pods from starting. */
function openJournal(options: OpenClusterOptions): ObjectJournal | undefined {
  const { journalFile, nodeName, events } = options;
  try {
    return ObjectJournal.open(journalFile, { nodeName });
  } catch (error) {
    const message = `Cannot write down what is heard of the API server: ${formatErrorChain(error)}`;
    events.emit({ kind: "kubernetes-failed", subject: "journal", message });
    return undefined;
  }
}
