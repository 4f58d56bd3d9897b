import type { NetworkPlugin } from "../plugin-sdk/network-plugin.ts";
import type { PluginDirectory } from "./core/ports.ts";
import { invariant } from "./errors.ts";

/** The plugins of this host by name. */
export class PluginRegistry implements PluginDirectory {
  readonly #plugins = new Map<string, NetworkPlugin>();

  constructor(plugins: readonly NetworkPlugin[]) {
    for (const plugin of plugins) {
      invariant(!this.#plugins.has(plugin.info.name), `two plugins named ${plugin.info.name}`);
      this.#plugins.set(plugin.info.name, plugin);
    }
  }

  find(name: string): NetworkPlugin | undefined {
    return this.#plugins.get(name);
  }

  names(): readonly string[] {
    return [...this.#plugins.keys()];
  }
}
