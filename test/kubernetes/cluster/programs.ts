/** How each program of a node is started: docs/kubernetes.md has the same, held equal by scripts/kubernetes-page.test.ts. */
import { join } from "node:path";
import { ADDRESSES } from "./addresses.ts";
import type { Certificates } from "./certificates.ts";
import { CRI_SOCKET } from "./runtime-config.ts";

export interface ProgramOptions {
  readonly certificates: Pick<Certificates, "file">;
  /** Of this run: configurations, logs. */
  readonly folder: string;
  /** Kept over a reboot. */
  readonly data: string;
  readonly program: (name: string) => string;
}

const pair = (values: readonly string[]) => values.join(",");

export function etcd({ program, data }: ProgramOptions): string[] {
  const client = "http://127.0.0.1:2379";
  return [
    program("etcd"),
    ...["--data-dir", join(data, "etcd")],
    ...["--listen-client-urls", client, "--advertise-client-urls", client],
    ...["--listen-peer-urls", "http://127.0.0.1:2380", "--log-level", "warn"],
    // A power cut is not among the tests.
    "--unsafe-no-fsync",
  ];
}

export function apiServer({ program, certificates }: ProgramOptions): string[] {
  const file = (name: string) => certificates.file(name);
  return [
    program("kube-apiserver"),
    "--etcd-servers=http://127.0.0.1:2379",
    "--bind-address=::",
    "--secure-port=6443",
    `--advertise-address=${ADDRESSES.node[0]}`,
    `--service-cluster-ip-range=${pair(ADDRESSES.serviceCidrs)}`,
    "--authorization-mode=Node,RBAC",
    `--client-ca-file=${file("ca.crt")}`,
    `--tls-cert-file=${file("apiserver.crt")}`,
    `--tls-private-key-file=${file("apiserver.key")}`,
    `--kubelet-client-certificate=${file("apiserver-kubelet-client.crt")}`,
    `--kubelet-client-key=${file("apiserver-kubelet-client.key")}`,
    // Names of nodes are in no DNS.
    "--kubelet-preferred-address-types=InternalIP",
    `--requestheader-client-ca-file=${file("front-proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    `--proxy-client-cert-file=${file("front-proxy-client.crt")}`,
    `--proxy-client-key-file=${file("front-proxy-client.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${file("sa.key")}`,
    `--service-account-signing-key-file=${file("sa.key")}`,
  ];
}

export function controllerManager({ program, certificates }: ProgramOptions): string[] {
  const [mask4, mask6] = ADDRESSES.podCidrLengths;
  return [
    program("kube-controller-manager"),
    `--kubeconfig=${certificates.file("controller-manager.kubeconfig")}`,
    "--leader-elect=false",
    "--secure-port=0",
    "--use-service-account-credentials",
    "--allocate-node-cidrs",
    `--cluster-cidr=${pair(ADDRESSES.clusterCidrs)}`,
    `--node-cidr-mask-size-ipv4=${mask4}`,
    `--node-cidr-mask-size-ipv6=${mask6}`,
    `--service-cluster-ip-range=${pair(ADDRESSES.serviceCidrs)}`,
    `--root-ca-file=${certificates.file("ca.crt")}`,
    `--service-account-private-key-file=${certificates.file("sa.key")}`,
    "--kube-api-qps=500",
    "--kube-api-burst=500",
  ];
}

export function scheduler({ program, certificates }: ProgramOptions): string[] {
  return [
    program("kube-scheduler"),
    `--kubeconfig=${certificates.file("scheduler.kubeconfig")}`,
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=500",
  ];
}

export function containerd({ program, folder }: ProgramOptions): string[] {
  return [program("containerd"), "--config", join(folder, "containerd.toml")];
}

export function kubelet({ program, certificates, folder }: ProgramOptions): string[] {
  return [
    program("kubelet"),
    `--config=${join(folder, "kubelet.yaml")}`,
    `--kubeconfig=${certificates.file("kubelet.kubeconfig")}`,
    `--hostname-override=${ADDRESSES.nodeName}`,
    `--node-ip=${pair(ADDRESSES.node)}`,
    "--node-labels=topology.kubernetes.io/zone=zone-a",
  ];
}

export function kubeProxy({ program, folder }: ProgramOptions): string[] {
  return [program("kube-proxy"), `--config=${join(folder, "kube-proxy.json")}`];
}

export function patchbayHost(cli: readonly string[], kubeconfig: string): string[] {
  return [
    ...cli,
    ...["host", "--kubernetes", "--kubeconfig", kubeconfig],
    ...["--api-server", ADDRESSES.apiServer],
    ...["--runtime-endpoint", CRI_SOCKET],
    ...["--node-name", ADDRESSES.nodeName],
  ];
}
