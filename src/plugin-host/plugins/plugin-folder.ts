import { chmodSync, type FSWatcher, lstatSync, mkdirSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { GetInfoResponse__Output } from "../../rpc/generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { PluginConnection } from "../../rpc/service-plugin-client.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { PluginPlane } from "./plugin-plane.ts";
import type { ServicesCore } from "./services-core.ts";

export interface PluginFolderDeps {
  readonly core: ServicesCore;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly folder: string;
  readonly hostVersion: string;
  readonly connect: (socketPath: string) => Promise<PluginConnection>;
}

/** Same as a CNI network name: contracts, plugin.proto. */
const PLUGIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const CONTRACT = "patchbay.plugin.v1";

interface Socket {
  readonly path: string;
  /** Tells a socket from the next one of that name. */
  readonly identity: string;
  readonly plane?: PluginPlane;
  cancelRetry: () => void;
}

/**
 * Watches the plugin folder: what listens there and plays ROLE_SERVICES becomes a data plane for as
 * long as its socket is there. All others are left alone.
 */
export class PluginFolder {
  readonly #deps: PluginFolderDeps;
  readonly #sockets = new Map<string, Socket>();
  /** Sockets that are there and are left alone, which was told. */
  #strays: ReadonlyMap<string, string> = new Map();
  #watcher: FSWatcher | undefined;
  #cancelLook: () => void = () => {};
  #isClosed = false;

  constructor(deps: PluginFolderDeps) {
    this.#deps = deps;
  }

  /** Makes the folder where it is not there: only its owner reaches what listens in it. */
  start(): void {
    const { folder } = this.#deps;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#look());
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // Out of watches: the clock does, later.
    }
    this.#look();
    this.#lookLater();
  }

  /** Hangs up on all plugins. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#cancelLook();
    for (const name of [...this.#sockets.keys()]) this.#forget(name, "the host stops");
  }

  #lookLater(): void {
    this.#cancelLook = this.#deps.clock.after(LIMITS.pluginFolderMs, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    if (this.#isClosed) return;
    const { found, strays } = findSockets(this.#deps.folder);
    for (const [name, reason] of strays) {
      if (this.#strays.get(name) !== reason) this.#emitFailed(name, reason);
    }
    this.#strays = strays;
    for (const [name, socket] of this.#sockets) {
      if (found.get(name) !== socket.identity) this.#forget(name, "its socket is gone");
    }
    for (const [name, identity] of found) {
      if (!this.#sockets.has(name)) this.#probe(name, identity);
    }
  }

  /** Asks who is there; again and again, for a plugin may make its socket before it answers. */
  #probe(name: string, identity: string, failures = 0): void {
    const path = join(this.#deps.folder, name);
    const socket: Socket = { path, identity, cancelRetry: () => {} };
    this.#sockets.set(name, socket);
    this.#ask(path).then(
      (info) => {
        if (this.#sockets.get(name) === socket) this.#welcome(name, socket, info);
      },
      (error: unknown) => {
        if (this.#sockets.get(name) !== socket) return;
        if (failures === 0) this.#emitFailed(name, `nobody answers: ${formatErrorChain(error)}`);
        const pauseMs = LIMITS.planeRetryMinMs * 2 ** Math.min(failures, 20);
        socket.cancelRetry = this.#deps.clock.after(Math.min(pauseMs, LIMITS.planeRetryMaxMs), () =>
          this.#probe(name, identity, failures + 1),
        );
      },
    );
  }

  async #ask(path: string): Promise<GetInfoResponse__Output> {
    const connection = await this.#deps.connect(path);
    try {
      return await connection.getInfo(this.#deps.hostVersion);
    } finally {
      connection.close();
    }
  }

  #welcome(name: string, socket: Socket, info: GetInfoResponse__Output): void {
    const { core, clock, events, hostVersion, connect } = this.#deps;
    if (!info.roles.includes("ROLE_SERVICES")) return;
    const reason = this.#findReasonAgainst(info);
    if (reason !== undefined) {
      this.#emitFailed(name, reason);
      return;
    }
    const plane = new PluginPlane({
      name: info.name,
      clock,
      hostVersion,
      connect: () => connect(socket.path),
    });
    this.#sockets.set(name, { ...socket, plane });
    const version = info.version.slice(0, 63);
    const message = `Plugin ${info.name} ${version} programs Services too`;
    events.emit({ kind: "services-plane-joined", subject: info.name, message });
    core.addPlane(plane, { isRequired: false, version });
  }

  #findReasonAgainst({ name, contractVersions }: GetInfoResponse__Output): string | undefined {
    if (!PLUGIN_NAME.test(name)) {
      return `its name is ${JSON.stringify(name.slice(0, 63))}, expected alphanumerics, '_', '.' or '-'`;
    }
    if (!contractVersions.includes(CONTRACT)) return `it does not speak ${CONTRACT}`;
    const isTaken = this.#deps.core.planes.some((plane) => plane.name === name);
    return isTaken ? `another data plane is named ${name}` : undefined;
  }

  #forget(name: string, why: string): void {
    const { core, events } = this.#deps;
    const socket = this.#sockets.get(name);
    this.#sockets.delete(name);
    socket?.cancelRetry();
    const plane = socket?.plane;
    if (!plane) return;
    core.removePlane(plane);
    void plane.close();
    const message = `Plugin ${plane.name} programs Services no more: ${why}`;
    events.emit({ kind: "services-plane-left", subject: plane.name, message });
  }

  #emitFailed(name: string, reason: string): void {
    const message = `Plugin socket ${name}: ${reason}`;
    this.#deps.events.emit({ kind: "services-plane-failed", subject: name, message });
  }
}

/**
 * Sockets by name, with what tells them from their successors. Only those of the host's own user, and
 * no links: whoever can put one there can be the host anyway. Strays are sockets that are no plugins',
 * with the reason.
 */
function findSockets(folder: string) {
  const found = new Map<string, string>();
  const strays = new Map<string, string>();
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return { found, strays };
  }
  for (const name of names) {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (!stat?.isSocket()) continue;
    const reason = findReasonToIgnore({ name, uid: stat.uid, count: found.size });
    if (reason === undefined) found.set(name, `${stat.ino} ${stat.birthtimeMs}`);
    else if (strays.size < LIMITS.pluginSocketsMax) strays.set(name, reason);
  }
  return { found, strays };
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
