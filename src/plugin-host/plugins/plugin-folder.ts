import { chmodSync, type FSWatcher, mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { NetworkPluginClient } from "../../rpc/network-plugin-client.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type CheckedInfo, checkPluginInfo } from "./plugin-info.ts";
import type { FoundPlugin, Membership, PluginRole } from "./plugin-role.ts";
import { findPluginSockets } from "./plugin-sockets.ts";
import { toPlainText } from "./plain-text.ts";

export interface PluginFolderDeps {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly folder: string;
  /** Dials a socket. Throws Error where the folder is gone. */
  readonly connect: (socketPath: string) => Promise<NetworkPluginClient>;
}

/** What is known of one socket. */
interface Socket {
  readonly path: string;
  /** Tells a socket from the next one of that name. */
  readonly identity: string;
  readonly members: Map<PluginRole, Membership>;
  /** Roles that did not want it, with the reason told. */
  readonly refusals: Map<PluginRole, string>;
  /** What stood here before: it goes on until this one answers, so that an upgrade is no gap. */
  former: Socket | undefined;
  cancelRetry: () => void;
}

/**
 * Watches the plugin folder, for all roles: what listens there and answers GetInfo becomes a plugin of
 * each of its roles, for as long as its socket is there.
 */
export class PluginFolder {
  readonly #deps: PluginFolderDeps;
  readonly #roles: PluginRole[] = [];
  readonly #sockets = new Map<string, Socket>();
  /** Sockets that are there and are left alone, which was told. */
  #strays: ReadonlyMap<string, string> = new Map();
  /** First answers that are still to come, by socket. */
  readonly #awaited = new Map<string, Socket>();
  #onAnswered: () => void = () => {};
  #watcher: FSWatcher | undefined;
  #cancelLook: () => void = () => {};
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** A change was seen, and the look at it is to come. */
  #isLookDue = false;
  #cancelSoon: () => void = () => {};
  #isClosed = false;

  constructor(deps: PluginFolderDeps) {
    this.#deps = deps;
  }

  /** Before start(). */
  addRole(role: PluginRole): void {
    this.#roles.push(role);
  }

  /** Makes the folder where it is not there: only its owner reaches what listens in it. */
  start(): void {
    const { folder } = this.#deps;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // Out of watches: the clock does, later.
    }
    this.#look();
    for (const [name, socket] of this.#sockets) this.#awaited.set(name, socket);
    this.#lookLater();
  }

  /** Resolves when every socket that start() found has answered or failed to, at the latest after limitMs. */
  async firstAnswers(limitMs: number): Promise<void> {
    if (this.#awaited.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#deps.clock.after(limitMs, resolve);
      this.#onAnswered = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Hangs up on all plugins. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#cancelLook();
    this.#cancelSoon();
    for (const name of [...this.#sockets.keys()]) this.#forget(name, "the host stops");
  }

  #lookLater(): void {
    this.#cancelLook = this.#deps.clock.after(LIMITS.pluginFolderMs, () => {
      this.#look();
      this.#lookLater();
    });
  }

  /** At once, and after that all changes of a while in one look: a thousand files come one by one. */
  #lookSoon(): void {
    if (this.#isLookDue || this.#isClosed) return;
    const { clock } = this.#deps;
    const pauseMs = this.#lookedMs + LIMITS.pluginFolderPauseMs - clock.monotonicMs();
    if (pauseMs <= 0) {
      this.#look();
      return;
    }
    this.#isLookDue = true;
    this.#cancelSoon = clock.after(pauseMs, () => {
      this.#isLookDue = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#lookedMs = this.#deps.clock.monotonicMs();
    const { found, strays } = findPluginSockets(this.#deps.folder);
    for (const [name, reason] of strays) {
      if (this.#strays.get(name) !== reason) this.#emitFailed(name, reason);
    }
    this.#strays = strays;
    for (const name of [...this.#sockets.keys()]) {
      if (!found.has(name)) this.#forget(name, "its socket is gone");
    }
    for (const [name, identity] of found) {
      const known = this.#sockets.get(name);
      if (known?.identity !== identity) this.#open(name, identity, known);
    }
  }

  /** A socket that is new, or new in the place of another. */
  #open(name: string, identity: string, known: Socket | undefined): void {
    known?.cancelRetry();
    const socket: Socket = {
      path: join(this.#deps.folder, name),
      identity,
      members: new Map(),
      refusals: new Map(),
      former: known && known.members.size === 0 ? known.former : known,
      cancelRetry: () => {},
    };
    this.#sockets.set(name, socket);
    this.#probe(name, socket);
  }

  /** Asks who is there; again and again, for a plugin may make its socket before it answers. */
  #probe(name: string, socket: Socket, failures = 0): void {
    const isCurrent = () => this.#sockets.get(name) === socket;
    this.#ask(socket.path).then(
      ({ client, info }) => {
        this.#answered(name);
        if (isCurrent()) this.#welcome(name, socket, { client, info });
        else client.close();
      },
      (error: unknown) => {
        this.#answered(name);
        if (!isCurrent()) return;
        if (failures === 0) {
          this.#emitFailed(name, `nobody answers: ${toPlainText(formatErrorChain(error))}`);
        }
        const pauseMs = LIMITS.pluginRetryMinMs * 2 ** Math.min(failures, 20);
        socket.cancelRetry = this.#deps.clock.after(
          Math.min(pauseMs, LIMITS.pluginRetryMaxMs),
          () => this.#probe(name, socket, failures + 1),
        );
      },
    );
  }

  async #ask(path: string) {
    const client = await this.#deps.connect(path);
    try {
      return { client, info: await client.getInfo() };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  #welcome(
    name: string,
    socket: Socket,
    answer: {
      readonly client: NetworkPluginClient;
      readonly info: Parameters<typeof checkPluginInfo>[0];
    },
  ): void {
    let client: NetworkPluginClient | undefined = answer.client;
    const takeClient = () => {
      client = undefined;
      return answer.client;
    };
    this.#leave(socket.former, "another one listens in its place");
    socket.former = undefined;
    try {
      const info = checkPluginInfo(answer.info);
      const reconsider = () => this.#reconsider(name, socket);
      this.#join(name, socket, { info, socketPath: socket.path, takeClient, reconsider });
    } catch (error) {
      this.#emitFailed(name, formatErrorChain(error));
    }
    client?.close();
  }

  #join(name: string, socket: Socket, found: FoundPlugin): void {
    for (const role of this.#rolesOf(found.info)) {
      if (socket.members.has(role)) continue;
      const outcome = role.accept(found);
      if (typeof outcome !== "string") {
        socket.members.set(role, outcome);
        socket.refusals.delete(role);
      } else if (socket.refusals.get(role) !== outcome) {
        socket.refusals.set(role, outcome);
        this.#emitFailed(name, outcome);
      }
    }
  }

  #rolesOf(info: CheckedInfo): PluginRole[] {
    return this.#roles.filter(({ role }) => info.roles.includes(role));
  }

  /** The same socket, and perhaps another plugin behind it. */
  #reconsider(name: string, socket: Socket): void {
    if (this.#isClosed || this.#sockets.get(name) !== socket) return;
    this.#open(name, socket.identity, socket);
  }

  #forget(name: string, why: string): void {
    const socket = this.#sockets.get(name);
    this.#sockets.delete(name);
    this.#answered(name);
    socket?.cancelRetry();
    this.#leave(socket?.former, why);
    this.#leave(socket, why);
    if (this.#isClosed) return;
    // A name may be free now that others wait for.
    for (const [other, waiting] of this.#sockets) {
      if (waiting.refusals.size > 0) this.#probe(other, waiting);
    }
  }

  #leave(socket: Socket | undefined, why: string): void {
    for (const member of socket?.members.values() ?? []) member.leave(why);
    socket?.members.clear();
  }

  #answered(name: string): void {
    this.#awaited.delete(name);
    if (this.#awaited.size === 0) this.#onAnswered();
  }

  #emitFailed(name: string, reason: string): void {
    const message = `Plugin socket ${name}: ${reason}`;
    this.#deps.events.emit({ kind: "plugin-failed", subject: name, message });
  }
}
