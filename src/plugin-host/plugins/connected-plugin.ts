import { can, type NetworkPlugin } from "../../plugin-sdk/network-plugin.ts";
import type { NetworkPluginClient } from "../../rpc/network-plugin-client.ts";
import { PluginCallError } from "../../rpc/plugin-call-error.ts";
import type { Clock } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { toPlainText } from "./plain-text.ts";
import { type CheckedInfo, checkPluginInfo } from "./plugin-info.ts";

export interface ConnectedPluginDeps {
  readonly info: CheckedInfo;
  readonly client: NetworkPluginClient;
  readonly clock: Clock;
  /** It was well and is not, or the other way: then the trouble is "". */
  readonly onTrouble: (trouble: string) => void;
  /** Another plugin, or another version, answers on its socket. */
  readonly onOther: () => void;
}

type CallName = "Attach" | "Detach" | "Check" | "List" | "Status" | "RepairNetwork";

/**
 * A third party's plugin behind its socket. While it is down, unhealthy or hung a call is refused at
 * once; whether it is well again is asked every while, and what it said of itself stays known.
 */
export class ConnectedPlugin {
  readonly info: CheckedInfo;
  readonly #deps: ConnectedPluginDeps;
  #trouble = "";
  #isClosed = false;
  #isLooking = false;
  #cancelLook: () => void = () => {};
  /** Calls in a row that passed their deadlines, by the name of the call. */
  readonly #late = new Map<CallName, number>();
  /** Calls that hung and had no answer since. */
  readonly #hung = new Set<CallName>();
  /** When the last of them passed its deadline, ms since 1970. */
  #hungWallMs = 0;
  /** It hung, and answers again by its health alone: one call tries it, the others need not hang with it. */
  #isTried = false;
  /** Looks since it was found down, or since a call had an answer: each makes the next pause longer. */
  #looksDown = 0;

  constructor(deps: ConnectedPluginDeps) {
    this.info = deps.info;
    this.#deps = deps;
    // Whoever is not ready yet says so by its health only.
    this.#look();
  }

  /** Why it cannot be called now; "": it can. */
  get trouble(): string {
    if (this.#trouble !== "" || !this.#isTried) return this.#trouble;
    return `${[...this.#hung].join(" and ")} hung, and one call tries whether it still does`;
  }

  /** What to know of it where it can be called: that it hung, and that nobody knows whether it still does. */
  get note(): string {
    if (this.trouble !== "" || this.#hung.size === 0) return "";
    const time = new Date(this.#hungWallMs).toISOString().slice(11, 19);
    return `${[...this.#hung].join(" and ")} hung at ${time} UTC, on trial until such a call ends`;
  }

  /** The plugin as the host calls it. */
  toNetworkPlugin(): NetworkPlugin {
    const { client } = this.#deps;
    const plugin: NetworkPlugin = {
      info: this.info,
      attach: (request) => this.#call("Attach", () => client.attach(request)),
      detach: (request) => this.#call("Detach", () => client.detach(request)),
      check: (request) => this.#call("Check", () => client.check(request)),
      list: (request) => this.#call("List", () => client.list(request)),
      status: (request) => this.#call("Status", () => client.status(request)),
    };
    if (!can(plugin, "CAPABILITY_REPAIR_NETWORK")) return plugin;
    return {
      ...plugin,
      repairNetwork: (request) => this.#call("RepairNetwork", () => client.repairNetwork(request)),
    };
  }

  /** Later calls are refused; those under way may end. */
  close(why: string): void {
    this.#isClosed = true;
    this.#trouble = why;
    this.#cancelLook();
    this.#deps.client.close();
  }

  /** Calls under way end now: nobody is there any more to hear of them. */
  abort(): void {
    this.#isClosed = true;
    this.#trouble = "the host stops";
    this.#cancelLook();
    this.#deps.client.abort();
  }

  async #call<T>(name: CallName, call: () => Promise<T>): Promise<T> {
    const { trouble } = this;
    if (trouble !== "") {
      throw new PatchbayError("PLUGIN_UNAVAILABLE", `Plugin ${this.info.name}: ${trouble}`);
    }
    const isTrial = this.#hung.has(name);
    if (isTrial) this.#isTried = true;
    try {
      const answer = await call();
      this.#answered(name);
      return answer;
    } catch (error) {
      this.#failed(name, error);
      throw error;
    } finally {
      if (isTrial) this.#isTried = false;
    }
  }

  /** Only an answer of what hung says that it hangs no more. */
  #answered(name: CallName): void {
    this.#late.delete(name);
    const hung = this.#hung.delete(name);
    if (this.#hung.size > 0) return;
    this.#looksDown = 0;
    if (hung && this.#trouble === "" && !this.#isClosed) this.#deps.onTrouble("");
  }

  #failed(name: CallName, error: unknown): void {
    if (!(error instanceof PluginCallError)) return;
    if (error.status === "DEADLINE_EXCEEDED") this.#passedDeadline(name);
    // It may say so itself, of what it needs; or nobody listens any more.
    else if (error.status === "UNAVAILABLE") this.#look();
    else this.#answered(name);
  }

  #passedDeadline(name: CallName): void {
    const count = (this.#late.get(name) ?? 0) + 1;
    this.#late.set(name, count);
    if (this.#trouble !== "" || count < LIMITS.pluginDeadlinesMax) return;
    const isNew = this.#hung.size === 0;
    this.#hung.add(name);
    this.#hungWallMs = this.#deps.clock.wallMs();
    this.#down(`it hangs: ${count} calls of ${name} in a row passed their deadlines`, isNew);
  }

  #down(reason: string, isNew = this.#trouble === "" && this.#hung.size === 0): void {
    if (this.#isClosed) return;
    this.#trouble = toPlainText(reason);
    if (isNew) this.#deps.onTrouble(this.#trouble);
    this.#lookLater();
  }

  #lookLater(): void {
    const { clock } = this.#deps;
    this.#cancelLook();
    const backoffMs = LIMITS.pluginRetryMinMs * 2 ** Math.min(this.#looksDown, 20);
    const pauseMs =
      this.#trouble === "" ? LIMITS.pluginHealthMs : Math.min(backoffMs, LIMITS.pluginRetryMaxMs);
    this.#cancelLook = clock.after(pauseMs, () => this.#look());
  }

  /** One look at a time. */
  #look(): void {
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    this.#cancelLook();
    const isDown = this.#trouble !== "";
    if (isDown) this.#looksDown++;
    this.#findTrouble(isDown)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .then((trouble) => {
        this.#isLooking = false;
        if (this.#isClosed) return;
        if (trouble !== "") this.#down(trouble);
        else this.#well(isDown);
      })
      .catch(() => {});
  }

  /** What is wrong with it; "" for nothing. One that comes back may be another one. */
  async #findTrouble(isDown: boolean): Promise<string> {
    const { client } = this.#deps;
    if ((await client.health()) === "not-serving") return "it says that it is not serving";
    if (!isDown) return "";
    const info = checkPluginInfo(await client.getInfo());
    if (JSON.stringify(info) === JSON.stringify(this.info)) return "";
    this.#deps.onOther();
    return "another one answers in its place";
  }

  /** A look that began while it was well says nothing of calls that hung meanwhile. */
  #well(wasDown: boolean): void {
    if (this.#trouble !== "" && wasDown) {
      this.#trouble = "";
      if (this.#hung.size === 0) this.#deps.onTrouble("");
    }
    this.#lookLater();
  }
}
