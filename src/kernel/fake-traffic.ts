import { errno } from "./errno.ts";
import { FakeFault, type FakeLink, type FakeNamespace, isRunning } from "./fake-namespace.ts";
import type {
  AddQdisc,
  DeleteQdisc,
  Qdisc,
  QdiscPlace,
  Redirect,
  SetRedirect,
} from "./traffic-control.ts";

// net/sched/sch_api.c and cls_api.c. Packets are left out, and with them the counters.

export function addQdisc(netns: FakeNamespace, operation: AddQdisc): void {
  const link = netns.link(operation.link);
  const { qdisc, ifExists } = operation;
  const isThere = qdisc.type === "ingress" ? link.hasIngress : link.tokenBucket !== undefined;
  if (isThere && ifExists !== "replace") {
    if (ifExists === "keep") return;
    throw new FakeFault(errno.EEXIST, "Exclusivity flag on, cannot modify");
  }
  if (qdisc.type === "ingress") link.hasIngress = true;
  else link.tokenBucket = qdisc;
}

export function deleteQdisc(netns: FakeNamespace, operation: DeleteQdisc): void {
  const { place, missingOk } = operation;
  const link = netns.linksByName.get(operation.link);
  const isThere = place === "ingress" ? link?.hasIngress : link?.tokenBucket !== undefined;
  if (link === undefined || !isThere) {
    if (missingOk !== false) return;
    if (link === undefined) throw new FakeFault(errno.ENODEV, `No link ${operation.link}`);
    throw new FakeFault(errno.ENOENT);
  }
  if (place === "root") link.tokenBucket = undefined;
  else {
    link.hasIngress = false;
    link.redirect = undefined;
  }
}

export function setRedirect(netns: FakeNamespace, operation: SetRedirect): void {
  const link = netns.link(operation.link);
  const to = netns.link(operation.to);
  if (!link.hasIngress) throw new FakeFault(errno.EINVAL, "Parent Qdisc doesn't exists");
  link.redirect = to;
}

export function qdiscOf(link: FakeLink | undefined, place: QdiscPlace): Qdisc | undefined {
  if (link === undefined) return undefined;
  if (place === "ingress") return link.hasIngress ? withoutTraffic({ type: "ingress" }) : undefined;
  const { tokenBucket } = link;
  if (tokenBucket !== undefined) return withoutTraffic({ type: "tbf", tokenBucket });
  // attach_one_default_qdisc(): what has a queue of its own gets one when it is first up.
  const isQueued = link.kind === "ifb" && isRunning(link);
  return withoutTraffic({ type: isQueued ? "pfifo_fast" : "noqueue" });
}

export function redirectsOf(link: FakeLink | undefined): Redirect[] {
  const to = link?.redirect;
  if (to === undefined) return [];
  return [{ toIfindex: to.netns.links.get(to.ifindex) === to ? to.ifindex : 0 }];
}

/** What a link loses when it goes to another namespace: dev_shutdown(). */
export function dropTraffic(link: FakeLink): void {
  link.tokenBucket = undefined;
  link.hasIngress = false;
  link.redirect = undefined;
}

function withoutTraffic(qdisc: Omit<Qdisc, "statistics">): Qdisc {
  return {
    ...qdisc,
    statistics: {
      sentBytes: 0,
      sentPackets: 0,
      droppedPackets: 0,
      overlimits: 0,
      waitingBytes: 0,
    },
  };
}
