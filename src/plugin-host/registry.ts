import type { NetworkPlugin, PluginInfo } from "../plugin-sdk/network-plugin.ts";
import type { Clock, EventSink, PluginDirectory } from "./core/ports.ts";
import { invariant } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { CallGate } from "./plugins/call-gate.ts";
import { ConnectedPlugin } from "./plugins/connected-plugin.ts";
import { guardPlugin } from "./plugins/guard.ts";
import type { FoundPlugin, Membership, PluginRole } from "./plugins/plugin-role.ts";

export interface PluginRegistryDeps {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly builtIn: readonly NetworkPlugin[];
  /** What every network plugin gets around it, after its answers were checked. Absent: nothing. */
  readonly decorate?: (plugin: NetworkPlugin) => NetworkPlugin;
}

/** A plugin as the registry knows it. */
export interface RegisteredPlugin {
  /** As the core calls it. */
  readonly plugin: NetworkPlugin;
  /** As it says itself: the host may add to what it can do. */
  readonly info: PluginInfo;
  /** "": it runs in the host. */
  readonly socketPath: string;
  /** Why it cannot be called now; "": it can. */
  readonly trouble: string;
  /** What to know of it where it can be called; "": nothing. */
  readonly note: string;
}

/** A call that takes longer is told of, ms: Attach has 30 s, and pods wait for it. */
const OLD_CALL_MS = 5_000;

/** The network plugins of this host by name, built in and connected: each behind the same guard. */
export class PluginRegistry implements PluginDirectory, PluginRole {
  readonly role = "ROLE_NETWORK";
  readonly #deps: PluginRegistryDeps;
  readonly #plugins = new Map<string, RegisteredPlugin>();
  readonly #connected = new Set<ConnectedPlugin>();

  constructor(deps: PluginRegistryDeps) {
    this.#deps = deps;
    for (const plugin of deps.builtIn) {
      const { name } = plugin.info;
      invariant(!this.#plugins.has(name), `two plugins named ${name}`);
      const gate = this.#gateFor(name);
      this.#plugins.set(name, {
        plugin: this.#admit(plugin, gate),
        info: plugin.info,
        socketPath: "",
        get trouble() {
          return gate.trouble;
        },
        get note() {
          return noteOf("", gate);
        },
      });
    }
  }

  find(name: string): NetworkPlugin | undefined {
    return this.#plugins.get(name)?.plugin;
  }

  names(): readonly string[] {
    return [...this.#plugins.keys()];
  }

  troubleOf(name: string): string {
    return this.#plugins.get(name)?.trouble ?? "";
  }

  list(): readonly RegisteredPlugin[] {
    return [...this.#plugins.values()];
  }

  accept(found: FoundPlugin): Membership | string {
    const { info, socketPath } = found;
    const { name } = info;
    const known = this.#plugins.get(name);
    if (known) {
      return `its name ${name} is taken by ${known.socketPath === "" ? "a built-in plugin" : known.socketPath}`;
    }
    const connected = new ConnectedPlugin({
      info,
      client: found.takeClient(),
      clock: this.#deps.clock,
      onTrouble: (trouble) => this.#tell(name, trouble),
      onOther: () => found.reconsider(),
    });
    const gate = this.#gateFor(name);
    const entry: RegisteredPlugin = {
      plugin: this.#admit(connected.toNetworkPlugin(), gate),
      info,
      socketPath,
      get trouble() {
        return connected.trouble || gate.trouble;
      },
      get note() {
        return noteOf(connected.note, gate);
      },
    };
    this.#plugins.set(name, entry);
    this.#connected.add(connected);
    const message = `Plugin ${name} ${info.version} serves networks (${info.contract})`;
    this.#deps.events.emit({ kind: "plugin-joined", subject: name, message });
    return {
      leave: (why) => {
        connected.close(why);
        this.#connected.delete(connected);
        this.#plugins.delete(name);
        const left = `Plugin ${name} serves networks no more: ${why}`;
        this.#deps.events.emit({ kind: "plugin-left", subject: name, message: left });
      },
    };
  }

  /** The host has waited long enough: calls of connected plugins end now. */
  abort(): void {
    for (const connected of this.#connected) connected.abort();
  }

  #admit(plugin: NetworkPlugin, gate: CallGate): NetworkPlugin {
    const guarded = guardPlugin(plugin, gate);
    return this.#deps.decorate?.(guarded) ?? guarded;
  }

  #gateFor(name: string): CallGate {
    return new CallGate(name, { clock: this.#deps.clock, limits: LIMITS });
  }

  #tell(name: string, trouble: string): void {
    const { events } = this.#deps;
    if (trouble === "") {
      const message = `Plugin ${name} can be called again`;
      events.emit({ kind: "plugin-recovered", subject: name, message });
    } else {
      const message = `Plugin ${name}: ${trouble}`;
      events.emit({ kind: "plugin-failed", subject: name, message });
    }
  }
}

function noteOf(note: string, { oldestMs }: CallGate): string {
  const age = `its oldest call runs for ${Math.floor(oldestMs / 1_000)} s`;
  return [note, oldestMs >= OLD_CALL_MS ? age : ""].filter((text) => text !== "").join("; ");
}
