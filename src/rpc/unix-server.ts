import { chmodSync, closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs";
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
  /** Stops accepting, waits for running calls (at most graceMs), then ends what is left. */
  stop(graceMs: number): Promise<void>;
}

/** What is served: the definition from services.ts and its handlers. */
export interface ServedService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/**
 * Serves on a unix socket: folder 0700, socket 0600, so that only the owner (root) reaches it. A stale
 * socket is replaced; a living one means that another host runs: Error with code "EADDRINUSE".
 */
export async function serveUnix(
  path: string,
  services: readonly ServedService[],
): Promise<UnixServer> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (await isAlive(path)) {
    throw Object.assign(new Error(`Another process serves ${path}`), { code: "EADDRINUSE" });
  }
  rmSync(path, { force: true });

  const server = new Server({
    "grpc.max_receive_message_length": 4 << 20,
    // Its records of every connection cost each call 20 us, and nothing reads them.
    "grpc.enable_channelz": 0,
  });
  for (const service of services) server.addService(service.definition, service.handlers);
  const short = shortenSocketPath(path);
  const address = `unix:${short.path}`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  chmodSync(path, 0o600);
  return {
    async stop(graceMs) {
      await shutdown(server, address, graceMs);
      rmSync(path, { force: true });
      short.close();
    },
  };
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

function isAlive(path: string): Promise<boolean> {
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
