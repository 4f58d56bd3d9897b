import type { KernelOperation, Link, NetnsBatch, NetnsPath } from "../../src/kernel/kernel.ts";
import type { TokenBucket } from "../../src/kernel/traffic-control.ts";
import { linkNamesOf, macOfName } from "../../src/plugin-sdk/link-names.ts";
import { planBucket } from "./bucket.ts";
import type { Tuning } from "./config.ts";

/** The two ends of an attachment; without a node's end where there is none (macvlan, a moved device). */
export interface Ends {
  readonly netns: NetnsPath;
  readonly pod: Link;
  readonly node: Link | undefined;
}

/**
 * Where rates are limited, and what for. On the node's end where there is one: out of the pod's reach.
 * What that link sends goes to the pod and waits at its root; what it receives comes from the pod and
 * waits in an ifb. On the pod's own interface it is the other way round, the ifb in the pod too.
 */
export interface ShapedLink {
  readonly name: string;
  readonly netns: NetnsPath | undefined;
  readonly sent: TokenBucket | undefined;
  readonly received: TokenBucket | undefined;
  readonly ifb: string;
  readonly ifbAlias: string;
  readonly mtu: number;
}

/** The name of an attachment's ifb: "pi" and the digits of its veth. */
export function ifbNameOf(attachmentId: string): string {
  return linkNamesOf(attachmentId).hostIfname.replace(/^pb/, "pi");
}

/** Undefined: no limits. */
export function planShape(
  tuning: Tuning,
  options: {
    readonly ends: Ends;
    readonly mtu: number;
    readonly attachmentId: string;
    readonly ifbAlias: string;
  },
): ShapedLink | undefined {
  const { bandwidth } = tuning;
  if (bandwidth === undefined) return undefined;
  const { ends, mtu, attachmentId, ifbAlias } = options;
  const bucketOf = (rateBits: number, burstBits: number) =>
    rateBits === 0 ? undefined : planBucket({ rateBits, burstBits, mtu });
  const toPod = bucketOf(bandwidth.ingressRate, bandwidth.ingressBurst);
  const fromPod = bucketOf(bandwidth.egressRate, bandwidth.egressBurst);
  const shared = { ifb: ifbNameOf(attachmentId), ifbAlias, mtu };
  return ends.node
    ? { ...shared, name: ends.node.name, netns: undefined, sent: toPod, received: fromPod }
    : { ...shared, name: ends.pod.name, netns: ends.netns, sent: fromPod, received: toPod };
}

/** Everything that is wanted, in the pod first; idempotent. */
export function tuningBatches(
  tuning: Tuning,
  { ends, shape }: { readonly ends: Ends; readonly shape: ShapedLink | undefined },
): NetnsBatch[] {
  const { mtu, txQueueLength, promisc, allMulticast } = tuning;
  const { pod, node, netns } = ends;
  // First the MTU: below 1280 bytes a link has no sysctls of IPv6.
  const podOperations: KernelOperation[] = [
    ...mtuOperations(pod, mtu),
    ...([txQueueLength, promisc, allMulticast].some((wish) => wish !== undefined)
      ? [
          {
            kind: "set-link",
            name: pod.name,
            ...(txQueueLength === undefined ? {} : { txQueueLength }),
            ...(promisc === undefined ? {} : { promisc }),
            ...(allMulticast === undefined ? {} : { allMulticast }),
          } satisfies KernelOperation,
        ]
      : []),
    ...tuning.sysctls.map(
      ({ path, value }): KernelOperation => ({ kind: "set-sysctl", path, value }),
    ),
  ];
  const nodeOperations = node ? mtuOperations(node, mtu) : [];
  return [
    ...(podOperations.length > 0 ? [{ netns, operations: podOperations }] : []),
    ...(nodeOperations.length > 0 ? [{ operations: nodeOperations }] : []),
    ...(shape ? [shapeBatch(shape)] : []),
  ];
}

function mtuOperations(link: Link, mtu: number | undefined): KernelOperation[] {
  if (mtu === undefined || link.mtu === mtu) return [];
  return [{ kind: "set-link", name: link.name, mtu }];
}

function shapeBatch(shape: ShapedLink): NetnsBatch {
  const { name, netns, sent, received, ifb, ifbAlias, mtu } = shape;
  const operations: KernelOperation[] = [];
  if (sent) operations.push({ kind: "add-qdisc", link: name, qdisc: sent, ifExists: "replace" });
  if (received) {
    operations.push(
      {
        kind: "add-link",
        name: ifb,
        mac: macOfName(ifb),
        mtu,
        link: { type: "ifb" },
        ifExists: "keep",
      },
      { kind: "set-link", name: ifb, alias: ifbAlias, mtu, up: true, addrGenMode: 1 },
      // The limit before what leads there.
      { kind: "add-qdisc", link: ifb, qdisc: received, ifExists: "replace" },
      { kind: "add-qdisc", link: name, qdisc: { type: "ingress" }, ifExists: "keep" },
      { kind: "set-redirect", link: name, to: ifb },
    );
  }
  return { ...(netns === undefined ? {} : { netns }), operations };
}
