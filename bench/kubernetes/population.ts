import type { ControlPlane } from "./control-plane.ts";

const WRITERS = 32;
const ENDPOINTS = 3;
const NODES = 100;

/** Writes Services `from` to `to` (without it), each with a slice of three endpoints that are nowhere. */
export async function populate(
  { api }: ControlPlane,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  let next = from;
  const write = async (): Promise<void> => {
    while (next < to) {
      const index = next++;
      await api.create("/api/v1/namespaces/default/services", serviceOf(index));
      await api.create(
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        sliceOf(index),
      );
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

function nameOf(index: number): string {
  return `svc-${index.toString().padStart(5, "0")}`;
}

function serviceOf(index: number): object {
  const name = nameOf(index);
  return {
    metadata: { name, labels: { app: name } },
    spec: {
      selector: { app: name },
      ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
    },
  };
}

/** As the controller writes them. */
function sliceOf(index: number): object {
  const name = nameOf(index);
  return {
    metadata: {
      name: `${name}-abcde`,
      labels: {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, at) => {
      const number = index * ENDPOINTS + at;
      return {
        addresses: [`10.245.${number >> 8}.${number & 255}`],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `node-${number % NODES}`,
        zone: `zone-${number % 3}`,
        targetRef: {
          kind: "Pod",
          name: `${name}-pod-${at}`,
          namespace: "default",
          uid: crypto.randomUUID(),
        },
      };
    }),
  };
}
