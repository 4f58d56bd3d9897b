import type { FakeObject } from "../../../src/plugin-host/kubernetes/fake-selectors.ts";
import type { Rng } from "../rng.ts";

export const NODE_NAME = "n1";
export const NODES = "/api/v1/nodes";
export const SERVICES = "/api/v1/services";
export const NADS = "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions";
export const CLAIMS = "/apis/k8s.cni.cncf.io/v1alpha1/ipamclaims";
const SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
const PODS = "/api/v1/pods";
const CIDRS = "/apis/networking.k8s.io/v1/servicecidrs";

/** Kinds that a server may not have. */
export const OPTIONAL: Readonly<Record<string, string>> = {
  [CIDRS]: "ServiceCIDR",
  [NADS]: "NetworkAttachmentDefinition",
  [CLAIMS]: "IPAMClaim",
};

const HEADLESS = { "service.kubernetes.io/headless": "" };

type Make = (rng: Rng, number: number) => FakeObject;

/** An object of each collection with few names, so that they come, change, leave selectors and return. */
const MAKERS: Readonly<Record<string, Make>> = {
  [SERVICES]: (rng, number) => ({
    metadata: {
      name: `s${number}`,
      namespace: "ns",
      labels: {
        ...(rng.chance(0.2) && HEADLESS),
        ...(rng.chance(0.1) && { "service.kubernetes.io/service-proxy-name": "other" }),
      },
    },
    spec: {
      type: "NodePort",
      clusterIP: `10.96.0.${number + 10}`,
      clusterIPs: [`10.96.0.${number + 10}`],
      // One in ten cannot be read.
      ports: [{ name: "http", port: rng.chance(0.1) ? 70_000 : rng.between(80, 83) }],
    },
  }),
  [SLICES]: (rng, number) => ({
    metadata: {
      name: `e${number}`,
      namespace: "ns",
      labels: {
        "kubernetes.io/service-name": `s${rng.below(4)}`,
        ...(rng.chance(0.2) && HEADLESS),
      },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: Array.from({ length: rng.below(4) }, (_, index) => ({
      addresses: [`10.1.0.${index + 1}`],
      conditions: { ready: rng.chance(0.8) },
    })),
  }),
  [NODES]: (rng, number) => ({
    metadata: {
      name: number === 0 ? NODE_NAME : `other${number}`,
      labels: { "topology.kubernetes.io/zone": `zone-${rng.below(3)}` },
    },
    spec: { podCIDRs: [`10.244.${rng.below(3)}.0/24`] },
    status: { addresses: [{ type: "InternalIP", address: `192.0.2.${number + 1}` }] },
  }),
  [PODS]: (rng, number) => ({
    metadata: {
      name: `p${number}`,
      namespace: "ns",
      annotations: { "k8s.v1.cni.cncf.io/network-status": `[${rng.below(3)}]` },
    },
    spec: { nodeName: rng.chance(0.6) ? NODE_NAME : "other1" },
  }),
  [CIDRS]: (rng, number) => ({
    metadata: { name: `cidr${number}` },
    spec: { cidrs: [`10.${96 + rng.below(3)}.0.0/16`] },
  }),
  [NADS]: (rng, number) => ({
    metadata: { name: `net${number}`, namespace: "ns" },
    spec: {
      config: JSON.stringify({ cniVersion: "1.0.0", name: `net${rng.below(3)}`, type: "macvlan" }),
    },
  }),
  [CLAIMS]: (rng, number) => ({
    metadata: { name: `claim${number}`, namespace: "ns" },
    spec: { network: `net${rng.below(3)}`, interface: "net1" },
  }),
};

export const COLLECTIONS: readonly string[] = Object.keys(MAKERS);
const NAMES_PER_COLLECTION = 4;

export function randomObject(rng: Rng, collection: string): FakeObject {
  const make = MAKERS[collection] as Make;
  return make(rng, rng.below(NAMES_PER_COLLECTION));
}

/** The own Node as a kubelet registers it; a uid of its own for each cluster. */
export function ownNode(rng: Rng, uid: string): FakeObject {
  const node = (MAKERS[NODES] as Make)(rng, 0);
  return { ...node, metadata: { ...node.metadata, uid } };
}

export function claim(name: string): FakeObject {
  return { metadata: { name, namespace: "ns" }, spec: { network: "net1", interface: "net1" } };
}
