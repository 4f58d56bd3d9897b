import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CriCallError, connectCri, criProto } from "./cri-client.ts";
import type { RuntimeServiceHandlers } from "./generated/runtime/v1/RuntimeService.ts";
import { grpcError } from "./status.ts";
import { serveUnix } from "./unix-server.ts";

async function connect(
  t: TestContext,
  handlers: Partial<RuntimeServiceHandlers>,
  limits: { timeoutMs?: number; answerBytesMax?: number } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "pb-cri-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "cri.sock");
  const definition = criProto.RuntimeService.service;
  const server = await serveUnix(path, [
    { definition, handlers: handlers as RuntimeServiceHandlers },
  ]);
  const client = connectCri(path, { timeoutMs: 10_000, answerBytesMax: 1 << 20, ...limits });
  t.after(async () => {
    client.close();
    await server.stop(0);
  });
  return { client, server };
}

test("listSandboxes() gives the ids of all sandboxes", async (t) => {
  const { client } = await connect(t, {
    ListPodSandbox: (_call, done) => done(null, { items: [{ id: "a" }, { id: "b" }] }),
  });
  assert.deepEqual([...(await client.listSandboxes())], ["a", "b"]);
});

for (const { name, conditions, unready } of [
  {
    name: "a ready runtime whose network is not",
    conditions: [
      { type: "RuntimeReady", status: true },
      { type: "NetworkReady", status: false, message: "cni plugin not initialized" },
    ],
    unready: "",
  },
  {
    name: "one that recovers",
    conditions: [{ type: "RuntimeReady", status: false, message: "recovering" }],
    unready: "recovering",
  },
  { name: "one that says nothing", conditions: [], unready: "RuntimeReady is not true" },
]) {
  test(`findUnready() of ${name}: ${JSON.stringify(unready)}`, async (t) => {
    const { client } = await connect(t, {
      Status: (_call, done) => done(null, { status: { conditions } }),
    });
    assert.equal(await client.findUnready(), unready);
  });
}

test("a call past its deadline is late", async (t) => {
  const { client } = await connect(t, { ListPodSandbox: () => {} }, { timeoutMs: 50 });
  await assert.rejects(client.listSandboxes(), (error) => {
    assert.ok(error instanceof CriCallError);
    assert.equal(error.isLate, true);
    assert.equal(error.message, "ListPodSandbox: it did not answer by its deadline");
    return true;
  });
});

test("an answer that is too long, a refusal, and a runtime that is gone are errors", async (t) => {
  let answers: RuntimeServiceHandlers["ListPodSandbox"] = (_call, done) =>
    done(null, { items: [{ id: "x".repeat(2_000) }] });
  const { client, server } = await connect(
    t,
    { ListPodSandbox: (call, done) => answers(call, done) },
    { answerBytesMax: 1_000 },
  );
  const isFailure = (pattern: RegExp) => (error: unknown) =>
    error instanceof CriCallError && !error.isLate && pattern.test(error.message);
  await assert.rejects(client.listSandboxes(), isFailure(/ListPodSandbox: .*larger than max/));
  answers = (_call, done) => done(grpcError("UNAVAILABLE", "server is not initialized yet"));
  await assert.rejects(client.listSandboxes(), isFailure(/server is not initialized yet/));
  await server.stop(0);
  await assert.rejects(client.listSandboxes(), isFailure(/ListPodSandbox: /));
});
