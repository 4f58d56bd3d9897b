import { nested, raw, text, u32, u64 } from "./netlink-codecs.ts";
import type { AttributeTable, Codec, MessageLayout, WithUnknown } from "./netlink-message.ts";
import { readStruct, type StructLayout, writeStruct } from "./netlink-message.ts";

/** RTM_*QDISC and RTM_*TFILTER: struct tcmsg and TCA_* (linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h). */
const trafficHeader: StructLayout<TrafficHeader> = {
  bytes: 20,
  fields: [
    ["family", 0, "u8"],
    ["index", 4, "i32"],
    ["handle", 8, "u32"],
    ["parent", 12, "u32"],
    ["info", 16, "u32"],
  ],
};

export interface TrafficHeader {
  family: number;
  index: number;
  handle: number;
  parent: number;
  info: number;
}

export interface QdiscAttributes extends WithUnknown {
  kind?: string;
  /** TCA_OPTIONS of kind "tbf"; those of other kinds are read the same way and mean nothing. */
  options?: TokenBucketOptions;
  stats2?: Statistics;
}

export const qdiscLayout: MessageLayout<TrafficHeader, QdiscAttributes> = {
  header: trafficHeader,
  get attributes() {
    return qdiscAttributes;
  },
};

/** TCA_TBF_* */
export interface TokenBucketOptions extends WithUnknown {
  parms?: Partial<Record<keyof TokenBucketParameters, number>>;
  /** Bytes each second, where 32 bits do not hold them. */
  rate64?: bigint;
  burst?: number;
}

/** struct tc_tbf_qopt: two struct tc_ratespec, then what follows. */
export interface TokenBucketParameters {
  linkLayer: number;
  rate: number;
  limit: number;
  /** Ticks of 64 ns that the burst takes at the rate. */
  buffer: number;
}

/** TC_LINKLAYER_ETHERNET: the kernel computes lengths by itself, without a table from us. */
export const LINK_LAYER_ETHERNET = 1;
/** PSCHED_SHIFT of include/net/pkt_sched.h. */
export const NANOSECONDS_PER_TICK = 64;

const tokenBucketOptions: AttributeTable<TokenBucketOptions> = {
  parms: [
    1,
    struct({
      bytes: 36,
      fields: [
        ["linkLayer", 1, "u8"],
        ["rate", 8, "u32"],
        ["limit", 24, "u32"],
        ["buffer", 28, "u32"],
      ],
    }),
  ],
  rate64: [4, u64],
  burst: [6, u32],
};

/** TCA_STATS_* (linux/gen_stats.h). */
export interface Statistics extends WithUnknown {
  basic?: Uint8Array;
  queue?: Partial<Record<keyof QueueStatistics, number>>;
}

/** struct gnet_stats_queue */
export interface QueueStatistics {
  queued: number;
  backlog: number;
  drops: number;
  requeues: number;
  overlimits: number;
}

const statistics: AttributeTable<Statistics> = {
  /** struct gnet_stats_basic: bytes in 64 bits, packets in 32. */
  basic: [1, raw],
  queue: [
    3,
    struct({
      bytes: 20,
      fields: [
        ["queued", 0, "u32"],
        ["backlog", 4, "u32"],
        ["drops", 8, "u32"],
        ["requeues", 12, "u32"],
        ["overlimits", 16, "u32"],
      ],
    }),
  ],
};

const qdiscAttributes: AttributeTable<QdiscAttributes> = {
  kind: [1, text],
  options: [2, nested(() => tokenBucketOptions)],
  stats2: [7, nested(() => statistics)],
};

export interface FilterAttributes extends WithUnknown {
  kind?: string;
  /** TCA_OPTIONS of kind "u32". */
  options?: U32Options;
}

export const filterLayout: MessageLayout<TrafficHeader, FilterAttributes> = {
  header: trafficHeader,
  get attributes() {
    return filterAttributes;
  },
};

/** TCA_U32_* */
export interface U32Options extends WithUnknown {
  selector?: Uint8Array;
  actions?: Actions;
}

/** By order, from 1. */
export interface Actions extends WithUnknown {
  first?: Action;
}

/** TCA_ACT_* */
export interface Action extends WithUnknown {
  kind?: string;
  options?: MirredOptions;
}

/** TCA_MIRRED_* (linux/tc_act/tc_mirred.h) */
export interface MirredOptions extends WithUnknown {
  parms?: Partial<Record<keyof MirredParameters, number | string>>;
}

/** struct tc_mirred */
export interface MirredParameters {
  action: number;
  direction: number;
  index: number;
}

const mirredOptions: AttributeTable<MirredOptions> = {
  parms: [
    2,
    struct<MirredParameters>({
      bytes: 28,
      fields: [
        ["action", 8, "i32"],
        ["direction", 20, "i32"],
        ["index", 24, "i32"],
      ],
    }),
  ],
};
const action: AttributeTable<Action> = {
  kind: [1, text],
  options: [2, nested(() => mirredOptions)],
};
const actions: AttributeTable<Actions> = { first: [1, nested(() => action)] };
const u32Options: AttributeTable<U32Options> = {
  selector: [5, raw],
  actions: [7, nested(() => actions)],
};
const filterAttributes: AttributeTable<FilterAttributes> = {
  kind: [1, text],
  options: [2, nested(() => u32Options)],
};

/** A C struct as an attribute; a string stands for the index of a link. */
function struct<Values>(
  layout: StructLayout<Values>,
): Codec<Partial<Record<keyof Values, number | string>>> & Codec<Record<keyof Values, number>>;
function struct(layout: StructLayout<Record<string, number>>): Codec<Record<string, number>> {
  return {
    write: (writer, value) => writeStruct(writer, layout, value),
    // Newer kernels may append fields.
    read: (from, start, end) =>
      end - start < layout.bytes ? undefined : readStruct(from, start, layout),
  };
}
