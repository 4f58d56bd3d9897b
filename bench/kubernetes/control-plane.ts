import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findBinaries } from "../../scripts/kubernetes-binaries.ts";
import { ApiClient } from "../../test/kubernetes/cluster/api-client.ts";
import { Certificates } from "../../test/kubernetes/cluster/certificates.ts";
import { Daemon } from "../../test/kubernetes/cluster/daemon.ts";
import { NodeSpace } from "../../test/kubernetes/cluster/node-space.ts";
import * as programs from "../../test/kubernetes/cluster/programs.ts";

const START_MS = 60_000;
const POLL_MS = 100;

/** etcd and an API server on a node that has nothing else: no kubelet, no controllers, no scheduler. */
export interface ControlPlane extends AsyncDisposable {
  readonly api: ApiClient;
  readonly node: NodeSpace;
  readonly certificates: Certificates;
  /** Configurations, certificates, logs; below the bench's, on a disk. */
  readonly folder: string;
  readonly programOptions: programs.ProgramOptions;
  /** A program of the node, not started. */
  daemon(name: string, argv: readonly string[]): Daemon;
  /** Ends the API server; etcd keeps what it wrote. */
  stopApiServer(): Promise<void>;
  /** Resolves when it serves. */
  startApiServer(): Promise<void>;
}

export async function startControlPlane(folder: string): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  for (const name of ["logs", "data"]) mkdirSync(join(folder, name), { recursive: true });
  const certificates = await Certificates.make(join(folder, "pki"));
  // In memory: files of namespaces and covers of the kernel's.
  const node = new NodeSpace(`/run/bench-node-${process.pid}`);
  stack.defer(() => node.remove());
  stack.defer(() => node.shutDown());
  await node.boot();
  const binaries = findBinaries();
  const programOptions: programs.ProgramOptions = {
    certificates,
    folder,
    data: join(folder, "data"),
    program(name) {
      const found = binaries.get(name);
      if (found === undefined) throw new Error(`There is no program ${name}`);
      return found;
    },
  };
  const daemons: Daemon[] = [];
  stack.defer(async () => {
    for (const daemon of daemons) await daemon.kill("SIGKILL");
  });
  const daemon = (name: string, argv: readonly string[]): Daemon => {
    const logFile = join(folder, "logs", `${name}.log`);
    const made = new Daemon({ name, argv, netns: () => node.netns, logFile });
    daemons.push(made);
    return made;
  };
  const etcd = daemon("etcd", programs.etcd(programOptions));
  const server = daemon("kube-apiserver", [
    ...programs.apiServer(programOptions),
    "--max-requests-inflight=2000",
    "--max-mutating-requests-inflight=1000",
  ]);
  const api = new ApiClient(certificates);
  stack.defer(() => api.close());
  const startApiServer = async (): Promise<void> => {
    server.start();
    const limitMs = performance.now() + START_MS;
    while ((await api.get("/readyz").catch(() => "")) !== "ok") {
      if (!etcd.isRunning || !server.isRunning || performance.now() > limitMs) {
        throw new Error(`The API server does not serve: ${server.log().slice(-2000)}`);
      }
      await delay(POLL_MS);
    }
  };
  etcd.start();
  await startApiServer();
  const all = stack.move();
  return {
    api,
    node,
    certificates,
    folder,
    programOptions,
    daemon,
    startApiServer,
    stopApiServer: () => server.kill("SIGKILL"),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
