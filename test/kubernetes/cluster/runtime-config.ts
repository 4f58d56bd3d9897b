/** The files that the node's programs read. */
import { ADDRESSES } from "./addresses.ts";

export const PAUSE_IMAGE = "localhost/patchbay-pause:1";
export const PROBE_IMAGE = "localhost/patchbay-probe:1";
export const CRI_SOCKET = "/run/containerd/containerd.sock";
export const CNI_BIN_DIR = "/opt/cni/bin";
export const CNI_CONF_DIR = "/etc/cni/net.d";

/** /etc/containerd/config.toml. root: its folder of images and snapshots. */
export function containerdConfig(options: { root: string; runc: string }): string {
  return `version = 3
root = "${options.root}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.restart", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.erofs",
]
[grpc]
address = "${CRI_SOCKET}"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
# Below the root of CI runners, CAP_SYS_RESOURCE is missing and runc must not ask for -998.
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["${CNI_BIN_DIR}"]
conf_dir = "${CNI_CONF_DIR}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "${options.runc}"
SystemdCgroup = false
`;
}

/** KubeletConfiguration. cgroupRoot: parent of all pods' cgroups, "/NAME". */
export function kubeletConfig(options: { authority: string; cgroupRoot: string }): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: options.authority },
    },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: `unix://${CRI_SOCKET}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: options.cgroupRoot,
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Its default needs CAP_SYS_RESOURCE.
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    protectKernelDefaults: true,
    resolvConf: "",
    // The machine's disks and memory are not what is tested here.
    evictionHard: {
      "memory.available": "1Mi",
      "nodefs.available": "0%",
      "imagefs.available": "0%",
    },
    imageGCHighThresholdPercent: 100,
    localStorageCapacityIsolation: false,
    maxPods: 200,
    kubeAPIQPS: 500,
    kubeAPIBurst: 500,
    eventRecordQPS: 500,
    eventBurst: 500,
    serializeImagePulls: false,
    // Started again at once: the tests kill what they have seen working.
    crashLoopBackOff: { maxContainerRestartPeriod: "5s" },
    featureGates: { KubeletCrashLoopBackOffMax: true },
  };
}

/** The usual plugins in Patchbay's place, as the peer of the bench. */
export function bridgeConflist(): object {
  const ranges = ADDRESSES.podCidrs.map((subnet) => [{ subnet }]);
  return {
    cniVersion: "1.0.0",
    name: "peer",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges,
          routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
          dataDir: "/run/cni-ipam",
        },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
}

/** KubeProxyConfiguration, the usual peer for Services. */
export function kubeProxyConfig(kubeconfig: string): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig },
    mode: "nftables",
    clusterCIDR: ADDRESSES.clusterCidrs.join(","),
    hostnameOverride: ADDRESSES.nodeName,
    oomScoreAdj: 0,
    // The machine's own limits stay.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    nodePortAddresses: ["primary"],
  };
}
