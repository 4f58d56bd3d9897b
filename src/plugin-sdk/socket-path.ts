import { join, resolve } from "node:path";

/** Where a plugin listens, and whether the folder is the host's plugin folder. */
export interface SocketPlace {
  readonly path: string;
  readonly isDefault: boolean;
}

/**
 * The first of: `socket`, `--socket PATH` of the arguments, PATCHBAY_PLUGIN_SOCKET, and
 * run/patchbay/plugins/NAME.sock below PATCHBAY_ROOT or "/". Throws Error for --socket without a path.
 */
export function chooseSocketPath(
  name: string,
  from: {
    readonly socket?: string | undefined;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): SocketPlace {
  const { socket, args, env } = from;
  const chosen = socket ?? findArgument(args) ?? (env["PATCHBAY_PLUGIN_SOCKET"] || undefined);
  if (chosen !== undefined) return { path: resolve(chosen), isDefault: false };
  const root = resolve(env["PATCHBAY_ROOT"] || "/");
  return { path: join(root, "run/patchbay/plugins", `${name}.sock`), isDefault: true };
}

function findArgument(args: readonly string[]): string | undefined {
  for (const [index, argument] of args.entries()) {
    if (argument === "--") return undefined;
    if (argument !== "--socket" && !argument.startsWith("--socket=")) continue;
    const value = argument === "--socket" ? args[index + 1] : argument.slice("--socket=".length);
    if (value === undefined || value === "" || value.startsWith("--")) {
      throw new Error("--socket needs the path of a socket");
    }
    return value;
  }
  return undefined;
}
