import { readAddress, writeGetAddresses } from "./address-messages.ts";
import { encodeProgram } from "./apply-program.ts";
import { errno, errnoCode } from "./errno.ts";
import type {
  ApplyResult,
  Kernel,
  KernelEvent,
  Link,
  LinkAddress,
  MonitoredKind,
  Neighbour,
  NetnsBatch,
  NetnsIdentity,
  NetnsPath,
  Route,
} from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import { eventsIn } from "./kernel-events.ts";
import { readLink, writeGetLink } from "./link-messages.ts";
import { callError } from "./kernel-worker.ts";
import { LinkRemoval, type RemovalStats } from "./link-removal.ts";
import { readNeighbour, writeGetNeighbours } from "./neighbour-messages.ts";
import {
  type MessageBytes,
  MessageWriter,
  messageBytes,
  messagesIn,
  type ReceivedMessage,
} from "./netlink-message.ts";
import { checkSysctlPath, operationError } from "./operation-check.ts";
import { readRoute, writeGetRoutes } from "./route-messages.ts";
import {
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
  RTM_NEWTFILTER,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV4_ROUTE,
  RTMGRP_IPV6_IFADDR,
  RTMGRP_IPV6_ROUTE,
  RTMGRP_LINK,
} from "./rtnetlink-constants.ts";
import { RtnetlinkWorkerClient } from "./rtnetlink-worker-client.ts";
import type { Qdisc, QdiscPlace, Redirect } from "./traffic-control.ts";
import { readQdisc, readRedirect, writeGetFilters, writeGetQdisc } from "./traffic-messages.ts";
import { failureOf } from "./worker-fault.ts";
import { netnsIdentity } from "./worker-netns.ts";
import type { ApplyAnswer, SlowAnswer, WorkerFailure } from "./worker-protocol.ts";

export interface RtnetlinkOptions {
  /**
   * Room for events that nobody has read yet; beyond it the kernel drops them and a "resync" event
   * comes. Default 4 MiB; memory is used only for what waits.
   */
  readonly monitorReceiveBufferBytes?: number;
}

const MONITORED_KINDS: readonly MonitoredKind[] = ["link", "address", "route"];

const GROUPS: Readonly<Record<MonitoredKind, number>> = {
  link: RTMGRP_LINK,
  address: RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
  route: RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
};

/** Starts the rtnetlink worker in the namespace of this process. Linux only. */
export async function openKernel(options: RtnetlinkOptions = {}): Promise<RtnetlinkKernel> {
  return new RtnetlinkKernel(await RtnetlinkWorkerClient.start(), options);
}

/** Linux networking over rtnetlink; see Kernel. Made by openKernel(). */
export class RtnetlinkKernel implements Kernel {
  readonly #worker: RtnetlinkWorkerClient;
  readonly #removal: LinkRemoval;
  readonly #monitorReceiveBufferBytes: number;
  /** With what each wants to hear of. */
  readonly #listeners = new Map<(event: KernelEvent) => void, readonly MonitoredKind[]>();
  /** Dumps that have not left for the worker yet. */
  #unsent = { batch: -1, dumps: new Map<string, Promise<readonly unknown[]>>() };
  #monitorChange: Promise<unknown> = Promise.resolve();

  constructor(worker: RtnetlinkWorkerClient, options: RtnetlinkOptions) {
    this.#worker = worker;
    this.#monitorReceiveBufferBytes = options.monitorReceiveBufferBytes ?? 4 << 20;
    this.#removal = new LinkRemoval((bytes, netns) =>
      this.#worker.call<SlowAnswer>(
        { method: "slow", bytes, netns },
        { operation: "remove-link", object: `links in ${place(netns)}` },
      ),
    );
    worker.onMonitor((what) => this.#hear(what));
  }

  /** How links were removed so far. */
  get removalStats(): Readonly<RemovalStats> {
    return this.#removal.stats;
  }

  async apply(batches: readonly NetnsBatch[]): Promise<ApplyResult> {
    const program = encodeProgram(batches);
    const answer = await this.#worker.call<ApplyAnswer>(
      { method: "apply", ...program },
      { operation: "apply", object: "operations" },
      (failure) => applyError(batches, failure),
    );
    const ifindexes = new Map<string, number>();
    for (let at = 0; at < answer.length; at += 2) {
      ifindexes.set(String(answer[at]), Number(answer[at + 1]));
    }
    return { ifindexes };
  }

  async removeLinks(names: readonly string[], netns?: NetnsPath): Promise<void> {
    try {
      await this.#removal.remove(names, netns);
    } catch (error) {
      if (netns !== undefined && isAbsentNetns(error)) return;
      throw error;
    }
  }

  async links(netns?: NetnsPath): Promise<readonly Link[]> {
    const writer = new MessageWriter(64);
    writeGetLink(writer);
    return this.#dump({ writer, netns, type: RTM_NEWLINK, read: readLink, what: "links" });
  }

  async findLink(name: string, netns?: NetnsPath): Promise<Link | undefined> {
    // Longer names cannot exist, and the kernel's answer for them is ERANGE.
    if (name === "" || Buffer.byteLength(name) > 15) return undefined;
    const writer = new MessageWriter(64);
    writeGetLink(writer, name);
    const bytes = writer.bytes.slice(0, writer.length);
    try {
      const answer = await this.#worker.call<Uint8Array>(
        { method: "get", bytes, netns },
        { operation: "find-link", object: `${name} in ${place(netns)}` },
      );
      const from = messageBytes(answer);
      for (const message of messagesIn(from)) return readLink(from, message);
      return undefined;
    } catch (error) {
      if (error instanceof KernelError && error.errno === errno.ENODEV) return undefined;
      throw error;
    }
  }

  async addresses(netns?: NetnsPath): Promise<readonly LinkAddress[]> {
    const writer = new MessageWriter(64);
    writeGetAddresses(writer);
    return this.#dump({ writer, netns, type: RTM_NEWADDR, read: readAddress, what: "addresses" });
  }

  async routes(netns?: NetnsPath): Promise<readonly Route[]> {
    const writer = new MessageWriter(64);
    writeGetRoutes(writer);
    return this.#dump({ writer, netns, type: RTM_NEWROUTE, read: readRoute, what: "routes" });
  }

  async neighbours(netns?: NetnsPath): Promise<readonly Neighbour[]> {
    const writer = new MessageWriter(128);
    for (const which of ["plain", "proxy", "forwarding"] as const)
      writeGetNeighbours(writer, which);
    const type = RTM_NEWNEIGH;
    return this.#dump({ writer, netns, type, read: readNeighbour, what: "neighbours" });
  }

  async findQdisc(
    at: { readonly ifindex: number; readonly place: QdiscPlace },
    netns?: NetnsPath,
  ): Promise<Qdisc | undefined> {
    const writer = new MessageWriter(64);
    writeGetQdisc(writer, at);
    const bytes = writer.bytes.slice(0, writer.length);
    const object = `${at.place} of link ${at.ifindex} in ${place(netns)}`;
    let isNetnsGone = false;
    try {
      const answer = await this.#worker.call<Uint8Array>(
        { method: "get", bytes, netns },
        { operation: "find-qdisc", object },
        (failure) => {
          isNetnsGone = failure.netns !== undefined;
          return undefined;
        },
      );
      const from = messageBytes(answer);
      for (const message of messagesIn(from)) return readQdisc(from, message);
      return undefined;
    } catch (error) {
      // No link, or no qdisc at that place. Of a place that had one before nothing is told but success.
      const isAbsent =
        error instanceof KernelError &&
        [errno.ENODEV, errno.ENOENT, errno.EMSGSIZE].includes(error.errno);
      if (isAbsent && !isNetnsGone) return undefined;
      throw error;
    }
  }

  async redirects(ifindex: number, netns?: NetnsPath): Promise<readonly Redirect[]> {
    const writer = new MessageWriter(64);
    writeGetFilters(writer, ifindex);
    const type = RTM_NEWTFILTER;
    return this.#dump({ writer, netns, type, read: readRedirect, what: "redirects" });
  }

  async readSysctl(path: readonly string[], netns?: NetnsPath): Promise<string> {
    checkSysctlPath(path, netns);
    return this.#worker.call<string>(
      { method: "read-sysctl", path: path.join("/"), netns },
      { operation: "read-sysctl", object: `${path.join(".")} in ${place(netns)}` },
    );
  }

  async netnsIdentity(path: NetnsPath): Promise<NetnsIdentity | undefined> {
    const where = { operation: "identify-netns", object: path };
    this.#worker.requireOpen(where);
    try {
      // Four system calls that need neither setns nor a socket: the way to the worker, which every
      // ADD would wait for behind the attaches of others, costs twenty times as much.
      return netnsIdentity(path);
    } catch (error) {
      throw callError(where, failureOf(error));
    }
  }

  async createNetns(path: NetnsPath): Promise<void> {
    await this.#worker.call(
      { method: "create-netns", path },
      { operation: "create-netns", object: path },
    );
  }

  async deleteNetns(path: NetnsPath): Promise<void> {
    await this.#worker.call(
      { method: "delete-netns", path },
      { operation: "delete-netns", object: path },
    );
  }

  async monitor(
    listener: (event: KernelEvent) => void,
    kinds: readonly MonitoredKind[] = MONITORED_KINDS,
  ): Promise<() => Promise<void>> {
    // A wrapper, so that one function given twice is two listeners.
    const own = (event: KernelEvent): void => {
      if (event.kind === "resync" || kinds.includes(event.kind)) listener(event);
    };
    this.#listeners.set(own, kinds);
    try {
      await this.#updateMonitor();
    } catch (error) {
      this.#listeners.delete(own);
      throw error;
    }
    return async () => {
      if (this.#listeners.delete(own)) await this.#updateMonitor();
    };
  }

  /** Waits for calls under way, then ends the worker. */
  close(): Promise<void> {
    this.#listeners.clear();
    // A removal is several calls: the worker's sockets stay open until the last one.
    return this.#worker.close(() => this.#removal.idle());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the worker at once, as a crash would: calls under way fail. For tests. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Start and stop follow each other: the last listener may leave while the first one arrives. */
  #updateMonitor(): Promise<void> {
    const change = this.#monitorChange.then(async () => {
      const where = { operation: "monitor", object: "the node" };
      if (this.#listeners.size === 0) {
        if (this.#worker.isOpen) await this.#worker.call({ method: "monitor-stop" }, where);
        return;
      }
      const receiveBufferBytes = this.#monitorReceiveBufferBytes;
      const wanted = [...this.#listeners.values()].flat();
      const groups = wanted.reduce((all, kind) => all | GROUPS[kind], 0);
      await this.#worker.call({ method: "monitor-start", receiveBufferBytes, groups }, where);
    });
    this.#monitorChange = change.catch(() => {});
    return change;
  }

  /** Whoever asks for the same table before the question has left gets the same answer. */
  #dump<Row>(request: DumpRequest<Row>): Promise<readonly Row[]> {
    if (this.#unsent.batch !== this.#worker.batch) {
      this.#unsent = { batch: this.#worker.batch, dumps: new Map() };
    }
    const { dumps } = this.#unsent;
    const { writer, netns, what } = request;
    const bytes = Buffer.from(writer.bytes.slice(0, writer.length)).toString("hex");
    const key = `${what} ${bytes} ${place(netns)}`;
    const known = dumps.get(key) as Promise<readonly Row[]> | undefined;
    if (known) return known;
    const rows = this.#dumpNow(request).finally(() => dumps.delete(key));
    dumps.set(key, rows);
    return rows;
  }

  async #dumpNow<Row>(request: DumpRequest<Row>): Promise<readonly Row[]> {
    const { writer, netns, type, read, what } = request;
    const bytes = writer.bytes.slice(0, writer.length);
    const datagrams = await this.#worker.call<readonly Uint8Array[]>(
      { method: "dump", bytes, netns },
      { operation: `list-${what}`, object: `${what} in ${place(netns)}` },
    );
    const rows: Row[] = [];
    for (const datagram of datagrams) {
      const from = messageBytes(datagram);
      for (const message of messagesIn(from)) {
        if (message.type !== type) continue;
        const row = read(from, message);
        if (row !== undefined) rows.push(row);
      }
    }
    return rows;
  }

  #hear(what: Uint8Array | "resync"): void {
    const events = what === "resync" ? [{ kind: "resync" } as const] : eventsIn(what);
    for (const event of events) {
      for (const listener of this.#listeners.keys()) listener(event);
    }
  }
}

interface DumpRequest<Row> {
  readonly writer: MessageWriter;
  readonly netns: NetnsPath | undefined;
  readonly type: number;
  readonly read: (from: MessageBytes, message: ReceivedMessage) => Row | undefined;
  readonly what: string;
}

function applyError(
  batches: readonly NetnsBatch[],
  failure: WorkerFailure,
): KernelError | undefined {
  const code = failure.errno === 0 ? "UNKNOWN" : errnoCode(failure.errno);
  const fields = { errno: failure.errno, code, extendedAck: failure.text };
  if (failure.operation === undefined) {
    return new KernelError({ ...fields, operation: "open-netns", object: failure.netns ?? "" });
  }
  let index = failure.operation;
  for (const { netns, operations } of batches) {
    const operation = operations[index];
    if (operation !== undefined) return operationError(operation, fields, netns);
    index -= operations.length;
  }
  return undefined;
}

/** ENOENT or EINVAL of opening the path itself: the namespace is gone, and its links with it. */
function isAbsentNetns(error: unknown): boolean {
  return (
    error instanceof KernelError && (error.errno === errno.ENOENT || error.errno === errno.ENOTDIR)
  );
}

function place(netns: NetnsPath | undefined): string {
  return netns ?? "the node";
}
