import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type IpPrefix, parsePrefix, prefixContains } from "../ip/address.ts";
import { DEFAULT_SUBNET4, DEFAULT_SUBNET6 } from "../ipam/config.ts";
import type { Nftables } from "../kernel/nftables.ts";
import type { KubernetesStatus__Output } from "../rpc/generated/patchbay/host/v1/KubernetesStatus.ts";
import {
  CONFLIST_FILE,
  type Conflist,
  hasNodeRanges,
  parseConflist,
  subnetsOf,
} from "./conflist.ts";
import type { Finding } from "./doctor.ts";

type Kubernetes = Pick<KubernetesStatus__Output, "nodeName" | "podCidrs">;

/** Whether the conflist says of addresses what the cluster says. Nothing where one of them says nothing. */
export function examineRanges(
  cniConfDir: string,
  kubernetes: Kubernetes | null | undefined,
): Finding[] {
  const check = "pod-cidrs";
  const file = join(cniConfDir, CONFLIST_FILE);
  const plugin = findPlugin(file);
  if (plugin === undefined) return [];
  if (hasNodeRanges(plugin)) return [examineNodeRanges(file, kubernetes)];
  const node = kubernetes?.podCidrs.map(parsePrefix) ?? [];
  if (!kubernetes || node.length === 0) return [];
  const own = subnetsOf(plugin);
  const foreign = (own.length > 0 ? own : [DEFAULT_SUBNET4, DEFAULT_SUBNET6]).filter(
    (subnet) => !isWithin(subnet, node),
  );
  if (foreign.length === 0) return [ok(check, `${file} has ranges of Node ${kubernetes.nodeName}`)];
  return [
    {
      check,
      severity: "warning",
      message: `${file} gives pods addresses of ${foreign.join(" and ")}, and Node ${kubernetes.nodeName} has podCIDRs ${kubernetes.podCidrs.join(" and ")}`,
      remedy:
        "Run `npx patchbay install --kubernetes` for addresses of the Node object: the cluster expects pods there",
    },
  ];
}

function examineNodeRanges(file: string, kubernetes: Kubernetes | null | undefined): Finding {
  const check = "pod-cidrs";
  if (!kubernetes) {
    return {
      check,
      severity: "error",
      message: `${file} takes the node's ranges, and the host runs without --kubernetes`,
      remedy: "Run the host with --kubernetes, or `npx patchbay install` with --ipv4-range",
    };
  }
  if (kubernetes.podCidrs.length > 0) {
    return ok(check, `${file} takes the node's ranges: ${kubernetes.podCidrs.join(" and ")}`);
  }
  const { nodeName } = kubernetes;
  const isKnown = nodeName !== "";
  const why = isKnown ? `Node ${nodeName} has none` : "its Node object is not known";
  return {
    check,
    severity: "error",
    message: `${file} takes the node's ranges, and ${why}: no pod can be attached`,
    remedy: isKnown ? RANGES_REMEDY : "See what is said of kubernetes-api and kubernetes-node",
  };
}

const RANGES_REMEDY =
  "Run kube-controller-manager with --allocate-node-cidrs and --cluster-cidr, or `npx patchbay install` with --ipv4-range";

/** Tables of kube-proxy, with what only its own have: it shares the nat table in its iptables mode. */
const proxyTables = [
  ["ip kube-proxy", ""],
  ["ip6 kube-proxy", ""],
  ["ip nat", "KUBE-SERVICES"],
  ["ip6 nat", "KUBE-SERVICES"],
] as const;

/** Two programs for the same Services: whichever comes first in the kernel's hooks decides. */
export async function examineKubeProxy(nftables: Pick<Nftables, "list">): Promise<Finding[]> {
  const check = "kube-proxy";
  const found: string[] = [];
  for (const [table, mark] of proxyTables) {
    // Who may not look, or has no nft, is told so elsewhere.
    const text = await nftables.list(table).catch(() => undefined);
    if (text?.includes(mark)) found.push(table);
  }
  if (found.length === 0) return [ok(check, "kube-proxy has no rules on this node")];
  return [
    {
      check,
      severity: "warning",
      message: `kube-proxy has rules on this node (${found.join(", ")}), for the Services that this host serves`,
      remedy: "Remove kube-proxy from this node, then its rules: kube-proxy --cleanup",
    },
  ];
}

function findPlugin(file: string): Conflist["plugin"] {
  try {
    return parseConflist(readFileSync(file, "utf8"), file).plugin;
  } catch {
    // doctor-local.ts says what is wrong with it.
    return undefined;
  }
}

function isWithin(subnet: string, ranges: readonly IpPrefix[]): boolean {
  try {
    const inner = parsePrefix(subnet);
    return ranges.some(
      (range) => prefixContains(range, inner) && range.prefixLength <= inner.prefixLength,
    );
  } catch {
    // The host refuses it, and says so.
    return true;
  }
}

function ok(check: string, message: string): Finding {
  return { check, severity: "ok", message, remedy: "" };
}
