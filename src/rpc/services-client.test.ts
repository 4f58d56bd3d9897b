import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { ApplyServicesRequest__Output } from "./generated/patchbay/host/v1/ApplyServicesRequest.ts";
import type { HostHandlers } from "./generated/patchbay/host/v1/Host.ts";
import { HostCallError } from "./host-call.ts";
import { hostProto } from "./services.ts";
import { connectHostWithServices } from "./services-client.ts";
import { grpcError } from "./status.ts";
import { serveUnix } from "./unix-server.ts";

async function connect(t: TestContext, handlers: Partial<HostHandlers>) {
  const folder = mkdtempSync(join(tmpdir(), "pb-rpc-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "host.sock");
  const definition = hostProto.Host.service;
  const server = await serveUnix(path, [{ definition, handlers: handlers as HostHandlers }]);
  const client = connectHostWithServices(path, { timeoutMs: 10_000 });
  t.after(async () => {
    client.close();
    await server.stop(0);
  });
  return client;
}

describe("connectHostWithServices()", () => {
  it("calls the host as promises, GetStatus too", async (t) => {
    const client = await connect(t, {
      GetStatus: (_call, done) => done(null, { version: "1.2.3" }),
      ListServices: (call, done) =>
        done(null, { services: [{ service: call.request.service }], revision: 7 }),
      WaitProgrammed: (call, done) => done(null, { revision: call.request.revision }),
      Explain: (call, done) => done(null, { verdict: "drop", service: call.request.from }),
    });
    assert.equal((await client.getStatus()).version, "1.2.3");
    const { services, revision, problems } = await client.listServices({ service: "a/b" });
    assert.deepEqual([services[0]?.service, revision, problems], ["a/b", 7, []]);
    assert.deepEqual(await client.waitProgrammed({ revision: 9 }), { revision: 9, leftOut: [] });
    const { verdict, service, unused } = await client.explain({ from: "node" });
    assert.deepEqual([verdict, service, unused], ["drop", "node", []]);
  });

  it("sends one message of ApplyServices and ends the stream when it is answered", async (t) => {
    const ended = Promise.withResolvers<void>();
    const requests: ApplyServicesRequest__Output[] = [];
    const client = await connect(t, {
      ApplyServices(stream) {
        stream.on("data", (request: ApplyServicesRequest__Output) => {
          requests.push(request);
          stream.write({ revision: 12, error: "" });
        });
        stream.on("end", () => {
          stream.end();
          ended.resolve();
        });
      },
    });
    const answer = await client.applyServices({ source: "s", removeGroups: ["g"] });
    assert.deepEqual(answer, { revision: 12, error: "" });
    await ended.promise;
    assert.deepEqual(
      requests.map(({ source, removeGroups }) => ({ source, removeGroups })),
      [{ source: "s", removeGroups: ["g"] }],
    );
  });

  it("rejects with the host's words, as every other call", async (t) => {
    const refusal = grpcError("INVALID_ARGUMENT", "source is empty");
    const client = await connect(t, {
      ApplyServices: (stream) => stream.emit("error", refusal),
      Explain: (_call, done) => done(refusal),
      WatchServices: (stream) => stream.emit("error", refusal),
    });
    const expected = { name: "HostCallError", message: "source is empty", unreachable: false };
    await assert.rejects(client.applyServices({}), expected);
    await assert.rejects(client.explain({}), expected);
    await assert.rejects(Array.fromAsync(client.watchServices({})), expected);
  });

  it("takes what the host says for an answer, whatever its code", async (t) => {
    for (const code of ["UNAVAILABLE", "DEADLINE_EXCEEDED"] as const) {
      const message = "Attach of net1 of a/b failed: no link eth9 [ATTACH_FAILED]";
      const refusal = grpcError(code, message);
      const client = await connect(t, { AttachNetwork: (_call, done) => done(refusal) });
      await assert.rejects(client.attachNetwork({}), { message, unreachable: false });
    }
  });

  it("rejects when the host hangs up without an answer", async (t) => {
    const client = await connect(t, { ApplyServices: (stream) => void stream.end() });
    await assert.rejects(client.applyServices({}), HostCallError);
  });

  it("hangs up when the reader of a watch stops", async (t) => {
    const cancelled = Promise.withResolvers<void>();
    const client = await connect(t, {
      WatchServices(stream) {
        stream.write({ change: "present", service: { service: "a/b" } });
        stream.on("cancelled", () => cancelled.resolve());
      },
    });
    for await (const { change, service } of client.watchServices({})) {
      assert.deepEqual([change, service?.service], ["present", "a/b"]);
      break;
    }
    await cancelled.promise;
  });

  it("rejects a watch as unreachable when the host stops", async (t) => {
    const client = await connect(t, {
      WatchServices: (stream) => stream.emit("error", grpcError("CANCELLED", "Call cancelled")),
    });
    await assert.rejects(Array.fromAsync(client.watchServices({})), { unreachable: true });
  });

  it("rejects as unreachable where no host is", async () => {
    const client = connectHostWithServices("/nowhere/host.sock", { timeoutMs: 10_000 });
    await assert.rejects(client.listServices({}), { name: "HostCallError", unreachable: true });
    await assert.rejects(client.applyServices({}), { name: "HostCallError", unreachable: true });
    client.close();
  });
});
