import { readDefinition } from "../../src/plugin-host/networks/read-definition.ts";
import type { NetworkDefinition } from "../../src/plugin-host/networks/network-definition.ts";
import type { SimNetwork } from "./networks.ts";
import type { Attachment } from "./runtime.ts";

/** IPAM claims that pods may name. */
export const CLAIMS = ["default/vm0", "default/vm1"] as const;

/** The definition of a network that pods ask for. */
export function toDefinition({ name, config }: SimNetwork): NetworkDefinition {
  return readDefinition({
    namespace: "default",
    name: name.slice("default/".length),
    configText: JSON.stringify({ cniVersion: "1.1.0", ...config }),
    resourceName: "",
    findConflist: () => undefined,
  });
}

/** An element of the annotation. */
export function selectionOf({ network, ifname, claim }: Attachment): object {
  return {
    name: network.name.slice("default/".length),
    namespace: "default",
    interface: ifname,
    ...(claim !== undefined && { "ipam-claim-reference": claim.slice("default/".length) }),
  };
}

/** runtimeConfig of a pod's calls: its host ports, and the annotation. */
export function runtimeConfigOf(attachment: Attachment): object {
  const number = Number.parseInt(attachment.pod.containerId.slice(1), 16);
  const asked = attachment.asked.map(selectionOf);
  // Every third pod has a host port of its own.
  const mapping = { hostPort: 1 + (number % 65_535), containerPort: 80, protocol: "tcp" };
  return {
    ...(number % 3 === 0 && { portMappings: [mapping] }),
    ...(asked.length > 0 && {
      "io.kubernetes.cri.pod-annotations": { "k8s.v1.cni.cncf.io/networks": JSON.stringify(asked) },
    }),
  };
}
