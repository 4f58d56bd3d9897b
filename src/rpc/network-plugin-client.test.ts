import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { PluginError } from "../plugin-sdk/network-plugin.ts";
import type { GetInfoRequest__Output } from "./generated/patchbay/plugin/v1/GetInfoRequest.ts";
import { connectNetworkPlugin, type NetworkPluginClient } from "./network-plugin-client.ts";
import { PluginCallError } from "./plugin-call-error.ts";
import { healthProto, networkPluginProto } from "./network-plugin-proto.ts";
import { pluginProto } from "./plugin-proto.ts";
import { type GrpcStatusName, grpcError } from "./status.ts";
import { type ServedService, serveUnix, type UnixServer } from "./unix-server.ts";

type Handlers = ServedService["handlers"];
type Handler = (
  call: {
    readonly request: object;
    getDeadline(): Date | number;
    on(event: "cancelled", listener: () => void): void;
  },
  done: (error: unknown, answer?: object) => void,
) => void;

const deadlines = {
  greetingMs: 5_000,
  attachMs: 5_000,
  detachMs: 5_000,
  checkMs: 5_000,
  listMs: 5_000,
  statusMs: 5_000,
  repairNetworkMs: 5_000,
};

describe("connectNetworkPlugin()", () => {
  let folder: string;
  let socket: string;
  const servers: UnixServer[] = [];
  const clients: NetworkPluginClient[] = [];

  const serve = async (services: readonly ServedService[]) => {
    const server = await serveUnix(socket, services);
    servers.push(server);
    return server;
  };
  const toHandlers = (handlers: Readonly<Record<string, Handler>>) =>
    handlers as unknown as Handlers;
  const serveNetwork = (handlers: Readonly<Record<string, Handler>>) => {
    const { service: definition } = networkPluginProto.NetworkPlugin;
    return serve([{ definition, handlers: toHandlers(handlers) }]);
  };
  const connect = (changes: Partial<typeof deadlines> = {}, messageBytesMax?: number) => {
    const client = connectNetworkPlugin(socket, {
      hostVersion: "1.2.3",
      deadlines: { ...deadlines, ...changes },
      ...(messageBytesMax !== undefined && { messageBytesMax }),
    });
    clients.push(client);
    return client;
  };
  const failing = (status: GrpcStatusName): Handler => {
    return (_call, done) => done(grpcError(status, "the fabric says no"));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pb-client-"));
    socket = join(folder, "run", "fake.sock");
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(servers.splice(0).map((server) => server.stop(0)));
    rmSync(folder, { recursive: true, force: true });
  });

  it("getInfo() tells the plugin of the host, and fills in what it left out", async () => {
    const asked: GetInfoRequest__Output[] = [];
    const GetInfo: Handler = ({ request }, done) => {
      asked.push(request as GetInfoRequest__Output);
      done(null, { name: "fake" });
    };
    await serve([{ definition: pluginProto.Plugin.service, handlers: toHandlers({ GetInfo }) }]);
    assert.deepEqual(await connect().getInfo(), {
      name: "fake",
      version: "",
      contractVersions: [],
      roles: [],
      capabilities: [],
      configSchemaJson: "",
    });
    const [{ hostVersion, contractVersions } = { hostVersion: "", contractVersions: [""] }] = asked;
    assert.deepEqual(
      { hostVersion, contractVersions },
      {
        hostVersion: "1.2.3",
        contractVersions: ["patchbay.plugin.v1"],
      },
    );
  });

  for (const [status, kind] of [
    ["INVALID_ARGUMENT", "invalid-config"],
    ["ALREADY_EXISTS", "interface-exists"],
    ["UNAVAILABLE", "transient"],
    ["INTERNAL", "transient"],
  ] as const) {
    it(`says ${kind} of ${status}`, async () => {
      const calls = ["Attach", "Detach", "Check", "List", "Status", "RepairNetwork"];
      await serveNetwork(Object.fromEntries(calls.map((name) => [name, failing(status)])));
      const client = connect();
      for (const [name, failure] of [
        ["Attach", client.attach({})],
        ["Detach", client.detach({})],
        ["Check", client.check({})],
        ["List", client.list({})],
        ["Status", client.status({})],
        ["RepairNetwork", client.repairNetwork({})],
      ] as const) {
        await assert.rejects(failure, (error: unknown) => {
          assert.ok(error instanceof PluginCallError && error instanceof PluginError);
          assert.deepEqual(
            [error.kind, error.status, error.message],
            [kind, status, `${name}: the fabric says no`],
          );
          return true;
        });
      }
    });
  }

  it("says transient of a call that the plugin does not have, and of a socket that is not there", async () => {
    const isTransient = (status: string) => (error: unknown) => {
      assert.ok(error instanceof PluginCallError);
      assert.deepEqual([error.kind, error.status], ["transient", status]);
      return true;
    };
    await serve([{ definition: healthProto.Health.service, handlers: {} }]);
    await assert.rejects(connect().attach({}), isTransient("UNIMPLEMENTED"));
    socket = join(folder, "run", "other.sock");
    await assert.rejects(connect().attach({}), isTransient("UNAVAILABLE"));
    await assert.rejects(
      connect().attach({}),
      /Attach: its socket cannot be connected to \(ENOENT\)/,
    );
  });

  it("gives each call a deadline, which the plugin sees", async () => {
    const seen = Promise.withResolvers<number>();
    await serveNetwork({ Attach: (call) => seen.resolve(Number(call.getDeadline())) });
    const before = Date.now();
    const failure = connect({ attachMs: 200 }).attach({});
    await assert.rejects(failure, (error: unknown) => {
      return error instanceof PluginCallError && error.status === "DEADLINE_EXCEEDED";
    });
    assert.ok((await seen.promise) >= before);
    assert.ok((await seen.promise) < before + deadlines.attachMs);
  });

  it("bounds what comes and what goes", async () => {
    await serveNetwork({
      Status: (_call, done) => done(null, { ready: true, reason: "x".repeat(3_000) }),
    });
    const isTooLong = (error: unknown) =>
      error instanceof PluginCallError && error.status === "RESOURCE_EXHAUSTED";
    await assert.rejects(connect({}, 2_000).status({}), isTooLong);
    const client = connect({}, 4_000);
    assert.equal((await client.status({})).ready, true);
    await assert.rejects(client.status({ configJson: "x".repeat(4_001) }), isTooLong);
  });

  for (const [served, answer] of [
    ["SERVING", "serving"],
    ["NOT_SERVING", "not-serving"],
    ["UNKNOWN", "not-serving"],
  ] as const) {
    it(`health() is ${answer} of ${served}`, async () => {
      const handlers = toHandlers({ Check: (_call, done) => done(null, { status: served }) });
      await serve([{ definition: healthProto.Health.service, handlers }]);
      assert.equal(await connect().health(), answer);
    });
  }

  it("health() is serving of a plugin without grpc.health.v1, and fails where nobody answers", async () => {
    const server = await serveNetwork({});
    const client = connect();
    assert.equal(await client.health(), "serving");
    await server.stop(0);
    await assert.rejects(client.health(), PluginCallError);
  });

  it("close() lets a call under way finish, and fails later ones", async () => {
    const arrived = Promise.withResolvers<() => void>();
    await serveNetwork({
      Attach: (_call, done) => arrived.resolve(() => done(null, { deviceInfoJson: "{}" })),
    });
    const client = connect();
    const underWay = client.attach({});
    const finish = await arrived.promise;
    client.close();
    await assert.rejects(client.attach({}), Error);
    finish();
    assert.equal((await underWay).deviceInfoJson, "{}");
  });

  it("abort() cancels a call under way, which the plugin sees", async () => {
    const arrived = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    await serveNetwork({
      Attach: (call) => {
        call.on("cancelled", () => cancelled.resolve());
        arrived.resolve();
      },
    });
    const client = connect();
    const underWay = client.attach({});
    const failed = assert.rejects(underWay, (error: unknown) => {
      return error instanceof PluginCallError && error.status === "CANCELLED";
    });
    await arrived.promise;
    client.abort();
    await failed;
    await cancelled.promise;
  });

  it("comes back by itself when a plugin listens again on the same path", async () => {
    const handlers: Record<string, Handler> = {
      Status: (_call, done) => done(null, { ready: true }),
    };
    const first = await serveNetwork(handlers);
    const client = connect();
    await client.status({});
    await first.stop(0);
    await assert.rejects(client.status({}), PluginCallError);
    await serveNetwork(handlers);
    const isBack = () =>
      client.status({}).then(
        ({ ready }) => ready,
        () => false,
      );
    for (const start = performance.now(); performance.now() - start < 20_000; ) {
      if (await isBack()) return;
      await new Promise(setImmediate);
    }
    assert.fail("It does not come back");
  });
});
