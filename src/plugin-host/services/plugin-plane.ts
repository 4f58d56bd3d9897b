import type { ProgramAck__Output } from "../../rpc/generated/patchbay/plugin/v1/ProgramAck.ts";
import type { ProgramRequest } from "../../rpc/generated/patchbay/plugin/v1/ProgramRequest.ts";
import type { PluginConnection, ProgramStream } from "../../rpc/service-plugin-client.ts";
import type { FrontendKey } from "../../services/model.ts";
import type { PlanChanges, ServicePlan } from "../../services/plan-types.ts";
import type { HeldFrontend, ProgramOutcome, ServicePlane } from "../../services/service-plane.ts";
import type { Clock } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { parseRefused, type Prefixes, toDelta, toSnapshot } from "./program-request.ts";

export interface PluginPlaneDeps {
  /** As the plugin calls itself; another one behind the same socket is not this plane. */
  readonly name: string;
  readonly clock: Clock;
  /** Dials the plugin's socket. Throws Error. */
  readonly connect: () => Promise<PluginConnection>;
  readonly hostVersion: string;
}

interface Session {
  readonly connection: PluginConnection;
  readonly stream: ProgramStream;
}

interface Awaited {
  readonly revision: number;
  readonly resolve: (ack: ProgramAck__Output) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A third party's data plane behind its Program stream. It is dialled by the first reset; whatever
 * goes wrong hangs up, and the next reset dials again. Nothing that it sends reaches further than
 * its own state: acknowledgements of what was sent, refusals of frontends that there are.
 */
export class PluginPlane implements ServicePlane {
  readonly name: string;
  readonly #deps: PluginPlaneDeps;
  readonly #listeners: ((what: string) => void)[] = [];
  #session: Session | undefined;
  #awaited: Awaited | undefined;
  #sentRevision = 0;
  /** Of the plan that it holds: a message has both or none. */
  #prefixes: Prefixes = { podPrefixes: [], servicePrefixes: [] };
  #frontends = new Set<FrontendKey>();
  #isClosed = false;

  constructor(deps: PluginPlaneDeps) {
    this.name = deps.name;
    this.#deps = deps;
  }

  async reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome> {
    const request = toSnapshot(plan, revision);
    this.#frontends = new Set(plan.frontends.keys());
    this.#prefixes = plan;
    if (!this.#session) await this.#dial();
    return this.#send(request, LIMITS.planeResetMs);
  }

  async apply(changes: PlanChanges): Promise<ProgramOutcome> {
    const request = toDelta(changes, this.#prefixes);
    const { podPrefixes, servicePrefixes } = { ...this.#prefixes, ...changes };
    this.#prefixes = { podPrefixes, servicePrefixes };
    for (const key of changes.removeFrontends) this.#frontends.delete(key);
    for (const { key } of changes.putFrontends) this.#frontends.add(key);
    return this.#send(request, LIMITS.planeApplyMs);
  }

  /** The contract has no question for it. */
  async held(): Promise<HeldFrontend | undefined> {
    return undefined;
  }

  onTamper(listener: (what: string) => void): void {
    this.#listeners.push(listener);
  }

  async connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>> {
    return new Map();
  }

  /** What a plugin programs is its own to remove. */
  async remove(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#hangUp(this.#failure("the host closes the connection"));
  }

  async #dial(): Promise<void> {
    if (this.#isClosed) throw this.#failure("its socket is gone");
    const connection = await this.#deps.connect();
    try {
      const info = await connection.getInfo(this.#deps.hostVersion);
      if (info.name !== this.name) {
        throw this.#failure(`${JSON.stringify(info.name.slice(0, 63))} answers on its socket`);
      }
      await this.#openStream(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Resolves with the greeting: what a plugin that does not come that far gets is nothing. */
  async #openStream(connection: PluginConnection): Promise<void> {
    const stream = connection.program({
      onAck: (ack) => this.#onAck(ack),
      onEnd: (reason) => this.#break(`it hung up: ${reason}`),
    });
    this.#session = { connection, stream };
    this.#sentRevision = 0;
    await this.#await(0, LIMITS.pluginGreetingMs, "Its greeting");
  }

  async #send(request: ProgramRequest, limitMs: number): Promise<ProgramOutcome> {
    const revision = Number(request.revision);
    if (!this.#session) throw this.#failure("it is not connected");
    this.#sentRevision = revision;
    this.#session.stream.send(request);
    const ack = await this.#await(revision, limitMs, `Programming revision ${revision}`);
    const refused = parseRefused(ack.refused, (key) => this.#frontends.has(key));
    return { revision, refused };
  }

  #await(revision: number, limitMs: number, what: string): Promise<ProgramAck__Output> {
    return new Promise((resolve, reject) => {
      const cancel = this.#deps.clock.after(limitMs, () => {
        const message = `Plugin ${this.name}: ${what} took longer than ${limitMs} ms`;
        this.#hangUp(new PatchbayError("DEADLINE_EXCEEDED", message));
      });
      const settle = () => {
        cancel();
        this.#awaited = undefined;
      };
      this.#awaited = {
        revision,
        resolve: (ack) => {
          settle();
          resolve(ack);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
    });
  }

  #onAck(ack: ProgramAck__Output): void {
    const awaited = this.#awaited;
    if (ack.resync) {
      if (awaited) this.#break("it lost its state");
      else this.#tell(`plugin ${this.name} lost its state`);
    } else if (ack.revision === awaited?.revision) awaited.resolve(ack);
    // One said twice says nothing; one of what was never sent is made up.
    else if (ack.revision > this.#sentRevision) {
      this.#break(`it acknowledges revision ${ack.revision}, which it was not sent`);
    }
  }

  /** Hangs up; the host hears of it by the call under way, or else as of a tampering. */
  #break(reason: string): void {
    const isAwaited = this.#awaited !== undefined;
    this.#hangUp(this.#failure(reason));
    if (!isAwaited) this.#tell(`plugin ${this.name}: ${reason}`);
  }

  #hangUp(error: Error): void {
    const session = this.#session;
    this.#session = undefined;
    session?.stream.cancel();
    session?.connection.close();
    this.#awaited?.reject(error);
  }

  #tell(what: string): void {
    if (this.#isClosed) return;
    for (const listener of this.#listeners) listener(what);
  }

  #failure(reason: string): PatchbayError {
    return new PatchbayError("PLUGIN_UNAVAILABLE", `Plugin ${this.name}: ${reason}`);
  }
}
