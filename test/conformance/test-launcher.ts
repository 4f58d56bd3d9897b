import { rmSync, symlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Server, ServerCredentials, type ServiceDefinition, status } from "@grpc/grpc-js";
import type {
  PluginLauncher,
  PluginProcess,
  ProcessExit,
} from "../../src/conformance/plugin-process.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { healthProto, networkPluginProto } from "../../src/rpc/network-plugin-proto.ts";
import { pluginProto } from "../../src/rpc/plugin-proto.ts";
import { Disk, type Life, type TestPlugin, type WireFacts } from "./test-plugin.ts";

/**
 * Runs a plugin in this process as if it had one of its own: kill -9 hangs up on every caller, and
 * nothing that it was doing goes on.
 */
export function launchTestPlugin(options: {
  readonly socket: string;
  readonly kernel: Kernel;
  readonly create: (life: Life) => TestPlugin;
}): PluginLauncher {
  const { socket, kernel, create } = options;
  const disk = new Disk();
  let number = 0;
  return {
    start(): PluginProcess {
      const death = new AbortController();
      const server = new Server();
      const { promise: exited, resolve: exit } = Promise.withResolvers<ProcessExit>();
      const end = (how: ProcessExit) => {
        death.abort();
        server.forceShutdown();
        exit(how);
      };
      const life: Life = {
        number: ++number,
        kernel: mortal(kernel, death.signal),
        disk,
        memory: new Set(),
        crash: () => end({ code: 1, signal: null }),
        delay: (milliseconds) => unlessDead(delay(milliseconds), death.signal),
      };
      const plugin = create(life);
      // A path of its own for each life: the late end of one must not take the socket of the next.
      const path = `${socket}.${life.number}`;
      const started = plugin.onStart().then(() => serve(server, path, plugin));
      void started.then(() => {
        rmSync(socket, { force: true });
        symlinkSync(path, socket);
      });
      return {
        exited,
        kill(signal) {
          if (signal === "SIGKILL") end({ code: null, signal });
          else {
            void plugin.onStop().then((how) => {
              rmSync(socket, { force: true });
              end(how);
            });
          }
        },
        lastWords: () => "",
      };
    },
  };
}

async function serve(server: Server, path: string, plugin: TestPlugin): Promise<void> {
  const facts = new WeakMap<object, WireFacts>();
  server.addService(
    pluginProto.Plugin.service,
    handlersOf({
      GetInfo: (request) => plugin.getInfo(request as never),
    }),
  );
  server.addService(
    noticing(networkPluginProto.NetworkPlugin.service, facts),
    handlersOf({
      Attach: (request) =>
        plugin.attach(request as never, facts.get(request) ?? { hasUnknownFields: false }),
      Detach: (request) => plugin.detach(request as never).then(() => ({})),
      Check: async (request) => ({ findings: await plugin.check(request as never) }),
      List: async (request) => ({ attachments: await plugin.list(request as never) }),
      Status: (request) => plugin.status(request as never),
      RepairNetwork: async (request) => ({
        findings: await plugin.repairNetwork(request as never),
      }),
    }),
  );
  server.addService(
    healthProto.Health.service,
    handlersOf({
      Check: async () => ({ status: plugin.health() }),
    }),
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

type Done = (error: object | null, answer?: unknown) => void;

function handlersOf(handlers: Record<string, (request: object) => Promise<unknown>>): never {
  const wire = Object.entries(handlers).map(([name, handler]) => [
    name,
    ({ request }: { request: object }, done: Done) => {
      handler(request).then(
        (answer) => done(null, answer),
        (error: unknown) => done({ code: codeOf(error), details: (error as Error).message }),
      );
    },
  ]);
  return Object.fromEntries(wire) as never;
}

function codeOf(error: unknown): status {
  if (!(error instanceof PluginError)) return status.UNKNOWN;
  if (error.kind === "invalid-config") return status.INVALID_ARGUMENT;
  return error.kind === "interface-exists" ? status.ALREADY_EXISTS : status.UNAVAILABLE;
}

/** The same service; requests that end with a field that nobody knows are noticed. */
function noticing(
  service: ServiceDefinition,
  facts: WeakMap<object, WireFacts>,
): ServiceDefinition {
  const { Attach } = service;
  if (!Attach) return service;
  const requestDeserialize = (bytes: Buffer) => {
    const request = Attach.requestDeserialize(bytes) as object;
    facts.set(request, { hasUnknownFields: bytes.subarray(-3).toString() === "new" });
    return request;
  };
  return { ...service, Attach: { ...Attach, requestDeserialize } };
}

/** A kernel for a process: what that does after its death never happens, and answers go nowhere. */
function mortal(kernel: Kernel, death: AbortSignal): Kernel {
  return new Proxy(kernel, {
    get(target, name) {
      const method = Reflect.get(target, name, target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        death.aborted ? never : unlessDead(method.apply(target, args) as Promise<unknown>, death);
    },
  });
}

const never = new Promise<never>(() => {});

async function unlessDead<T>(work: Promise<T>, death: AbortSignal): Promise<T> {
  try {
    return await work;
  } finally {
    if (death.aborted) await never;
  }
}
