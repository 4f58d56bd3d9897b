import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { HealthCheckResponse__Output } from "./generated/grpc/health/v1/HealthCheckResponse.ts";
import { createHealthService } from "./health-service.ts";
import { healthProto } from "./network-plugin-proto.ts";
import { serveUnix } from "./unix-server.ts";

async function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "pb-health-"));
  const health = createHealthService(["", "a.B"]);
  const path = join(folder, "health.sock");
  const server = await serveUnix(path, [health.service]);
  const client = new healthProto.Health(`unix:${path}`, credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
  });
  t.after(async () => {
    client.close();
    await server.stop(0);
    rmSync(folder, { recursive: true, force: true });
  });
  const check = (service: string) =>
    new Promise<string>((resolve) => {
      const deadline = Date.now() + 10_000;
      client.check({ service }, { deadline }, (error, answer) =>
        resolve(error ? (status[error.code] ?? "") : (answer?.status ?? "")),
      );
    });
  return { health, client, check };
}

describe("createHealthService()", () => {
  test("answers for the names that it was made for", async (t) => {
    const { health, check } = await open(t);
    assert.deepEqual(
      [await check(""), await check("a.B"), await check("c.D")],
      ["SERVING", "SERVING", "NOT_FOUND"],
    );
    health.setServing(false);
    assert.equal(await check("a.B"), "NOT_SERVING");
  });

  test("tells watchers of each change, and hangs up when it is closed", async (t) => {
    const { health, client } = await open(t);
    const watching = client.watch({ service: "" })[Symbol.asyncIterator]();
    const next = async () =>
      ((await watching.next()) as IteratorResult<HealthCheckResponse__Output, undefined>).value
        ?.status;
    assert.equal(await next(), "SERVING");
    health.setServing(false);
    health.setServing(false);
    assert.equal(await next(), "NOT_SERVING");
    health.setServing(true);
    assert.equal(await next(), "SERVING");
    health.close();
    health.setServing(true);
    assert.equal(await next(), "NOT_SERVING");
    assert.equal(await next(), undefined);
  });

  test("refuses the seventeenth watcher, and takes one again when another has gone", async (t) => {
    const { client } = await open(t);
    const watch = () => client.watch({ service: "" });
    const first = async (watcher: ReturnType<typeof watch>): Promise<string> => {
      const outcome = Promise.withResolvers<string>();
      watcher.on("data", ({ status: found }: HealthCheckResponse__Output) =>
        outcome.resolve(found),
      );
      watcher.on("error", ({ code }: ServiceError) => outcome.resolve(status[code] ?? ""));
      return outcome.promise;
    };
    const watchers = Array.from({ length: 16 }, watch);
    for (const watcher of watchers) assert.equal(await first(watcher), "SERVING");
    assert.equal(await first(watch()), "RESOURCE_EXHAUSTED");
    watchers[0]?.cancel();
    let answer = "";
    while (answer !== "SERVING") answer = await first(watch());
  });
});
