import { join } from "node:path";
import type { Kernel } from "../../src/kernel/kernel.ts";

/** A network plugin, and how the kit is used with it. */
export interface TestedPlugin {
  readonly name: string;
  /** Program and arguments that serve it on a socket. */
  readonly command: (socket: string) => readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly invalidConfig?: Readonly<Record<string, unknown>>;
  /** Absent: both families. "none": it has an IPAM of its own. */
  readonly addresses?: string;
  /** How many attachments its network can have at once. Absent: 20. */
  readonly attachments?: number;
  /** Makes what must be on the node, for example a parent link; called before each rule. */
  readonly prepare?: (kernel: Kernel) => Promise<void>;
  /** Why it cannot be tested here; undefined: it can. */
  readonly skip?: () => string | undefined;
  /** Rules that may be skipped, and why. Any other skip is a failure of the test. */
  readonly skips: Readonly<Record<string, RegExp>>;
}

const NO_CONFIG = { "config-status": /--invalid-config/, "config-field": /--invalid-config/ };
const NO_SCHEMA = { "info-schema": /no schema/ };

/** Every plugin that the project has. */
export const TESTED_PLUGINS: readonly TestedPlugin[] = [
  {
    name: "routed",
    command: builtIn("routed"),
    config: {},
    // It has no keys of its own: nothing can be wrong.
    skips: { ...NO_CONFIG, ...NO_SCHEMA },
  },
  {
    name: "bridge",
    command: builtIn("bridge"),
    config: { bridge: "cni7", hairpinMode: true },
    invalidConfig: { bridge: "a/b", hairpinMode: true },
    skips: {},
  },
];

export function findTestedPlugin(name: string): TestedPlugin {
  const found = TESTED_PLUGINS.find((tested) => tested.name === name);
  if (!found) throw new Error(`plugins.ts has no plugin ${name}`);
  return found;
}

function builtIn(name: string): TestedPlugin["command"] {
  const script = join(import.meta.dirname, "serve-built-in.ts");
  return (socket) => [process.execPath, script, name, "--socket", socket];
}
