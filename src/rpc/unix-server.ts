import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** Longest path that fits sun_path of sockaddr_un(7), without the closing zero. */
const SUN_PATH_BYTES_MAX = 107;

/** A gRPC server on one unix socket. */
export interface UnixServer {
  /** Takes the socket out of its folder, so that nobody new finds it. Calls are served on. */
  hide(): void;
  /** Stops accepting, waits for running calls (at most graceMs), then ends what is left. */
  stop(graceMs: number): Promise<void>;
}

/** What is served: the definition from services.ts and its handlers. */
export interface ServedService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

export interface ServeUnixOptions {
  /**
   * "ready": the socket is made under another name, ".NAME-" and 8 digits, and renamed when calls are
   * answered, for those who watch the folder. Default "bound".
   */
  readonly appears?: "bound" | "ready";
  /** "shared": the folder's mode is left as it is where the folder exists. Default "own": 0700. */
  readonly folder?: "own" | "shared";
}

/**
 * Serves on a unix socket: folder 0700, socket 0600, so that only the owner (root) reaches it. A stale
 * socket is replaced; a living one means that another process serves it: Error with code "EADDRINUSE".
 */
export async function serveUnix(
  path: string,
  services: readonly ServedService[],
  options: ServeUnixOptions = {},
): Promise<UnixServer> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (options.folder !== "shared") chmodSync(folder, 0o700);
  if (await isServed(path)) {
    throw Object.assign(new Error(`Another process serves ${path}`), { code: "EADDRINUSE" });
  }
  let bound = path;
  if (options.appears === "ready") {
    await removeAbandoned(path);
    bound = join(folder, `${temporaryPrefix(path)}${randomBytes(4).toString("hex")}`);
  } else {
    rmSync(path, { force: true });
  }

  const server = new Server({
    "grpc.max_receive_message_length": 4 << 20,
    // Its records of every connection cost each call 20 us, and nothing reads them.
    "grpc.enable_channelz": 0,
  });
  for (const service of services) server.addService(service.definition, service.handlers);
  const short = shortenSocketPath(bound);
  const address = `unix:${short.path}`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  chmodSync(bound, 0o600);
  if (bound !== path) renameSync(bound, path);
  const own = lstatSync(path);
  let isHidden = false;
  const hide = () => {
    // Once: the number of an inode that is gone may be another's.
    if (isHidden) return;
    isHidden = true;
    // Another process may have put its own there meanwhile.
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.ino === own.ino && found.dev === own.dev) rmSync(path, { force: true });
  };
  return {
    hide,
    async stop(graceMs) {
      await shutdown(server, address, graceMs);
      hide();
      short.close();
    },
  };
}

/** Never ends in ".sock": whoever watches the folder knows sockets by that. */
function temporaryPrefix(path: string): string {
  return `.${basename(path)}-`;
}

/** Sockets of processes that were killed before they could rename them. */
async function removeAbandoned(path: string): Promise<void> {
  for (const name of readdirSync(dirname(path))) {
    const file = join(dirname(path), name);
    const isTemporary = name.startsWith(temporaryPrefix(path)) && /-[0-9a-f]{8}$/.test(name);
    if (isTemporary && !(await isServed(file))) rmSync(file, { force: true });
  }
}

/**
 * A path that fits sun_path: the same, or one through /proc/self/fd for a folder too deep. Valid
 * until close() is called.
 */
export function shortenSocketPath(path: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(path) <= SUN_PATH_BYTES_MAX) return { path, close: () => {} };
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: join(`/proc/self/fd/${folder}`, basename(path)),
    close: () => closeSync(folder),
  };
}

function shutdown(server: Server, address: string, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // Not forceShutdown(): without channelz it knows of no connection. And drain() first: it takes
    // a connection that tryShutdown() has asked to close for one that is closed (grpc-js 1.14).
    server.drain(address, graceMs);
    server.tryShutdown(() => resolve());
  });
}

/** True when something listens on the socket. gRPC alone would wait a second before it dials again. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    let short: ReturnType<typeof shortenSocketPath>;
    try {
      short = shortenSocketPath(path);
    } catch {
      resolve(false);
      return;
    }
    const socket = connect(short.path);
    const settle = (alive: boolean) => {
      socket.destroy();
      short.close();
      resolve(alive);
    };
    socket.once("connect", () => settle(true));
    // A full backlog (EAGAIN) is one of a living server.
    socket.once("error", ({ code }: NodeJS.ErrnoException) => settle(code === "EAGAIN"));
  });
}
