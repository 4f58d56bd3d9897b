/** What a test and its actors (actor.ts) say to each other: one JSON object a line. */

export type Transport = "TCP" | "UDP";

/** One connection, or one datagram and its answer. */
export interface Dial {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Source address. Absent: what the kernel picks. */
  readonly from?: string;
  /** SO_MARK of the socket. */
  readonly mark?: number;
  /** Size of a datagram. Absent: one byte. */
  readonly bytes?: number;
}

/** Servers answer with the address that they were reached at and the one that they see as peer. */
export interface Answer {
  readonly kind: "answer";
  readonly own: string;
  readonly ownPort: number;
  readonly peer: string;
  readonly peerPort: number;
  readonly ms: number;
}

export type DialResult =
  | Answer
  /** ECONNREFUSED: a reset, or an ICMP error. */
  | { readonly kind: "refused"; readonly ms: number }
  | { readonly kind: "timeout"; readonly ms: number }
  | { readonly kind: "other"; readonly code: string; readonly ms: number };

export interface Listen {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
}

/** Dials of a storm that ended with something else than an answer. */
export interface StormFailure {
  readonly startedMs: number;
  readonly what: string;
}

/** What a storm has seen. Times are of the monotonic clock, which all processes share. */
export interface StormReport {
  readonly dials: number;
  readonly seconds: number;
  /** Addresses that answered; `answers` points into it. */
  readonly endpoints: readonly string[];
  /** Start of the dial in ms, index of the endpoint, how long it took in ms, and so on. */
  readonly answers: readonly number[];
  readonly failures: readonly StormFailure[];
  readonly slowestMs: number;
  /** SYNs that had to be sent again in this namespace while it ran. */
  readonly synRetransmits: number;
}

/** An SCTP INIT chunk as a pod's raw socket saw it. */
export interface SeenInit {
  readonly source: string;
  readonly sourcePort: number;
  readonly port: number;
}

/** Commands by name: what goes in, what comes out. */
export interface Commands {
  listen: { in: { readonly places: readonly Listen[] }; out: Record<string, never> };
  dial: { in: Dial; out: DialResult };
  /** Dials one after the other until `distinct` endpoints have answered, `most` dials at most; ends at the first that gets no answer. */
  survey: {
    in: { readonly dial: Dial; readonly distinct: number; readonly most: number };
    out: { readonly results: readonly DialResult[] };
  };
  /** Dials that many times; counts by "address:port" of the answer, or by what else happened. */
  spread: {
    in: { readonly dial: Dial; readonly times: number; readonly concurrency: number };
    out: { readonly counts: Readonly<Record<string, number>> };
  };
  /** Opens a socket that stays, under a name. */
  open: { in: { readonly flow: string; readonly dial: Dial }; out: DialResult };
  /** Sends on an open socket and waits for the answer. */
  say: { in: { readonly flow: string; readonly timeoutMs: number }; out: DialResult };
  /** Sends a datagram and waits for nothing. */
  shout: { in: { readonly flow: string }; out: Record<string, never> };
  close: { in: { readonly flow: string }; out: Record<string, never> };
  /** Dials without pause until it is told to stop. */
  storm: {
    in: {
      readonly dial: Dial;
      readonly concurrency: number;
      /** Source addresses that take turns. Absent: what the dial says. */
      readonly sources?: readonly string[];
    };
    out: Record<string, never>;
  };
  /** How many answers the storm has had since `sinceMs` of the monotonic clock. */
  stormAnswers: { in: { readonly sinceMs: number }; out: { readonly count: number } };
  stopStorm: { in: Record<string, never>; out: StormReport };
  /** Begins to note SCTP INIT chunks. */
  watchInits: { in: { readonly family: 4 | 6 }; out: Record<string, never> };
  /** INIT chunks noted since the last call. */
  takeInits: { in: Record<string, never>; out: { readonly inits: readonly SeenInit[] } };
  /** Sends an INIT chunk; answers "refused" when the kernel reports a port unreachable, else "timeout". */
  sendInit: { in: InitChunk; out: DialResult };
}

/** An SCTP packet of its own source port. */
export interface InitChunk {
  readonly address: string;
  readonly port: number;
  readonly sourcePort: number;
  readonly waitMs: number;
}

export type CommandName = keyof Commands;

export type Request = {
  [Name in CommandName]: {
    readonly id: number;
    readonly command: Name;
    readonly input: Commands[Name]["in"];
  };
}[CommandName];

export type Reply =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: string };
