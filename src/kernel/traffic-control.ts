/** Queueing disciplines and redirects (tc): what limits the rates of a link. */

/** A token bucket: what comes faster waits, and is dropped where too much waits. net/sched/sch_tbf.c. */
export interface TokenBucket {
  readonly type: "tbf";
  readonly rateBytesPerSecond: number;
  /**
   * What may pass at once; longer packets are cut where they are TCP's, and dropped otherwise. Below 4 GiB, and
   * read back wrong where the rate needs more than 274 s for it (32 bits of 64 ns).
   */
  readonly burstBytes: number;
  /** What may wait. Below 4 GiB. */
  readonly limitBytes: number;
}

/** Where a qdisc is: at the root it holds what the link sends, "ingress" sees what the link receives. */
export type QdiscPlace = "root" | "ingress";

export interface AddQdisc {
  readonly kind: "add-qdisc";
  readonly link: string;
  /** A token bucket at the root, or the place that redirects need. */
  readonly qdisc: TokenBucket | { readonly type: "ingress" };
  /** Default "fail". At the root "replace" is the only way: a link has one from its birth. */
  readonly ifExists?: "fail" | "keep" | "replace";
}

export interface DeleteQdisc {
  readonly kind: "delete-qdisc";
  readonly link: string;
  /** At the root the link gets its default again; with "ingress" its redirects go too. */
  readonly place: QdiscPlace;
  /** Default true: absent is success. */
  readonly missingOk?: boolean;
}

/** Everything that the link receives is sent by another link of the same namespace, an ifb for example. Needs an ingress qdisc. */
export interface SetRedirect {
  readonly kind: "set-redirect";
  readonly link: string;
  readonly to: string;
}

export interface Qdisc {
  /** "tbf", "ingress", "clsact", "noqueue", "pfifo_fast"... */
  readonly type: string;
  /** Of type "tbf". The burst comes back in the kernel's ticks of 64 ns and is rounded. */
  readonly tokenBucket?: TokenBucket;
  readonly statistics: QdiscStatistics;
}

/** Since the qdisc was made. */
export interface QdiscStatistics {
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly droppedPackets: number;
  /** How often something had to wait. */
  readonly overlimits: number;
  readonly waitingBytes: number;
}

/** Where a link's received packets are sent by. */
export interface Redirect {
  /** 0: a link that is gone; such packets are dropped. */
  readonly toIfindex: number;
}
