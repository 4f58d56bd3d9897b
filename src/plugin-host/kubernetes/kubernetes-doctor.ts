import type { DoctorFinding } from "../../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import { findAddressText } from "../../services/address-text.ts";
import type { ServiceTable } from "../../services/table-types.ts";
import type { PodWitnesses } from "../core/ports.ts";
import { isForbidden } from "./trouble.ts";
import type { TokenLife } from "./api.ts";
import type { PublishDenial } from "./publish/writer.ts";
import type { KubernetesView, WatchState } from "./view.ts";

/** What the host sees of the cluster. */
export function examineKubernetes(
  view: KubernetesView,
  {
    table,
    nodeName,
    tokenLife,
    nowMs,
  }: {
    readonly table: Pick<ServiceTable, "explain">;
    readonly nodeName: string;
    readonly tokenLife: TokenLife | undefined;
    /** Wall time. */
    readonly nowMs: number;
  },
): DoctorFinding[] {
  return [
    ...examineWatches(view),
    ...examineAbsent(view),
    ...examineOwnNode(view, nodeName),
    ...examineServer(view, table),
    ...(tokenLife ? examineToken(view, { ...tokenLife, nowMs }) : []),
  ];
}

/** What the host may not write to the API server. */
export function examinePublishing(denials: readonly PublishDenial[]): DoctorFinding[] {
  return denials.map(({ what, message, rights }) => ({
    check: "kubernetes-publish",
    severity: "error",
    message: `Cannot write ${what}: ${message}`,
    remedy: `Give the host's account ${rights}: kubectl apply -f deploy/kubernetes/rbac.yaml`,
  }));
}

/** Whether the container runtime says what runs. */
export async function examineRuntime(
  endpoint: string,
  witnesses: PodWitnesses,
): Promise<DoctorFinding> {
  const check = "container-runtime";
  const testimonies = await witnesses.ask();
  if (testimonies.some(({ witness }) => witness === "not-in-sandbox-list")) {
    return ok(check, `The container runtime at ${endpoint} says which pods run`);
  }
  return warning(
    check,
    `The container runtime at ${endpoint} does not answer now: leaks are found later`,
    "See that it runs and that --runtime-endpoint names its CRI socket; `patchbay events` says what failed",
  );
}

function examineWatches({ watches, server }: KubernetesView): DoctorFinding[] {
  const check = "kubernetes-api";
  const wanted = watches.filter(({ phase }) => phase !== "absent");
  const broken = wanted.filter(({ trouble }) => trouble !== "");
  const troubles = new Set(broken.map(({ trouble }) => trouble));
  if (broken.length > 0) {
    return [...troubles].map((trouble) => {
      const alike = broken.filter((watch) => watch.trouble === trouble);
      return alike.length === wanted.length
        ? { ...examineServerAway({ watches, server }, trouble), check }
        : examineBroken(alike, trouble);
    });
  }
  const late = wanted.filter(({ phase }) => phase !== "watching");
  if (late.length > 0) {
    const kinds = late.map(({ resource, phase }) => `${resource} (${phase})`).join(", ");
    return [warning(check, `Not yet followed: ${kinds}`, "Wait, or see `patchbay events`")];
  }
  return [ok(check, `${server} is followed: ${wanted.map(({ resource }) => resource).join(", ")}`)];
}

function examineServerAway(
  { watches, server }: Pick<KubernetesView, "watches" | "server">,
  trouble: string,
): Omit<DoctorFinding, "check"> {
  const message = `The API server ${server} cannot be followed ${since(watches)}: ${trouble}`;
  const otherwise =
    "Services and networks stay as they are. See that it runs, and that address and credentials of --kubeconfig or --api-server are right";
  return { severity: "error", message, remedy: isForbidden(trouble) ? RIGHTS_REMEDY : otherwise };
}

/** Of some of the resources, for one reason. */
function examineBroken(watches: readonly WatchState[], trouble: string): DoctorFinding {
  // Of "nodes (own)" RBAC's word.
  const resources = new Set(watches.map(({ resource }) => resource.split(" ", 1)[0] ?? ""));
  const check = resources.size === 1 ? `kubernetes-${[...resources][0]}` : "kubernetes-api";
  const names = watches.map(({ resource }) => resource).join(", ");
  const message = `Cannot follow ${names} ${since(watches)}: ${trouble}`;
  const remedy = isForbidden(trouble)
    ? RIGHTS_REMEDY
    : "The host goes on trying with what it knows; see the log of the API server";
  return { check, severity: "error", message, remedy };
}

const RIGHTS_REMEDY =
  "Give this account the role that may, in all namespaces: kubectl apply -f deploy/kubernetes/rbac.yaml";

/** A note: nobody need have networks beside the default one. */
function examineAbsent({ watches }: KubernetesView): DoctorFinding[] {
  const absent = watches.filter(({ phase }) => phase === "absent");
  if (absent.length === 0) return [];
  const kinds = absent.map(({ resource }) => resource).join(", ");
  const crds = absent.some(({ resource }) => resource.endsWith(".k8s.cni.cncf.io"));
  const how = crds ? "; networks beside the default one need deploy/kubernetes/crds.yaml" : "";
  return [ok("kubernetes-kinds", `The API server does not have ${kinds}${how}`)];
}

function examineOwnNode({ node, watches }: KubernetesView, nodeName: string): DoctorFinding[] {
  const check = "kubernetes-node";
  if (node) {
    if (node.podCidrs.length > 0) {
      return [ok(check, `Pods of node ${node.name} have ${node.podCidrs.join(" and ")}`)];
    }
    const remedy =
      "Run kube-controller-manager with --allocate-node-cidrs and --cluster-cidr, or give the network ranges of its own";
    return [warning(check, `Node ${node.name} has no spec.podCIDRs`, remedy)];
  }
  const isListed = watches.some(
    ({ resource, phase }) => resource === "nodes (own)" && phase === "watching",
  );
  // Else the watch is what is wrong.
  if (!isListed) return [];
  const message = `The cluster has no Node ${nodeName}`;
  const remedy = "Start the kubelet, or give --node-name the name that it registers";
  return [{ check, severity: "error", message, remedy }];
}

/** An address that works only while this very host programs it: after a reboot nobody would. */
function examineServer(
  { server }: KubernetesView,
  table: Pick<ServiceTable, "explain">,
): DoctorFinding[] {
  if (!URL.canParse(server)) return [];
  const { hostname, port, protocol } = new URL(server);
  const address = findAddressText(hostname.replace(/^\[|\]$/g, ""));
  if (address === undefined) return [];
  const { verdict } = table.explain({
    source: { kind: "node" },
    protocol: "TCP",
    address,
    port: Number(port || (protocol === "https:" ? 443 : 80)),
  });
  if (verdict === "no-service") return [];
  return [
    warning(
      "kubernetes-server",
      `${server} is a Service that this host programs: after a reboot nobody leads there`,
      "Give the API server's own address with --api-server",
    ),
  ];
}

/** The kubelet renews those of pods when a fifth of their time is left (pkg/kubelet/token). */
const TOKEN_PART_LEFT = 0.1;

/** A token ends without a word; watches that stand go on for minutes. */
function examineToken(
  { watches }: KubernetesView,
  { begunMs, endMs, nowMs }: TokenLife & { readonly nowMs: number },
): DoctorFinding[] {
  const check = "kubernetes-token";
  // Once the server refuses it, that is what is wrong with the watches.
  if (watches.some(({ trouble }) => trouble.includes("token"))) return [];
  const isOver = endMs <= nowMs;
  const message = `The token for the API server ${isOver ? "ended" : "ends"} at ${new Date(endMs).toISOString()}`;
  if (endMs - nowMs > (endMs - begunMs) * TOKEN_PART_LEFT) return [ok(check, message)];
  const remedy =
    "Write its file anew (kubectl create token patchbay --namespace kube-system --duration ...): the host reads it again by itself";
  return [{ check, severity: isOver ? "error" : "warning", message, remedy }];
}

function since(watches: readonly WatchState[]): string {
  const heardMs = Math.max(0, ...watches.map((watch) => watch.heardMs));
  return heardMs === 0 ? "since the host started" : `since ${new Date(heardMs).toISOString()}`;
}

function ok(check: string, message: string): DoctorFinding {
  return { check, severity: "ok", message, remedy: "" };
}

function warning(check: string, message: string, remedy: string): DoctorFinding {
  return { check, severity: "warning", message, remedy };
}
