import { errno, errnoCode } from "./errno.ts";
import { addAddress, addressOf, deleteAddress } from "./fake-addresses.ts";
import { addLink, dropNamespace, linkOf, plugIn, removeLink, setLink } from "./fake-links.ts";
import { FakeFault, FakeNamespace, type FakeWorld, routeOf } from "./fake-namespace.ts";
import { addNeighbour, deleteNeighbour, neighbourOf } from "./fake-neighbours.ts";
import { printNamespaces } from "./fake-print.ts";
import { addRoute, deleteRoute } from "./fake-routes.ts";
import { readSysctl, writeSysctl } from "./fake-sysctls.ts";
import { addQdisc, deleteQdisc, qdiscOf, redirectsOf, setRedirect } from "./fake-traffic.ts";
import type {
  ApplyResult,
  Kernel,
  KernelEvent,
  KernelOperation,
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
import { checkOperation, checkSysctlPath, operationError } from "./operation-check.ts";
import type { Qdisc, QdiscPlace, Redirect } from "./traffic-control.ts";

export interface FakeKernelOptions {
  /** Whether bridges can filter VLANs. Default true. */
  readonly hasVlanFiltering?: boolean;
  /** unshare(2) answers ENOSPC beyond. Default 65,536. */
  readonly mostNamespaces?: number;
  /** Default 65,536. */
  readonly mostLinksPerNamespace?: number;
  /**
   * Asked before each operation of apply(): an errno makes it fail so. For simulated faults; what ran
   * before stays, as with the real one.
   */
  readonly failOperation?: (operation: KernelOperation, netns?: NetnsPath) => number | undefined;
  /**
   * What becomes of later operations of a batch after a failure. The real kernel does either,
   * depending on what shares a send. Default "stop".
   */
  readonly afterFailure?: "stop" | "continue";
}

/**
 * Linux networking in memory: the same answers and errors as the real one, at once and in the same
 * order each time; kernel-agreement.test.ts compares the two. Left out: packets, DAD, broadcast and
 * multicast routes, the preferred source of one IPv4 address with two prefix lengths.
 */
export class FakeKernel implements Kernel {
  readonly #options: FakeKernelOptions;
  readonly #namespaces = new Map<string, FakeNamespace>();
  readonly #world: FakeWorld;
  readonly #listeners = new Set<(event: KernelEvent) => void>();
  #events: KernelEvent[] = [];
  #nextInode = 4_026_531_840n;
  #nextMac = 1;
  #isClosed = false;

  constructor(options: FakeKernelOptions = {}) {
    this.#options = options;
    this.#world = {
      get node() {
        return node;
      },
      hasVlanFiltering: options.hasVlanFiltering ?? true,
      mostLinksPerNamespace: options.mostLinksPerNamespace ?? 65_536,
      namespace: (path) => this.#namespace(path as NetnsPath),
      nextMac: () => this.#makeMac(),
      emit: (netns, event) => {
        if (this.#listeners.size > 0 && netns === node) this.#emit(event());
      },
    };
    const node = new FakeNamespace(this.#world, this.#nextInode++);
  }

  async apply(batches: readonly NetnsBatch[]): Promise<ApplyResult> {
    this.#requireOpen("apply", "operations");
    for (const { netns, operations } of batches) {
      for (const operation of operations) checkOperation(operation, netns);
    }
    const ifindexes = new Map<string, number>();
    for (const batch of batches) this.#applyBatch(batch, ifindexes);
    return { ifindexes };
  }

  async removeLinks(names: readonly string[], netns?: NetnsPath): Promise<void> {
    this.#requireOpen("remove-link", "links");
    const namespace = netns === undefined ? this.#world.node : this.#namespaces.get(netns);
    if (namespace === undefined) return;
    let refused: KernelError | undefined;
    for (const name of names) {
      const link = namespace.linksByName.get(name);
      if (link === undefined) continue;
      try {
        removeLink(link);
      } catch (fault) {
        refused ??= kernelError(fault, "remove-link", `${name} in ${netns ?? "the node"}`);
      }
    }
    if (refused) throw refused;
  }

  async links(netns?: NetnsPath): Promise<readonly Link[]> {
    const { links } = this.#find(netns, "list-links");
    return [...links.values()].sort((left, right) => left.ifindex - right.ifindex).map(linkOf);
  }

  async findLink(name: string, netns?: NetnsPath): Promise<Link | undefined> {
    const link = this.#find(netns, "find-link").linksByName.get(name);
    return link === undefined ? undefined : linkOf(link);
  }

  async addresses(netns?: NetnsPath): Promise<readonly LinkAddress[]> {
    const result: LinkAddress[] = [];
    for (const link of this.#find(netns, "list-addresses").links.values()) {
      for (const entry of link.addresses) result.push(addressOf(link, entry));
    }
    return result;
  }

  async routes(netns?: NetnsPath): Promise<readonly Route[]> {
    return [...this.#find(netns, "list-routes").routes.values()].map(routeOf);
  }

  async neighbours(netns?: NetnsPath): Promise<readonly Neighbour[]> {
    return [...this.#find(netns, "list-neighbours").neighbours.values()]
      .filter((entry) => !entry.forwarding || entry.address.value !== 0n)
      .map(neighbourOf);
  }

  async findQdisc(
    at: { readonly ifindex: number; readonly place: QdiscPlace },
    netns?: NetnsPath,
  ): Promise<Qdisc | undefined> {
    return qdiscOf(this.#find(netns, "find-qdisc").links.get(at.ifindex), at.place);
  }

  async redirects(ifindex: number, netns?: NetnsPath): Promise<readonly Redirect[]> {
    return redirectsOf(this.#find(netns, "list-redirects").links.get(ifindex));
  }

  async readSysctl(path: readonly string[], netns?: NetnsPath): Promise<string> {
    checkSysctlPath(path, netns);
    const namespace = this.#find(netns, "read-sysctl");
    try {
      return readSysctl(namespace, path);
    } catch (fault) {
      throw kernelError(fault, "read-sysctl", `${path.join(".")} in ${netns ?? "the node"}`);
    }
  }

  async netnsIdentity(path: NetnsPath): Promise<NetnsIdentity | undefined> {
    this.#requireOpen("identify-netns", path);
    return this.#namespaces.get(path)?.identity;
  }

  async createNetns(path: NetnsPath): Promise<void> {
    this.#requireOpen("create-netns", path);
    const most = this.#options.mostNamespaces ?? 65_536;
    const fault = this.#namespaces.has(path)
      ? new FakeFault(errno.EEXIST)
      : this.#namespaces.size >= most
        ? new FakeFault(errno.ENOSPC)
        : undefined;
    if (fault) throw kernelError(fault, "create-netns", path);
    this.#namespaces.set(path, new FakeNamespace(this.#world, this.#nextInode++));
  }

  async deleteNetns(path: NetnsPath): Promise<void> {
    this.#requireOpen("delete-netns", path);
    const namespace = this.#namespaces.get(path);
    if (namespace === undefined) return;
    this.#namespaces.delete(path);
    dropNamespace(namespace);
  }

  async monitor(
    listener: (event: KernelEvent) => void,
    kinds: readonly MonitoredKind[] = ["link", "address", "route"],
  ): Promise<() => Promise<void>> {
    this.#requireOpen("monitor", "the node");
    const own = (event: KernelEvent): void => {
      if (event.kind === "resync" || kinds.includes(event.kind)) listener(event);
    };
    this.#listeners.add(own);
    return async () => {
      this.#listeners.delete(own);
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
  }

  /** A network card in the node: it can be moved, not removed, and comes home when its namespace goes. */
  plugIn(card: { readonly name: string; readonly mac: string; readonly mtu: number }): void {
    plugIn(this.#world.node, card);
  }

  /** As after ENOBUFS: listeners hear that events were lost. */
  loseEvents(): void {
    this.#emit({ kind: "resync" });
  }

  /** Everything, sorted: for comparing and for reading. */
  toString(): string {
    return printNamespaces(this.#world.node, this.#namespaces);
  }

  #applyBatch(batch: NetnsBatch, ifindexes: Map<string, number>): void {
    const { netns, operations } = batch;
    const namespace = this.#find(netns, "open-netns");
    let failure: KernelError | undefined;
    for (const operation of operations) {
      try {
        const made = this.#applyOperation(namespace, operation, netns);
        if (made !== undefined && netns === undefined) ifindexes.set(made.name, made.ifindex);
      } catch (error) {
        if (!(error instanceof FakeFault)) throw error;
        const { errno, text } = error;
        failure ??= operationError(
          operation,
          { errno, code: errnoCode(errno), extendedAck: text },
          netns,
        );
        if (this.#options.afterFailure !== "continue") break;
      }
    }
    if (failure) throw failure;
  }

  #applyOperation(
    namespace: FakeNamespace,
    operation: KernelOperation,
    netns: NetnsPath | undefined,
  ): { readonly name: string; readonly ifindex: number } | undefined {
    const failed = this.#options.failOperation?.(operation, netns);
    if (failed !== undefined) throw new FakeFault(failed, "Simulated fault");
    switch (operation.kind) {
      case "add-link": {
        const link = addLink(namespace, operation);
        return link.netns === namespace
          ? { name: operation.name, ifindex: link.ifindex }
          : undefined;
      }
      case "set-link":
        setLink(namespace, operation);
        return undefined;
      case "add-address":
        addAddress(namespace, operation);
        return undefined;
      case "delete-address":
        deleteAddress(namespace, operation);
        return undefined;
      case "add-route":
        addRoute(namespace, operation);
        return undefined;
      case "delete-route":
        deleteRoute(namespace, operation);
        return undefined;
      case "add-neighbour":
        addNeighbour(namespace, operation);
        return undefined;
      case "delete-neighbour":
        deleteNeighbour(namespace, operation);
        return undefined;
      case "add-qdisc":
        addQdisc(namespace, operation);
        return undefined;
      case "delete-qdisc":
        deleteQdisc(namespace, operation);
        return undefined;
      case "set-redirect":
        setRedirect(namespace, operation);
        return undefined;
      case "set-sysctl":
        writeSysctl(namespace, operation.path, operation.value);
        return undefined;
    }
  }

  #find(netns: NetnsPath | undefined, operation: string): FakeNamespace {
    this.#requireOpen(operation, netns ?? "the node");
    if (netns === undefined) return this.#world.node;
    try {
      return this.#namespace(netns);
    } catch (fault) {
      throw kernelError(fault, operation, netns);
    }
  }

  #namespace(path: NetnsPath): FakeNamespace {
    const namespace = this.#namespaces.get(path);
    if (namespace === undefined) throw new FakeFault(errno.ENOENT);
    return namespace;
  }

  #requireOpen(operation: string, object: string): void {
    if (!this.#isClosed) return;
    throw new KernelError({ errno: 0, code: "WORKER_GONE", operation, object });
  }

  #makeMac(): string {
    const digits = (this.#nextMac++).toString(16).padStart(10, "0");
    return `02:${digits.match(/../g)?.join(":")}`;
  }

  /** Listeners hear of all changes of one turn in the next microtask, never inside a call. */
  #emit(event: KernelEvent): void {
    if (this.#listeners.size === 0) return;
    this.#events.push(event);
    if (this.#events.length > 1) return;
    queueMicrotask(() => {
      const events = this.#events;
      this.#events = [];
      for (const each of events) for (const listener of this.#listeners) listener(each);
    });
  }
}

function kernelError(fault: unknown, operation: string, object: string): KernelError {
  if (!(fault instanceof FakeFault)) throw fault;
  return new KernelError({
    errno: fault.errno,
    code: errnoCode(fault.errno),
    operation,
    object,
    extendedAck: fault.text,
  });
}
