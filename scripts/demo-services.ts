// The part of the demo that publishes a Service for two pods and dials it: from a pod and from the
// node, over IPv4 and IPv6, also with no host alive.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathsBelow } from "../src/plugin-host/paths.ts";
import { connectHostWithServices } from "../src/rpc/services-client.ts";
import { type Pod, runInNetns, spawnInNetns, type TestNode } from "../test/e2e/harness.ts";

export const CLUSTER_IPS = ["10.96.0.10", "fd00:96::10"] as const;
const DIALS = 30;

export interface Told {
  note(text: string): void;
  require(condition: boolean, what: string): void;
}

/** Folder that the host is started with: `patchbay host --manifests`. */
export function manifestFolder(node: TestNode): string {
  const folder = join(node.root, "manifests");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Serves in the pods and writes the objects that Kubernetes would have. */
export async function publishService(
  node: TestNode,
  options: { pods: readonly Pod[]; addresses: readonly (readonly string[])[] },
): Promise<() => void> {
  const serve = `require("net").createServer((s) => s.end(process.argv[1])).listen(8080, "::", () => console.log("listening"))`;
  const servers = options.pods.map((pod) =>
    spawnInNetns(pod.netns, [process.execPath, "-e", serve, pod.name]),
  );
  await Promise.all(
    servers.map((server) => new Promise((resolve) => server.stdout?.once("data", resolve))),
  );
  const metadata = { name: "web", namespace: "demo" };
  const slices = ["IPv4", "IPv6"].map((addressType, family) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      ...metadata,
      name: `web-${addressType.toLowerCase()}`,
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType,
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
    endpoints: options.pods.map((pod, index) => ({
      addresses: [options.addresses[index]?.[family]],
      conditions: { ready: true },
      nodeName: "demo",
      targetRef: { kind: "Pod", name: pod.name },
    })),
  }));
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      clusterIP: CLUSTER_IPS[0],
      clusterIPs: CLUSTER_IPS,
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }],
    },
  };
  const text = [service, ...slices]
    .map((object) => JSON.stringify(object, null, 2))
    .join("\n---\n");
  writeFileSync(join(manifestFolder(node), "web.yaml"), text);
  const client = connectHostWithServices(pathsBelow(node.root).hostSocket, { timeoutMs: 15_000 });
  await client.waitProgrammed({ service: "demo/web", timeoutMs: 10_000 });
  client.close();
  return () => {
    for (const server of servers) server.kill();
  };
}

/** Dials each cluster IP and says who answered. */
export async function dialService(
  told: Told,
  options: { from: string; netns: string; pods: readonly Pod[] },
): Promise<void> {
  for (const address of CLUSTER_IPS) {
    const dial = `let left = ${DIALS}; const seen = {}; const once = () => {
      const s = require("net").connect(80, ${JSON.stringify(address)}); let text = "";
      s.on("data", (d) => { text += d; }).on("error", (e) => { console.log(e.code); process.exit(1); });
      s.on("close", () => { seen[text] = (seen[text] ?? 0) + 1; if (--left > 0) once(); else console.log(JSON.stringify(seen)); });
    }; once();`;
    const result = await runInNetns(options.netns, [process.execPath, "-e", dial]);
    told.require(
      result.exitCode === 0,
      `${options.from} -> ${address}: ${result.stdout}${result.stderr}`,
    );
    const seen = JSON.parse(result.stdout) as Record<string, number>;
    const shares = options.pods.map((pod) => `${pod.name} ${seen[pod.name] ?? 0}`);
    told.require(
      options.pods.every((pod) => (seen[pod.name] ?? 0) > 0),
      `every endpoint of ${address} answers: ${result.stdout}`,
    );
    told.note(
      `${options.from.padEnd(14)} -> ${address.padEnd(16)} ${shares.join(", ")} of ${DIALS}`,
    );
  }
}
