import assert from "node:assert/strict";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttps1Server } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { createSecureContext } from "node:tls";
import { test } from "node:test";
import { FakeClock } from "../../fake-clock.ts";
import { LIMITS } from "../../limits.ts";
import { HOST_VERSION } from "../../version.ts";
import { ApiError, type KubernetesApi } from "../api.ts";
import { type Http2ApiLimits, openHttp2Api } from "./http2-api.ts";
import { FakeAuthority } from "./fake-authority.ts";
import { respond, FakeAccess, FakeProxy, FakeServer } from "./fake-server.ts";

const get = (api: KubernetesApi, path = "/api/v1/pods") => api.request({ method: "GET", path });

function open(access: FakeAccess, limits: Partial<Http2ApiLimits> = {}) {
  const clock = new FakeClock();
  return { clock, api: openHttp2Api(access, { clock, limits }) };
}

/** What a stream gives until it ends, its error as the last. */
async function read(api: KubernetesApi, path = "/watch"): Promise<string[]> {
  const seen: string[] = [];
  try {
    const { signal } = new AbortController();
    for await (const lines of api.stream({ path, query: {}, signal })) seen.push(...lines);
  } catch (error) {
    assert.ok(error instanceof ApiError);
    seen.push(`${error.status} ${error.message}`);
  }
  return seen;
}

test("openHttp2Api() sends method, path, query, body and who it is", async () => {
  await using server = await FakeServer.start();
  let body = "";
  server.answer = ({ stream }) => {
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    stream.on("end", () => respond(stream, { kind: "Pod" }));
  };
  const access = new FakeAccess(`${server.url}/prefix/`);
  access.token = "secret";
  await using api = open(access).api;
  const answer = await api.request({
    method: "PATCH",
    path: "/api/v1/namespaces/default/pods/web/status",
    query: { fieldManager: "a b", force: true, limit: 5, continue: undefined },
    contentType: "application/merge-patch+json",
    body: { metadata: { uid: "ü" } },
  });
  assert.deepEqual(answer, { kind: "Pod" });
  assert.equal(body, '{"metadata":{"uid":"ü"}}');
  const { headers } = server.requests[0] ?? assert.fail();
  const { authorization, accept, "user-agent": agent, "content-type": type } = headers;
  assert.deepEqual(
    [headers[":method"], headers[":path"], authorization, accept, agent, type],
    [
      "PATCH",
      "/prefix/api/v1/namespaces/default/pods/web/status?fieldManager=a+b&force=true&limit=5",
      "Bearer secret",
      "application/json",
      `patchbay/${HOST_VERSION}`,
      "application/merge-patch+json",
    ],
  );
  assert.equal(api.server, `${server.url}/prefix`);
});

test("openHttp2Api() uses one connection for everything", async () => {
  await using server = await FakeServer.start();
  await using api = open(new FakeAccess(server.url)).api;
  await Promise.all(Array.from({ length: 20 }, () => get(api)));
  assert.equal(server.requests.length, 20);
  assert.equal(new Set(server.requests.map(({ session }) => session)).size, 1);
});

test("openHttp2Api() by TLS shows its certificate and checks the server's", async (t) => {
  using authority = new FakeAuthority();
  using stranger = new FakeAuthority("stranger");
  const { certificate: cert, key } = authority.issue("api", ["DNS:api.example", "IP:127.0.0.1"]);
  const ca = authority.certificate;
  await using server = await FakeServer.start({ cert, key, ca, requestCert: true });
  const client = authority.issue("system:node:n1");
  const shown = { cert: client.certificate, key: client.key };
  const context = createSecureContext({ ca, ...shown });
  const identities = {
    "that is right": [{ context, serverName: "", isInsecure: false }, ""],
    "under its other name": [{ context, serverName: "api.example", isInsecure: false }, ""],
    "under a wrong name": [
      { context, serverName: "else.example", isInsecure: false },
      "does not match certificate's altnames",
    ],
    "of a stranger": [
      {
        context: createSecureContext({ ca: stranger.certificate }),
        serverName: "",
        isInsecure: false,
      },
      "of an authority that certificate-authority .*: self-signed certificate in certificate chain$",
    ],
    "of whomever": [{ context: createSecureContext(shown), serverName: "", isInsecure: true }, ""],
  } as const;
  for (const [name, [tls, message]] of Object.entries(identities)) {
    await t.test(name, async () => {
      const access = new FakeAccess(server.url);
      access.tls = tls;
      await using api = open(access).api;
      if (message === "") await get(api);
      else await assert.rejects(get(api), { status: 0, message: new RegExp(message) });
    });
  }
  assert.equal(server.requests[0]?.clientName, "system:node:n1");
});

test("openHttp2Api() takes changed certificates for new connections, and leaves old streams", async () => {
  using authority = new FakeAuthority();
  const { certificate: cert, key } = authority.issue("api", ["IP:127.0.0.1"]);
  const ca = authority.certificate;
  await using server = await FakeServer.start({ cert, key, ca, requestCert: true });
  server.answer = ({ stream, path }) => {
    if (path === "/watch") stream.respond();
    else respond(stream, {});
  };
  const access = new FakeAccess(server.url);
  const use = (name: string): void => {
    const client = authority.issue(name);
    const context = createSecureContext({ ca, cert: client.certificate, key: client.key });
    access.tls = { context, serverName: "", isInsecure: false };
  };
  use("first");
  await using api = open(access).api;
  const watching = read(api);
  await server.until(() => server.requests.length === 1);
  use("second");
  await get(api);
  await get(api);
  assert.deepEqual(
    server.requests.map(({ clientName }) => clientName),
    ["first", "second", "second"],
  );
  server.requests[0]?.stream.end('{"a":1}\n');
  assert.deepEqual(await watching, ['{"a":1}']);
  await server.until(() => server.sessions.size === 1);
});

test("openHttp2Api() says that a server does not speak HTTP/2", async (t) => {
  using authority = new FakeAuthority();
  const { certificate: cert, key } = authority.issue("api", ["IP:127.0.0.1"]);
  const servers = {
    http: createHttp1Server((_request, response) => response.end("{}")),
    https: createHttps1Server({ cert, key }, (_request, response) => response.end("{}")),
  };
  for (const [scheme, server] of Object.entries(servers)) {
    await t.test(scheme, async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const access = new FakeAccess(`${scheme}://127.0.0.1:${port}`);
      const context = createSecureContext({ ca: authority.certificate });
      access.tls = { context, serverName: "", isInsecure: false };
      await using api = open(access).api;
      await assert.rejects(get(api), {
        status: 0,
        message: `Cannot connect to ${scheme}://127.0.0.1:${port}: it does not speak HTTP/2, or a proxy in between does not`,
      });
      server.closeAllConnections();
      server.close();
    });
  }
});

test("openHttp2Api() gives up a server that does not greet, and a request that is not answered", async () => {
  const accepted = Promise.withResolvers<void>();
  const silent = createTcpServer((socket) => {
    socket.on("error", () => undefined).resume();
    accepted.resolve();
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const { api, clock } = open(new FakeAccess(`http://127.0.0.1:${port}`));
  const failed = assert.rejects(get(api), { status: 0, message: /^Cannot connect to http:/ });
  await accepted.promise;
  clock.advance(LIMITS.apiConnectMs);
  await failed;
  await api[Symbol.asyncDispose]();
  silent.close();

  await using server = await FakeServer.start();
  server.answer = () => undefined;
  const second = open(new FakeAccess(server.url));
  await using late = second.api;
  const unanswered = assert.rejects(get(late), {
    status: 0,
    message: `GET /api/v1/pods was not answered within ${LIMITS.apiRequestMs} ms`,
  });
  await server.until(() => server.requests.length === 1);
  second.clock.advance(LIMITS.apiRequestMs);
  await unanswered;
});

test("openHttp2Api() throws what the server says against a request", async (t) => {
  await using server = await FakeServer.start();
  await using api = open(new FakeAccess(server.url), { answerBytesMax: 1_000 }).api;
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 429 };
  const answers = {
    "by a Status": [
      429,
      JSON.stringify({ ...status, message: "slow", reason: "TooManyRequests" }),
      { "retry-after": "2" },
      { status: 429, reason: "TooManyRequests", retryAfterMs: 2_000, message: /429: slow$/ },
    ],
    "with the pause in its details": [
      504,
      JSON.stringify({ ...status, reason: "Timeout", details: { retryAfterSeconds: 1 } }),
      {},
      { status: 504, reason: "Timeout", retryAfterMs: 1_000 },
    ],
    "by plain text": [
      404,
      "404 page not found\n",
      {},
      { status: 404, reason: "", message: /404 page not found$/ },
    ],
    "by JSON of something else": [
      500,
      "[1]",
      {},
      { status: 500, reason: "", message: /500: \[1\]$/ },
    ],
    "by nothing": [302, "", { location: "/login" }, { status: 302, message: /no reason given/ }],
    "by what is no JSON": [
      200,
      "<html>",
      {},
      { status: 0, message: /by what is no JSON: "<html>"$/ },
    ],
    "by too much": [200, "1".repeat(1_001), {}, { status: 0, message: /has more than 1000 bytes/ }],
  } as const;
  for (const [name, [code, body, headers, expected]] of Object.entries(answers)) {
    await t.test(name, async () => {
      server.answer = ({ stream }) => {
        stream.respond({ ":status": code, ...headers });
        stream.end(body);
      };
      await assert.rejects(get(api), expected);
    });
  }
  assert.equal(server.sessions.size, 1);
});

test("openHttp2Api() streams lines, whatever their chunks, and tells how a stream ended", async (t) => {
  await using server = await FakeServer.start();
  const endings = {
    "by its end": ["end", ['{"name":"grün"}', '{"b":2}']],
    "within a line": ["half", ['{"name":"grün"}', "0 Watch of /watch: the last line broke off"]],
    "with its connection": ["cut", ['{"name":"grün"}', "0 The answer broke off"]],
    "by a reset": ["reset", ['{"name":"grün"}', /^0 The answer broke off: /]],
    "by a line that is too long": [
      "long",
      ['{"name":"grün"}', "0 Watch of /watch: a line has more than 100 bytes"],
    ],
    "before it began": ["refuse", ["403 GET /watch was answered 403: no"]],
  } as const;
  for (const [name, [kind, expected]] of Object.entries(endings)) {
    await t.test(name, async () => {
      server.answer = ({ stream, session }) => {
        if (kind === "refuse") {
          respond(stream, { kind: "Status", message: "no" }, 403);
          return;
        }
        stream.respond();
        const bytes = Buffer.from('{"name":"grün"}\n');
        const cut = bytes.indexOf(0xc3) + 1;
        stream.write(bytes.subarray(0, cut), () => {
          stream.write(bytes.subarray(cut), () => {
            if (kind === "end") stream.end('\n{"b":2}\r\n\n');
            else if (kind === "half") stream.end('{"b"');
            else if (kind === "long") stream.write("1".repeat(101));
            else if (kind === "cut") setImmediate(() => session.destroy());
            else setImmediate(() => stream.destroy(new Error("broken")));
          });
        });
      };
      await using api = open(new FakeAccess(server.url), { lineBytesMax: 100 }).api;
      const seen = (await read(api)).map((line) => line.trim());
      for (const [index, wanted] of expected.entries()) {
        if (typeof wanted === "string") assert.equal(seen[index], wanted);
        else assert.match(seen[index] ?? "", wanted);
      }
      assert.equal(seen.length, expected.length);
    });
  }
});

test("openHttp2Api() says that a stream was accepted, and closes it when its reader leaves", async () => {
  await using server = await FakeServer.start();
  const closed = Promise.withResolvers<void>();
  server.answer = ({ stream }) => {
    stream.respond();
    stream.on("close", closed.resolve);
  };
  await using api = open(new FakeAccess(server.url)).api;
  const { signal } = new AbortController();
  for await (const lines of api.stream({ path: "/watch", query: {}, signal })) {
    assert.deepEqual(lines, []);
    break;
  }
  await closed.promise;
  assert.equal(server.sessions.size, 1);
});

test("openHttp2Api() leaves with the server what a slow reader does not take", async () => {
  await using server = await FakeServer.start();
  let sent = 0;
  server.answer = ({ stream, path }) => {
    if (path !== "/watch") {
      respond(stream, {});
      return;
    }
    stream.respond();
    const line = Buffer.from(`${"1".repeat(16_383)}\n`);
    const write = (): void => {
      while (sent < 64 << 20 && stream.write(line)) sent += line.length;
    };
    stream.on("drain", write);
    write();
  };
  await using api = open(new FakeAccess(server.url)).api;
  const stop = new AbortController();
  const stream = api.stream({ path: "/watch", query: {}, signal: stop.signal });
  const reader = stream[Symbol.asyncIterator]();
  await reader.next();
  for (let round = 0; round < 200; round++) await get(api);
  assert.ok(sent < 1 << 20, `${sent} bytes were sent`);
  const before = sent;
  for (let round = 0; round < 40; round++) await reader.next();
  await get(api);
  assert.ok(sent > before, "and goes on with what it takes");
  stop.abort();
  await assert.rejects(reader.next(), { name: "ApiError", status: 0 });
});

test("openHttp2Api() finds by PING that a server fell silent, and goes to the next", async () => {
  await using first = await FakeServer.start();
  await using second = await FakeServer.start();
  await using proxy = await FakeProxy.start(first.port);
  first.answer = ({ stream }) => stream.respond();
  const { api, clock } = open(new FakeAccess(`http://127.0.0.1:${proxy.port}`, second.url));
  await using _api = api;
  const watching = read(api);
  await first.until(() => first.requests.length === 1);
  const [session] = first.sessions;
  const pinged = new Promise((resolve) => session?.once("ping", resolve));
  clock.advance(LIMITS.apiPingMs);
  await pinged;
  // The answer to the PING sets the timer for the next one.
  while (clock.nextTimerMs() !== clock.monotonicMs() + LIMITS.apiPingMs) {
    await new Promise(setImmediate);
  }
  proxy.freeze();
  clock.advance(LIMITS.apiPingMs);
  clock.advance(LIMITS.apiPongMs);
  const [end = ""] = await watching;
  assert.match(end, /^0 .*did not answer a PING within 10000 ms$/);
  await get(api);
  assert.equal(api.server, second.url);
});

test("openHttp2Api() leaves a server that goes away, as soon as its streams ended", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream, path }) => {
    if (path === "/watch") stream.respond();
    else respond(stream, {});
  };
  await using api = open(new FakeAccess(server.url)).api;
  const watching = read(api);
  await server.until(() => server.requests.length === 1);
  const watch = server.requests[0] ?? assert.fail();
  watch.session.goaway();
  await get(api);
  while (server.sessions.size < 2) await get(api);
  watch.stream.end('{"a":1}\n');
  assert.deepEqual(await watching, ['{"a":1}']);
  await server.until(() => server.sessions.size === 1);
});

test("openHttp2Api() ends the streams of a server that goes away before it could fall silent", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream, path }) => {
    if (path !== "/watch") respond(stream, {});
    else {
      stream.respond();
      stream.write('{"a":1}\n{"b"');
    }
  };
  const { api, clock } = open(new FakeAccess(server.url));
  await using _api = api;
  const watching = read(api);
  await server.until(() => server.requests.length === 1);
  server.requests[0]?.session.goaway();
  while (server.sessions.size < 2) await get(api);
  clock.advance(LIMITS.apiPingMs);
  assert.deepEqual(await watching, ['{"a":1}']);
  await server.until(() => server.sessions.size === 1);
});

test("openHttp2Api() sends a request again that a server refused as it went away", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream }) => {
    // NGHTTP2_REFUSED_STREAM
    if (server.requests.length === 1) stream.close(7);
    else respond(stream, { answered: true });
  };
  await using api = open(new FakeAccess(server.url)).api;
  assert.deepEqual(await get(api), { answered: true });
});

test("openHttp2Api() goes to the next server, and stays with the one that works", async () => {
  const gone = await FakeServer.start();
  const { port, url } = gone;
  await gone[Symbol.asyncDispose]();
  await using second = await FakeServer.start();
  await using api = open(new FakeAccess(url, second.url)).api;
  await get(api);
  assert.equal(api.server, second.url);
  await using back = await FakeServer.start(undefined, port);
  for (const session of second.sessions) session.destroy();
  await second.until(() => second.sessions.size === 0);
  await get(api).catch(() => get(api));
  assert.equal(api.server, second.url);
  assert.equal(back.requests.length, 0);
  await second[Symbol.asyncDispose]();
  await get(api).catch(() => get(api));
  assert.equal(api.server, back.url);
});

test("openHttp2Api() leaves a server that is not named any more", async () => {
  await using first = await FakeServer.start();
  await using second = await FakeServer.start();
  const access = new FakeAccess(first.url);
  await using api = open(access).api;
  await get(api);
  access.servers = [second.url];
  await get(api);
  assert.equal(api.server, second.url);
  await first.until(() => first.sessions.size === 0);
});

test("openHttp2Api() says of each server why it cannot be reached", async () => {
  const urls: string[] = [];
  for (let index = 0; index < 2; index++) {
    await using server = await FakeServer.start();
    urls.push(server.url);
  }
  await using api = open(new FakeAccess(...urls)).api;
  const message = urls.map(
    (url) => `Cannot connect to ${url}: connect ECONNREFUSED ${url.slice(7)}`,
  );
  await assert.rejects(get(api), { status: 0, message: message.join("; ") });
});

test("openHttp2Api() says of a token that is too old when it ended", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream }) => respond(stream, {}, 401);
  const access = new FakeAccess(server.url);
  const { api, clock } = open(access);
  await using _ = api;
  const endS = Math.floor(clock.wallMs() / 1_000) - 1;
  access.token = `e30.${Buffer.from(JSON.stringify({ iat: 0, exp: endS })).toString("base64url")}.c2ln`;
  const ended = new Date(endS * 1_000).toISOString();
  const message = `the API server refuses test: its token ended at ${ended}`;
  await assert.rejects(get(api), { status: 401, message });
  assert.deepEqual(await api.readTokenLife?.(), { begunMs: 0, endMs: endS * 1_000 });
});

test("openHttp2Api() asks once more with another token after a 401, and with the same one never", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream, headers }) =>
    respond(stream, {}, headers.authorization === "Bearer new" ? 200 : 401);
  const access = new FakeAccess(server.url);
  access.token = "old";
  await using api = open(access).api;
  const message = "the API server refuses test: it does not know its token";
  await assert.rejects(get(api), { status: 401, message });
  assert.equal(server.requests.length, 1);
  access.tokenAfterRefusal = "new";
  await get(api);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    ["Bearer old", "Bearer old", "Bearer new"],
  );
});

test("openHttp2Api() that is disposed of ends what is under way, and does nothing more", async () => {
  await using server = await FakeServer.start();
  server.answer = ({ stream, path }) => {
    if (path === "/watch") stream.respond();
  };
  const { api, clock } = open(new FakeAccess(server.url));
  const ends = Promise.all([read(api), assert.rejects(get(api), { status: 0 })]);
  await server.until(() => server.requests.length === 2);
  await api[Symbol.asyncDispose]();
  await ends;
  await assert.rejects(get(api), { name: "ApiError", status: 0 });
  await server.until(() => server.sessions.size === 0);
  assert.equal(clock.nextTimerMs(), undefined);
});

test("openHttp2Api() that is disposed of does not wait for a server that does not greet", async () => {
  const accepted = Promise.withResolvers<void>();
  const silent = createTcpServer((socket) => {
    socket.on("error", () => undefined).resume();
    accepted.resolve();
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const { api } = open(new FakeAccess(`http://127.0.0.1:${port}`));
  const failed = assert.rejects(get(api), { status: 0, message: /the host stops$/ });
  await accepted.promise;
  await api[Symbol.asyncDispose]();
  await failed;
  await new Promise((resolve) => silent.close(resolve));
});
