import {
  type MessageBytes,
  type MessageWriter,
  readMessage,
  writeMessage,
} from "./netlink-message.ts";
import {
  ETH_P_ALL,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_ECHO,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  RTM_DELQDISC,
  RTM_GETQDISC,
  RTM_GETTFILTER,
  RTM_NEWQDISC,
  RTM_NEWTFILTER,
  TC_ACT_STOLEN,
  TC_H_INGRESS,
  TC_H_INGRESS_FILTERS,
  TC_H_INGRESS_HANDLE,
  TC_H_ROOT,
  TCA_EGRESS_REDIR,
} from "./rtnetlink-constants.ts";
import type {
  AddQdisc,
  DeleteQdisc,
  Qdisc,
  QdiscPlace,
  Redirect,
  SetRedirect,
  TokenBucket,
} from "./traffic-control.ts";
import {
  filterLayout,
  LINK_LAYER_ETHERNET,
  NANOSECONDS_PER_TICK,
  type QdiscAttributes,
  qdiscLayout,
  type Statistics,
  type TokenBucketOptions,
} from "./traffic-layout.ts";

const U32_MAX = 0xffff_ffff;
/** One filter for all packets: first of the first table (net/sched/cls_u32.c counts them so). */
const U32_HANDLE = 0x8000_0800;
const PRIORITY = 1 << 16;

export function writeAddQdisc(writer: MessageWriter, operation: AddQdisc): void {
  const { link, qdisc, ifExists = "fail" } = operation;
  const isReplace = ifExists === "replace";
  writeMessage(writer, qdiscLayout, {
    type: RTM_NEWQDISC,
    flags: NLM_F_REQUEST | NLM_F_CREATE | (isReplace ? NLM_F_REPLACE : NLM_F_EXCL),
    header:
      qdisc.type === "ingress"
        ? { index: link, parent: TC_H_INGRESS, handle: TC_H_INGRESS_HANDLE }
        : { index: link, parent: TC_H_ROOT },
    attributes:
      qdisc.type === "ingress"
        ? { kind: "ingress" }
        : { kind: "tbf", options: tokenBucketOptions(qdisc) },
  });
}

export function writeDeleteQdisc(writer: MessageWriter, operation: DeleteQdisc): void {
  const isIngress = operation.place === "ingress";
  writeMessage(writer, qdiscLayout, {
    type: RTM_DELQDISC,
    flags: NLM_F_REQUEST,
    header: {
      index: operation.link,
      parent: isIngress ? TC_H_INGRESS : TC_H_ROOT,
    },
  });
}

export function writeSetRedirect(writer: MessageWriter, operation: SetRedirect): void {
  writeMessage(writer, filterLayout, {
    type: RTM_NEWTFILTER,
    flags: NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE,
    header: {
      index: operation.link,
      handle: U32_HANDLE,
      parent: TC_H_INGRESS_FILTERS,
      info: PRIORITY | ETH_P_ALL,
    },
    attributes: {
      // Not every kernel has matchall; u32 came long before it.
      kind: "u32",
      options: {
        selector: everyPacket,
        actions: {
          first: {
            kind: "mirred",
            options: {
              parms: {
                action: TC_ACT_STOLEN,
                direction: TCA_EGRESS_REDIR,
                index: operation.to,
              },
            },
          },
        },
      },
    },
  });
}

/** Asks for one qdisc. */
export function writeGetQdisc(
  writer: MessageWriter,
  at: { readonly ifindex: number; readonly place: QdiscPlace },
): void {
  writeMessage(writer, qdiscLayout, {
    type: RTM_GETQDISC,
    // Kernels before 6.12 tell the asker only with the echo flag.
    flags: NLM_F_REQUEST | NLM_F_ECHO,
    header: { index: at.ifindex, parent: at.place === "root" ? TC_H_ROOT : TC_H_INGRESS },
  });
}

/** Asks for all filters of what a link receives. */
export function writeGetFilters(writer: MessageWriter, ifindex: number): void {
  writeMessage(writer, filterLayout, {
    type: RTM_GETTFILTER,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    header: { index: ifindex, parent: TC_H_INGRESS_FILTERS },
  });
}

/** Reads an RTM_NEWQDISC. */
export function readQdisc(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
): Qdisc {
  const { attributes } = readMessage(from, message, qdiscLayout);
  const type = attributes.kind ?? "";
  return {
    type,
    ...(type === "tbf" ? tokenBucketOf(attributes) : {}),
    statistics: statisticsOf(attributes.stats2),
  };
}

/** Reads an RTM_NEWTFILTER; undefined for what is no redirect. */
export function readRedirect(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
): Redirect | undefined {
  const { attributes } = readMessage(from, message, filterLayout);
  const first = attributes.kind === "u32" ? attributes.options?.actions?.first : undefined;
  const parms = first?.kind === "mirred" ? first.options?.parms : undefined;
  if (parms?.direction !== TCA_EGRESS_REDIR) return undefined;
  return { toIfindex: Number(parms.index ?? 0) };
}

function tokenBucketOptions(qdisc: TokenBucket): TokenBucketOptions {
  const { rateBytesPerSecond: rate, burstBytes, limitBytes } = qdisc;
  return {
    parms: {
      linkLayer: LINK_LAYER_ETHERNET,
      rate: Math.min(rate, U32_MAX),
      limit: limitBytes,
      // The burst itself stands below; older readers look here.
      buffer: Math.min(ticksOf(burstBytes, rate), U32_MAX),
    },
    ...(rate > U32_MAX ? { rate64: BigInt(rate) } : {}),
    burst: burstBytes,
  };
}

function tokenBucketOf({ options }: QdiscAttributes): { readonly tokenBucket?: TokenBucket } {
  const parms = options?.parms;
  if (parms === undefined) return {};
  const rate = options?.rate64 === undefined ? (parms.rate ?? 0) : Number(options.rate64);
  const burst = ((parms.buffer ?? 0) * NANOSECONDS_PER_TICK * rate) / 1e9;
  return {
    tokenBucket: {
      type: "tbf",
      rateBytesPerSecond: rate,
      burstBytes: Math.round(burst),
      limitBytes: parms.limit ?? 0,
    },
  };
}

function ticksOf(bytes: number, rate: number): number {
  return Math.ceil((bytes * 1e9) / rate / NANOSECONDS_PER_TICK);
}

function statisticsOf(stats: Statistics | undefined): Qdisc["statistics"] {
  const { basic, queue } = stats ?? {};
  const view = basic && new DataView(basic.buffer, basic.byteOffset, basic.byteLength);
  return {
    sentBytes: view && view.byteLength >= 12 ? Number(view.getBigUint64(0, true)) : 0,
    sentPackets: view && view.byteLength >= 12 ? view.getUint32(8, true) : 0,
    droppedPackets: queue?.drops ?? 0,
    overlimits: queue?.overlimits ?? 0,
    waitingBytes: queue?.backlog ?? 0,
  };
}

/** struct tc_u32_sel with TC_U32_TERMINAL and one key whose mask is 0. */
const everyPacket: Uint8Array = Uint8Array.from([1, 0, 1, ...Array.from({ length: 29 }, () => 0)]);
