import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../limits.ts";

export interface PluginSockets {
  /** File names, with what tells a socket from its successor of the same name. */
  readonly found: ReadonlyMap<string, string>;
  /** Sockets that are no plugins', with the reason. */
  readonly strays: ReadonlyMap<string, string>;
}

/**
 * Looks into the plugin folder. Only sockets of the host's own user, and no links: whoever can put one
 * there can be the host anyway. A folder that is not there holds none.
 */
export function findPluginSockets(folder: string): PluginSockets {
  const found = new Map<string, string>();
  const strays = new Map<string, string>();
  for (const name of socketNamesIn(folder)) {
    const stat = lookAt(join(folder, name));
    if (!stat?.isSocket()) continue;
    const reason = findReasonToIgnore({ name, uid: stat.uid, count: found.size });
    if (reason === undefined) found.set(name, `${stat.ino} ${stat.birthtimeMs}`);
    else if (strays.size < LIMITS.pluginSocketsMax) strays.set(name, reason);
  }
  return { found, strays };
}

/**
 * Whatever else is there, however much, costs no look of its own. What begins with a dot is a socket that its
 * plugin has not given its name yet.
 */
function socketNamesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .flatMap((entry) => (entry.isSocket() && !entry.name.startsWith(".") ? [entry.name] : []))
      .sort();
  } catch {
    return [];
  }
}

/** Undefined: it went away, or nobody may look at it. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function findReasonToIgnore(socket: {
  readonly name: string;
  readonly uid: number;
  readonly count: number;
}): string | undefined {
  const { name, uid, count } = socket;
  if (!name.endsWith(".sock"))
    return "it is left alone: the name of a plugin's socket ends in .sock";
  if (uid !== process.getuid?.())
    return `it is left alone: it belongs to user ${uid}, not to the host's`;
  if (count < LIMITS.pluginSocketsMax) return undefined;
  return `it is left alone: at most ${LIMITS.pluginSocketsMax} plugins are asked`;
}
