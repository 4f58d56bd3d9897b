import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { type HTTP_LIMITS, openHttp } from "./http-listener.ts";

const LOOPBACK = "127.0.0.1";

async function serve(context: TestContext, limits: Partial<typeof HTTP_LIMITS> = {}) {
  const listener = await openHttp(
    { address: LOOPBACK, port: 0 },
    {
      answer: (path) =>
        path === "/here" ? { code: 200, headers: { "x-a": "b" }, body: "päng" } : undefined,
      limits,
    },
  );
  context.after(() => listener.close());
  return { listener, url: `http://${LOOPBACK}:${listener.port}` };
}

/** A connection that has been accepted: the kernel's handshake alone says nothing. */
async function dial(context: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, LOOPBACK);
  context.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Everything until the other side ends it. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  await once(socket, "close");
  return text;
}

describe("openHttp()", () => {
  it("answers GET and HEAD, with any query", async (context) => {
    const { url } = await serve(context);
    const got = await fetch(`${url}/here?a=b`);
    assert.deepEqual([got.status, got.headers.get("x-a"), await got.text()], [200, "b", "päng"]);
    const head = await fetch(`${url}/here`, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length")], [200, "5"]);
  });

  it("refuses other paths and other methods", async (context) => {
    const { url } = await serve(context);
    assert.equal((await fetch(`${url}/there`)).status, 404);
    const posted = await fetch(`${url}/here`, { method: "POST", body: "x" });
    assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
  });

  it("refuses headers above the limit", async (context) => {
    const { url } = await serve(context);
    const got = await fetch(`${url}/here`, { headers: { "x-long": "x".repeat(9 << 10) } });
    assert.equal(got.status, 431);
  });

  it("ends a connection whose headers do not come", async (context) => {
    const { listener } = await serve(context, { headersMs: 20, checkMs: 10 });
    const socket = await dial(context, listener.port);
    socket.write("GET /here HTTP/1.1\r\n");
    assert.match(await readAll(socket), /^HTTP\/1.1 408 /);
  });

  it("ends a connection that says nothing", async (context) => {
    const { listener } = await serve(context, { idleMs: 20 });
    assert.equal(await readAll(await dial(context, listener.port)), "");
  });

  it("closes connections above the limit and keeps the others", async (context) => {
    const { listener } = await serve(context, { connectionsMax: 1 });
    const first = await dial(context, listener.port);
    const second = await dial(context, listener.port);
    assert.equal(await readAll(second), "");
    first.write("GET /here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert.match(await readAll(first), /^HTTP\/1.1 200 /);
  });

  it("close() waits for no connection, kept alive or silent, and frees the port", async (context) => {
    const { listener } = await serve(context);
    const kept = await dial(context, listener.port);
    kept.write("GET /here HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(kept, "data");
    const silent = await dial(context, listener.port);
    const last = await dial(context, listener.port);
    last.write("GET /here HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(last, "data");
    listener.close();
    const ends = [kept, silent, last].map((socket) => once(socket.resume(), "close"));
    const again = await openHttp(
      { address: LOOPBACK, port: listener.port },
      { answer: () => undefined },
    );
    await Promise.all(ends);
    again.close();
  });

  it("rejects with EADDRINUSE when somebody else has the port", async (context) => {
    const { listener } = await serve(context);
    await assert.rejects(
      openHttp({ address: LOOPBACK, port: listener.port }, { answer: () => undefined }),
      { code: "EADDRINUSE" },
    );
  });
});
