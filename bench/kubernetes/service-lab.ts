import { ADDRESSES } from "../../test/kubernetes/cluster/addresses.ts";
import { type Dialler, startDialler } from "../services/dialler.ts";
import { DIAL } from "../services/lab.ts";
import { createNamespace } from "../services/namespaces.ts";
import { untilReady } from "../services/run-task.ts";
import type { ControlPlane } from "./control-plane.ts";

/** The slowest peer takes 20 s from its start to its first connection. */
const DIAL_MS = 120_000;
const READY_MS = 20_000;
const client = { address: "10.244.0.2", gateway: "10.244.0.1" };
const server = { addresses: ["10.244.1.2", "10.244.1.3"], gateway: "10.244.1.1" };

/** Of the Service that is dialled; of the band that is kept for fixed addresses. */
export const PROBE = { name: "probe", address: "10.96.0.200", port: 80, targetPort: 8080 };
const path = `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices`;

/** What a pod of the node dials, and the two servers, of another node's addresses, that answer by their letters. */
export interface ServiceLab extends AsyncDisposable {
  readonly dialler: Dialler;
  /** HOST:PORT to dial. */
  readonly target: string;
  /** Writes the one EndpointSlice of the probed Service; resolves with the API server's answer. */
  pointTo(letter: "A" | "B"): Promise<void>;
}

/** With the Node object, and the probed Service whose slice names A. */
export async function createServiceLab(plane: ControlPlane): Promise<ServiceLab> {
  await using stack = new AsyncDisposableStack();
  const { node, api } = plane;
  await node.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
  const inside = stack.use(createNamespace("client"));
  const outside = stack.use(createNamespace("server"));
  for (const [name, namespace, gateway] of [
    ["client0", inside, `${client.gateway}/30`],
    ["server0", outside, `${server.gateway}/24`],
  ] as const) {
    const veth = ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0"];
    await node.run([...veth, "netns", namespace.name]);
    await node.run(["ip", "address", "add", gateway, "dev", name]);
    await node.run(["ip", "link", "set", name, "up"]);
  }
  inside.ip(`address add ${client.address}/30 dev eth0`);
  for (const address of server.addresses) outside.ip(`address add ${address}/24 dev eth0`);
  for (const [namespace, gateway] of [
    [inside, client.gateway],
    [outside, server.gateway],
  ] as const) {
    namespace.ip("link set eth0 up");
    namespace.ip(`route add default via ${gateway}`);
  }
  const listening = outside.spawn(
    DIAL,
    [outside.path, "name", ...server.addresses.map((ip) => `${ip}:${PROBE.targetPort}`)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await untilReady(listening, READY_MS);
  await createObjects(plane);
  const dialler = stack.use(await startDialler(inside, { limitMs: DIAL_MS }));
  const all = stack.move();
  return {
    dialler,
    target: `${PROBE.address}:${PROBE.port}`,
    async pointTo(letter) {
      await api.merge(`${path}/${PROBE.name}-1`, { endpoints: endpointsOf(letter) });
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function createObjects({ api }: ControlPlane): Promise<void> {
  await api.create("/api/v1/nodes", {
    metadata: { name: ADDRESSES.nodeName },
    spec: { podCIDR: ADDRESSES.podCidrs[0], podCIDRs: ADDRESSES.podCidrs },
    status: { addresses: ADDRESSES.node.map((address) => ({ type: "InternalIP", address })) },
  });
  const { name, address, port, targetPort } = PROBE;
  await api.create("/api/v1/namespaces/default/services", {
    metadata: { name },
    spec: { clusterIP: address, ports: [{ name: "http", port, targetPort }] },
  });
  await api.create(path, {
    metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: targetPort, protocol: "TCP" }],
    endpoints: endpointsOf("A"),
  });
}

function endpointsOf(letter: "A" | "B"): object[] {
  const address = server.addresses[letter === "A" ? 0 : 1];
  const conditions = { ready: true, serving: true, terminating: false };
  return [{ addresses: [address], conditions, nodeName: "node-1" }];
}
