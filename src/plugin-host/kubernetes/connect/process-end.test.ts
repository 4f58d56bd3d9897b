import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { FakeServer } from "./fake-server.ts";

/** Leaves a stream under way, and nothing else to do. */
const SCRIPT = `
  import { systemClock } from ${JSON.stringify(import.meta.resolve("../../system-clock.ts"))};
  import { FakeAccess } from ${JSON.stringify(import.meta.resolve("./fake-server.ts"))};
  import { openHttp2Api } from ${JSON.stringify(import.meta.resolve("./http2-api.ts"))};
  const api = openHttp2Api(new FakeAccess(process.argv[1]), { clock: systemClock });
  const { signal } = new AbortController();
  const stay = setInterval(() => undefined, 1_000);
  for await (const lines of api.stream({ path: "/watch", query: {}, signal })) {
    if (lines.length > 0) clearInterval(stay);
  }
`;

test("openHttp2Api() does not keep a process that has nothing else to do", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream }) => {
    stream.respond();
    stream.write("1\n");
  };
  const child = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT, server.url], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 30_000,
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [status] = (await once(child, "exit")) as [number | null];
  // 13: what is awaited at the top never comes. Null: it had to be killed.
  assert.equal(status, 13, said);
});
