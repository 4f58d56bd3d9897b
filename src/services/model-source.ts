import type { EndpointGroup, Frontend } from "./model.ts";
import type { UnitPlan } from "./plan-unit.ts";
import type { ModelChange } from "./table-types.ts";
import type { Unit } from "./unit.ts";

/** Frontends and groups that come as such: host.v1 ApplyServices, hostPorts. */
export class ModelSource {
  readonly #scope: string;
  readonly #touch: (unit: Unit) => void;
  readonly #groups = new Map<string, EndpointGroup>();
  readonly #frontends = new Map<string, Frontend>();
  readonly #units = new Map<string, ModelUnit>();
  /** Frontends that lead to a group, there or not. */
  readonly #frontendsOf = new Map<string, Set<Frontend>>();

  constructor(source: string, touch: (unit: Unit) => void) {
    this.#scope = `${source}#`;
    this.#touch = touch;
  }

  apply(change: ModelChange): void {
    if (change.replace) {
      const groups = new Set(change.putGroups.map(({ id }) => id));
      const frontends = new Set(change.putFrontends.map(({ id }) => id));
      for (const id of this.#groups.keys()) if (!groups.has(id)) this.#removeGroup(id);
      for (const id of this.#frontends.keys()) if (!frontends.has(id)) this.#removeFrontend(id);
    }
    for (const id of change.removeGroups) this.#removeGroup(id);
    for (const id of change.removeFrontends) this.#removeFrontend(id);
    for (const group of change.putGroups) {
      this.#groups.set(group.id, group);
      this.#touchUsers(group.id);
    }
    for (const frontend of change.putFrontends) this.#putFrontend(frontend);
  }

  /** Forgets a unit of which nothing is left. */
  drop(unit: Unit): void {
    if (this.#units.get(unit.service) === unit) this.#units.delete(unit.service);
  }

  #removeGroup(id: string): void {
    if (this.#groups.delete(id)) this.#touchUsers(id);
  }

  #putFrontend(frontend: Frontend): void {
    this.#removeFrontend(frontend.id);
    this.#frontends.set(frontend.id, frontend);
    const users = this.#frontendsOf.get(frontend.group);
    if (users) users.add(frontend);
    else this.#frontendsOf.set(frontend.group, new Set([frontend]));
    const unit = this.#unit(frontend.service);
    unit.put(frontend);
    this.#touch(unit);
  }

  #removeFrontend(id: string): void {
    const frontend = this.#frontends.get(id);
    if (frontend === undefined) return;
    this.#frontends.delete(id);
    const users = this.#frontendsOf.get(frontend.group);
    users?.delete(frontend);
    if (users?.size === 0) this.#frontendsOf.delete(frontend.group);
    const unit = this.#unit(frontend.service);
    unit.remove(id);
    this.#touch(unit);
  }

  #touchUsers(group: string): void {
    for (const { service } of this.#frontendsOf.get(group) ?? []) this.#touch(this.#unit(service));
  }

  #unit(service: string): ModelUnit {
    let unit = this.#units.get(service);
    if (unit === undefined) {
      unit = new ModelUnit(service, { scope: this.#scope, groups: this.#groups });
      this.#units.set(service, unit);
    }
    return unit;
  }
}

/** Frontends of one source with the same Service name. */
class ModelUnit implements Unit {
  readonly service: string;
  readonly addressField = "Frontend.address";
  readonly scope: string;
  readonly #byId = new Map<string, Frontend>();
  #ordered: readonly Frontend[] | undefined;
  readonly healthCheckPort = undefined;
  readonly #groups: ReadonlyMap<string, EndpointGroup>;
  planned: UnitPlan | undefined;
  revision = 0;
  triggeredMs: number | undefined;

  constructor(
    service: string,
    {
      scope,
      groups,
    }: { readonly scope: string; readonly groups: ReadonlyMap<string, EndpointGroup> },
  ) {
    this.service = service;
    this.scope = scope;
    this.#groups = groups;
  }

  get frontends(): readonly Frontend[] {
    this.#ordered ??= [...this.#byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    return this.#ordered;
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  put(frontend: Frontend): void {
    this.#byId.set(frontend.id, frontend);
    this.#ordered = undefined;
  }

  remove(id: string): void {
    this.#byId.delete(id);
    this.#ordered = undefined;
  }

  group(id: string): EndpointGroup | undefined {
    return this.#groups.get(id);
  }
}
