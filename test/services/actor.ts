/**
 * One process in one namespace: servers that say who reached them, and a dialler. Commanded over
 * standard input, ends with it. Needs nothing but Node (koffi where raw sockets are asked for).
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer, isIPv6, Socket } from "node:net";
import { createInterface } from "node:readline";
import type {
  CommandName,
  Commands,
  Dial,
  DialResult,
  Listen,
  Reply,
  Request,
  StormFailure,
  StormReport,
} from "./protocol.ts";

const BACKLOG = 4096;

type Handlers = {
  [Name in CommandName]: (
    input: Commands[Name]["in"],
  ) => Promise<Commands[Name]["out"]> | Commands[Name]["out"];
};

const flows = new Map<string, Flow>();
let storm: Storm | undefined;

const handlers: Handlers = {
  async listen({ places }) {
    await Promise.all(
      places.map((place) => (place.transport === "TCP" ? listenTcp(place) : listenUdp(place))),
    );
    return {};
  },
  dial,
  survey,
  spread,
  async open({ flow, dial }) {
    const opened = await openFlow(dial);
    flows.set(flow, opened);
    const first = await opened.first;
    if (first.kind !== "answer" && dial.transport === "TCP") opened.close();
    return first;
  },
  say: ({ flow, timeoutMs }) => flowOf(flow).say(timeoutMs),
  shout({ flow }) {
    flowOf(flow).shout();
    return {};
  },
  close({ flow }) {
    flowOf(flow).close();
    flows.delete(flow);
    return {};
  },
  storm(input) {
    storm = startStorm(input);
    return {};
  },
  stormAnswers({ sinceMs }) {
    const { starts } = stormOf();
    let count = 0;
    for (let at = starts.length - 1; at >= 0 && (starts[at] ?? 0) >= sinceMs; at--) count++;
    return { count };
  },
  async stopStorm() {
    const report = await stormOf().stop();
    storm = undefined;
    return report;
  },
  async watchInits({ family }) {
    (await import("./raw-sockets.ts")).watchInits(family);
    return {};
  },
  async takeInits() {
    return { inits: (await import("./raw-sockets.ts")).takeInits() };
  },
  async sendInit(input) {
    return await (await import("./raw-sockets.ts")).sendInit(input);
  },
};

/** The monotonic clock in milliseconds; the same in every process of the machine. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function listenTcp({ address, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const line = `${plain(socket.localAddress)} ${socket.localPort} ${plain(socket.remoteAddress)} ${socket.remotePort}\n`;
      socket.on("error", () => {});
      socket.on("data", () => socket.write(line));
      socket.write(line);
    });
    server.once("error", reject);
    server.listen({ host: address, port, backlog: BACKLOG, ipv6Only: isIPv6(address) }, resolve);
  });
}

function listenUdp({ address, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = isIPv6(address)
      ? createSocket({ type: "udp6", ipv6Only: true })
      : createSocket("udp4");
    socket.once("error", reject);
    socket.on("message", (_, peer) => {
      const line = `${address} ${port} ${peer.address} ${peer.port}\n`;
      socket.send(line, peer.port, peer.address, () => {});
    });
    socket.bind({ address, port }, () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve();
    });
  });
}

async function dial(input: Dial): Promise<DialResult> {
  const flow = await openFlow(input);
  const result = await flow.first;
  flow.close();
  return result;
}

async function survey({ dial: input, distinct, most }: Commands["survey"]["in"]) {
  const results = new Map<string, DialResult>();
  for (let count = 0; count < most && results.size < distinct; count++) {
    const result = await dial(input);
    const key =
      result.kind === "answer" ? `${result.own} ${result.ownPort} ${result.peer}` : result.kind;
    results.set(key, result);
    if (result.kind !== "answer") break;
  }
  return { results: [...results.values()] };
}

async function spread({ dial: input, times, concurrency }: Commands["spread"]["in"]) {
  const counts: Record<string, number> = {};
  let left = times;
  const worker = async () => {
    while (left-- > 0) {
      const result = await dial(input);
      const key = result.kind === "answer" ? `${result.own}:${result.ownPort}` : result.kind;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { counts };
}

/** A socket that was dialled. */
interface Flow {
  /** What came of dialling it. */
  readonly first: Promise<DialResult>;
  say(timeoutMs: number): Promise<DialResult>;
  shout(): void;
  close(): void;
}

function flowOf(name: string): Flow {
  const flow = flows.get(name);
  if (!flow) throw new Error(`No flow ${name}`);
  return flow;
}

function openFlow(input: Dial): Promise<Flow> {
  return input.transport === "TCP" ? openTcp(input) : openUdp(input);
}

async function openTcp(input: Dial): Promise<Flow> {
  const pending = new Pending();
  const { mark } = input;
  // A marked socket is made by hand: Node makes its own only when it connects, and then it is too late.
  const fd = mark === undefined ? undefined : await openMarked(input.address, mark);
  const socket = fd === undefined ? new Socket() : new Socket({ fd, manualStart: true } as object);
  const first = pending.wait(input.timeoutMs);
  socket.connect({
    host: input.address,
    port: input.port,
    ...(input.from === undefined ? {} : { localAddress: input.from }),
  });
  socket.setNoDelay();
  socket.on("error", (error) => pending.fail(error));
  socket.on("close", () => pending.fail({ code: "CLOSED" }));
  socket.on("data", (bytes) => pending.answer(bytes.toString()));
  return {
    first,
    say(timeoutMs) {
      const answer = pending.wait(timeoutMs);
      socket.write("?\n");
      return answer;
    },
    shout: () => socket.write("?\n"),
    close: () => end(socket),
  };
}

/** By a reset: no port of the client stays in TIME_WAIT, however many dials there are. */
function end(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

async function openUdp(input: Dial): Promise<Flow> {
  const pending = new Pending();
  const socket = createSocket(isIPv6(input.address) ? "udp6" : "udp4");
  socket.on("error", (error) => pending.fail(error));
  socket.on("message", (bytes) => pending.answer(bytes.toString()));
  const say = (timeoutMs: number) => {
    const answer = pending.wait(timeoutMs);
    send(socket, pending, input.bytes);
    return answer;
  };
  try {
    if (input.from !== undefined) await bindUdp(socket, input.from);
    else if (input.mark !== undefined) {
      await bindUdp(socket, isIPv6(input.address) ? "::" : "0.0.0.0");
    }
    if (input.mark !== undefined) await setMark(socket, input.mark);
    await new Promise<void>((resolve, reject) => {
      socket.connect(input.port, input.address, ((error?: Error) => {
        if (error) reject(error);
        else resolve();
      }) as () => void);
    });
    return {
      first: say(input.timeoutMs),
      say,
      shout: () => send(socket, pending),
      close: () => socket.close(),
    };
  } catch (error) {
    const first = Promise.resolve<DialResult>({ kind: "other", code: codeOf(error), ms: 0 });
    return { first, say: () => first, shout: () => {}, close: () => socket.close() };
  }
}

function bindUdp(socket: UdpSocket, address: string): Promise<void> {
  return new Promise((resolve) => {
    socket.bind({ address, port: 0 }, resolve);
  });
}

async function openMarked(address: string, mark: number): Promise<number> {
  return (await import("./raw-sockets.ts")).openMarkedTcp(isIPv6(address) ? 6 : 4, mark);
}

async function setMark(socket: UdpSocket, mark: number): Promise<void> {
  // Node keeps the descriptor of a datagram socket to itself.
  const state = Object.getOwnPropertySymbols(socket).find(
    (symbol) => symbol.description === "state symbol",
  );
  const { handle } = (socket as unknown as Record<symbol, { handle: { fd: number } }>)[
    state ?? Symbol.iterator
  ] ?? { handle: { fd: -1 } };
  (await import("./raw-sockets.ts")).setMark(handle.fd, mark);
}

function send(socket: UdpSocket, pending: Pending, bytes = 1): void {
  socket.send("?".repeat(bytes), (error) => {
    // What this node's own rules drop or reject, the sender hears of as EPERM. A rejection says more soon.
    if (error && codeOf(error) !== "EPERM") pending.fail(error);
  });
}

/** The one answer that a socket waits for. */
class Pending {
  #settle: ((result: DialResult) => void) | undefined;
  #startedMs = 0;
  #failure: string | undefined;

  wait(timeoutMs: number): Promise<DialResult> {
    this.#startedMs = performance.now();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end({ kind: "timeout" }), timeoutMs);
      this.#settle = (result) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(result);
      };
      if (this.#failure === "CLOSED") this.#end({ kind: "other", code: this.#failure });
    });
  }

  answer(line: string): void {
    const [own = "", ownPort, peer = "", peerPort] = line.split("\n")[0]?.split(" ") ?? [];
    this.#end({
      kind: "answer",
      own,
      ownPort: Number(ownPort),
      peer,
      peerPort: Number(peerPort),
    });
  }

  fail(error: unknown): void {
    const code = codeOf(error);
    this.#failure = code;
    this.#end(code === "ECONNREFUSED" ? { kind: "refused" } : { kind: "other", code });
  }

  #end(result: Distribute<DialResult>): void {
    const ms = performance.now() - this.#startedMs;
    this.#settle?.({ ...result, ms });
  }
}

type Distribute<T> = T extends unknown ? Omit<T, "ms"> : never;

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? error);
}

interface Storm {
  readonly starts: readonly number[];
  stop(): Promise<StormReport>;
}

function stormOf(): Storm {
  if (!storm) throw new Error("No storm");
  return storm;
}

function startStorm({ dial: input, concurrency, sources }: Commands["storm"]["in"]): Storm {
  const startedMs = nowMs();
  const synRetransmits = readSynRetransmits();
  const endpoints: string[] = [];
  const indexes = new Map<string, number>();
  const answers: number[] = [];
  const starts: number[] = [];
  const failures: StormFailure[] = [];
  const state = { stopped: false, dials: 0, slowestMs: 0 };
  const worker = async () => {
    while (!state.stopped) {
      const dialMs = nowMs();
      const from = sources?.[state.dials % sources.length];
      state.dials++;
      const result = await dial(from === undefined ? input : { ...input, from });
      state.slowestMs = Math.max(state.slowestMs, result.ms);
      if (result.kind !== "answer") {
        const what = result.kind === "other" ? result.code : result.kind;
        if (failures.length < 1000) failures.push({ startedMs: dialMs, what });
        // A refused dial costs nothing: without a pause the storm would be all of them.
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      let index = indexes.get(result.own);
      if (index === undefined) {
        index = endpoints.push(result.own) - 1;
        indexes.set(result.own, index);
      }
      answers.push(dialMs, index, nowMs() - dialMs);
      starts.push(dialMs);
    }
  };
  const workers = Promise.all(Array.from({ length: concurrency }, worker));
  return {
    starts,
    async stop() {
      state.stopped = true;
      await workers;
      return {
        dials: state.dials,
        seconds: (nowMs() - startedMs) / 1000,
        endpoints,
        answers,
        failures,
        slowestMs: state.slowestMs,
        synRetransmits: readSynRetransmits() - synRetransmits,
      };
    },
  };
}

/** TcpExt TCPSynRetrans of this namespace. */
function readSynRetransmits(): number {
  const [names = [], values = []] = readFileSync("/proc/self/net/netstat", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("TCPSynRetrans")] ?? 0);
}

/** "10.0.0.1" of "::ffff:10.0.0.1". */
function plain(address = ""): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

function reply(message: Reply): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function handle(request: Request): Promise<void> {
  try {
    const handler = handlers[request.command] as (input: unknown) => unknown;
    reply({ id: request.id, output: await handler(request.input) });
  } catch (error) {
    reply({ id: request.id, error: error instanceof Error ? (error.stack ?? "") : String(error) });
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => void handle(JSON.parse(line) as Request))
  .on("close", () => process.exit(0));
