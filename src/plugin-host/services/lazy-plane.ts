import type { FrontendKey } from "../../services/model.ts";
import type { PlanChanges, ServicePlan } from "../../services/plan-types.ts";
import type { HeldFrontend, ProgramOutcome, ServicePlane } from "../../services/service-plane.ts";

/**
 * A plane that is made at its first reset: a node without Services pays neither thread nor table. When
 * that fails the reset fails, and the next one tries again.
 */
export class LazyPlane implements ServicePlane {
  readonly name: string;
  readonly #open: () => Promise<ServicePlane>;
  readonly #listeners: ((what: string) => void)[] = [];
  #plane: ServicePlane | undefined;
  #opening: Promise<ServicePlane> | undefined;

  constructor(name: string, open: () => Promise<ServicePlane>) {
    this.name = name;
    this.#open = open;
  }

  /** Begins to make it: sources take their time too. A failure is told by the reset. */
  warm(): void {
    this.#ensure().catch(() => {});
  }

  async reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome> {
    return (await this.#ensure()).reset(plan, revision);
  }

  async apply(changes: PlanChanges): Promise<ProgramOutcome> {
    return (await this.#ensure()).apply(changes);
  }

  async held(key: FrontendKey): Promise<HeldFrontend | undefined> {
    return this.#plane?.held(key);
  }

  onTamper(listener: (what: string) => void): void {
    this.#listeners.push(listener);
  }

  async connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>> {
    return (await this.#plane?.connectionCounts()) ?? new Map();
  }

  async remove(): Promise<void> {
    await (await this.#ensure()).remove();
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    await this.#plane?.close();
  }

  async #ensure(): Promise<ServicePlane> {
    if (this.#plane) return this.#plane;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    const plane = await this.#opening;
    if (this.#plane === undefined) {
      this.#plane = plane;
      plane.onTamper((what) => {
        for (const listener of this.#listeners) listener(what);
      });
    }
    return this.#plane;
  }
}
