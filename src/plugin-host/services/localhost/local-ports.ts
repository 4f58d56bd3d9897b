import type { Family } from "../../../ip/address.ts";
import type { FrontendKey } from "../../../services/model.ts";
import type {
  ListId,
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  Route,
  ServicePlan,
} from "../../../services/plan-types.ts";

/** A NodePort on loopback: all planned frontends of one family, protocol and port. */
export interface LocalPort {
  /** "4|TCP|30080". */
  readonly key: string;
  readonly family: Family;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
  /** Where a process of this node is sent: the `inside` route of the frontends. */
  readonly route: Route;
}

export interface LocalPortChanges {
  /** New, or with another route, or with other endpoints in its list. */
  readonly put: readonly LocalPort[];
  readonly remove: readonly string[];
  /** Keys of SCTP ports that came: SCTP has no sockets in Node, so nothing listens. */
  readonly unsupported: readonly string[];
}

/**
 * What of a plan concerns loopback. The plan has a frontend for each NodePort address of the node;
 * they have the same route, and the one with the smallest key stands for all. Pure; the cost of a
 * change is that of the change.
 */
export class LocalPorts {
  readonly #ports = new Map<string, LocalPort>();
  readonly #frontends = new Map<string, Map<FrontendKey, PlannedFrontend>>();
  readonly #localKeys = new Map<FrontendKey, string>();
  readonly #byList = new Map<ListId, Set<string>>();
  /** All lists of the plan, the plan's own objects: a port may come to use any. */
  #lists = new Map<ListId, PlannedList>();

  find(key: string): LocalPort | undefined {
    return this.#ports.get(key);
  }

  /** The list that the port's route names now. */
  listOf(port: LocalPort): PlannedList | undefined {
    return port.route.kind === "list" ? this.#lists.get(port.route.list) : undefined;
  }

  apply(changes: PlanChanges): LocalPortChanges {
    const touched = new Set<string>();
    for (const list of changes.putLists) this.#lists.set(list.id, list);
    for (const list of changes.removeLists) this.#lists.delete(list);
    for (const key of changes.removeFrontends) this.#forget(key, touched);
    for (const frontend of changes.putFrontends) {
      this.#forget(frontend.key, touched);
      if (frontend.kind === "nodePort") this.#remember(frontend, touched);
    }
    const lists = [...changes.putLists.map((list) => list.id), ...changes.removeLists];
    for (const list of lists) {
      for (const key of this.#byList.get(list) ?? []) touched.add(key);
    }
    return this.#refresh(touched);
  }

  /** The whole plan anew. Every port that stays is among `put`. */
  reset(plan: ServicePlan): LocalPortChanges {
    const touched = new Set(this.#frontends.keys());
    this.#lists = new Map(plan.lists);
    this.#frontends.clear();
    this.#localKeys.clear();
    for (const frontend of plan.frontends.values()) {
      if (frontend.kind === "nodePort") this.#remember(frontend, touched);
    }
    return this.#refresh(touched);
  }

  #remember(frontend: PlannedFrontend, touched: Set<string>): void {
    const key = localKey(frontend);
    const siblings = this.#frontends.get(key) ?? new Map<FrontendKey, PlannedFrontend>();
    siblings.set(frontend.key, frontend);
    this.#frontends.set(key, siblings);
    this.#localKeys.set(frontend.key, key);
    touched.add(key);
  }

  #forget(frontend: FrontendKey, touched: Set<string>): void {
    const key = this.#localKeys.get(frontend);
    if (key === undefined) return;
    this.#localKeys.delete(frontend);
    const siblings = this.#frontends.get(key);
    siblings?.delete(frontend);
    if (siblings?.size === 0) this.#frontends.delete(key);
    touched.add(key);
  }

  #refresh(touched: ReadonlySet<string>): LocalPortChanges {
    const put: LocalPort[] = [];
    const remove: string[] = [];
    const unsupported: string[] = [];
    for (const key of touched) {
      const frontend = leastOf(this.#frontends.get(key));
      const before = this.#ports.get(key);
      this.#setPort(key, before, frontend && toLocalPort(key, frontend));
      const port = this.#ports.get(key);
      if (port !== undefined) put.push(port);
      else if (before !== undefined) remove.push(key);
      else if (frontend !== undefined) unsupported.push(key);
    }
    return { put, remove, unsupported };
  }

  #setPort(key: string, before: LocalPort | undefined, port: LocalPort | undefined): void {
    if (before?.route.kind === "list") this.#byList.get(before.route.list)?.delete(key);
    if (port === undefined) this.#ports.delete(key);
    else this.#ports.set(key, port);
    if (port?.route.kind === "list") {
      const keys = this.#byList.get(port.route.list) ?? new Set();
      this.#byList.set(port.route.list, keys.add(key));
    }
    if (before?.route.kind === "list" && this.#byList.get(before.route.list)?.size === 0) {
      this.#byList.delete(before.route.list);
    }
  }
}

function localKey(frontend: PlannedFrontend): string {
  return `${frontend.family}|${frontend.protocol}|${frontend.port}`;
}

function leastOf(
  siblings: ReadonlyMap<FrontendKey, PlannedFrontend> | undefined,
): PlannedFrontend | undefined {
  let least: PlannedFrontend | undefined;
  for (const frontend of siblings?.values() ?? []) {
    if (least === undefined || frontend.key < least.key) least = frontend;
  }
  return least;
}

function toLocalPort(key: string, frontend: PlannedFrontend): LocalPort | undefined {
  const { family, protocol, port, inside } = frontend;
  return protocol === "SCTP" ? undefined : { key, family, protocol, port, route: inside };
}
