import assert from "node:assert/strict";
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Family } from "../../../ip/address.ts";
import type { ListId, PlannedEndpoint } from "../../../services/plan-types.ts";
import { FakeClock } from "../../fake-clock.ts";
import { RETRY_MS } from "../listening/listener-set.ts";
import { makeChanges, makeEndpoint, makeList, makeNodePort, toList } from "./fake-plan.ts";
import { type LocalhostEvent, LocalhostNodePorts } from "./localhost-node-ports.ts";
import { loopbackOf } from "./target.ts";
import { DROP_MS } from "./tcp-forwarder.ts";
import { ASSOCIATION_IDLE_MS } from "./udp-forwarder.ts";

const FAMILIES: readonly Family[] = [4, 6];

interface Bounds {
  readonly connectionsMax?: number;
  readonly associationsMax?: number;
}

/** A proxy with one NodePort, on a port that is free. */
async function setUp(
  context: TestContext,
  place: { readonly family: Family; readonly protocol: "TCP" | "UDP" },
  bounds: Bounds = {},
) {
  const { family, protocol } = place;
  const clock = new FakeClock();
  const events: LocalhostEvent[] = [];
  /** What picks an endpoint, and how often it did. */
  const random = { share: 0, picks: 0 };
  const proxy = new LocalhostNodePorts({
    clock,
    random: () => {
      random.picks += 1;
      return random.share;
    },
    onEvent: (event) => events.push(event),
    ...bounds,
  });
  context.after(() => proxy.close());
  const port = await findFreePort(place);
  const frontend = makeNodePort({ family, protocol, port, inside: toList("web") });
  const changes = (endpoints: readonly PlannedEndpoint[]) => {
    if (endpoints.length === 0) {
      return makeChanges({
        putFrontends: [{ ...frontend, inside: { kind: "reject" } }],
        removeLists: ["web" as ListId],
      });
    }
    const list = makeList(endpoints, { family });
    return makeChanges({ putFrontends: [frontend], putLists: [list] });
  };
  /** Sends the NodePort to these; none: it rejects. */
  const route = async (...endpoints: readonly PlannedEndpoint[]) => {
    proxy.update(changes(endpoints));
    await proxy.settled();
  };
  return { clock, events, random, proxy, port, frontend, route };
}

async function findFreePort(place: { family: Family; protocol: "TCP" | "UDP" }): Promise<number> {
  const host = loopbackOf(place.family);
  if (place.protocol === "TCP") {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
  }
  const socket = createSocket(udpType(place.family)).bind(0, host);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

function udpType(family: Family): "udp4" | "udp6" {
  return family === 4 ? "udp4" : "udp6";
}

/** An endpoint that hands out its connections one after the other. */
async function serveTcp(context: TestContext, family: Family) {
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
  });
  server.listen(0, loopbackOf(family));
  await once(server, "listening");
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const next = async () => {
    if (sockets.length === 0) await once(server, "connection");
    const socket = sockets.shift();
    assert.ok(socket);
    context.after(() => socket.destroy());
    return socket;
  };
  return { endpoint: makeEndpoint(loopbackOf(family), port), next, waiting: sockets };
}

/** An endpoint that answers with its name; `seen` are the senders. */
async function serveUdp(context: TestContext, family: Family, name: string) {
  const seen: RemoteInfo[] = [];
  const server = createSocket(udpType(family));
  server.on("message", (datagram, from) => {
    seen.push(from);
    server.send(`${name} ${datagram.toString()}`, from.port, from.address);
  });
  server.bind(0, loopbackOf(family));
  await once(server, "listening");
  context.after(() => server.close());
  return { endpoint: makeEndpoint(loopbackOf(family), server.address().port), seen };
}

function dial(context: TestContext, port: number, family: Family): Socket {
  const socket = connect({ port, host: loopbackOf(family), allowHalfOpen: true });
  context.after(() => socket.destroy());
  return socket;
}

async function dialUdp(context: TestContext, port: number, family: Family): Promise<UdpSocket> {
  const socket = createSocket(udpType(family));
  context.after(() => socket.close());
  socket.connect(port, loopbackOf(family));
  await once(socket, "connect");
  return socket;
}

async function ask(socket: UdpSocket, text = "hello"): Promise<string> {
  const answer = once(socket, "message", { signal: AbortSignal.timeout(5_000) });
  socket.send(text);
  return String((await answer)[0]);
}

/** What the socket fails with. */
async function failureOf(socket: Socket | UdpSocket): Promise<string | undefined> {
  const [error] = (await once(socket, "error", { signal: AbortSignal.timeout(5_000) })) as [
    NodeJS.ErrnoException,
  ];
  return error.code;
}

/** All until the other side ends it. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) text += String(chunk);
  return text;
}

for (const family of FAMILIES) {
  describe(`LocalhostNodePorts, TCP over IPv${family}`, () => {
    const place = { family, protocol: "TCP" } as const;

    it("carries data and the end of each direction, the client's first", async (context) => {
      const { port, route } = await setUp(context, place);
      const server = await serveTcp(context, family);
      await route(server.endpoint);
      const client = dial(context, port, family);
      client.end("question");
      const socket = await server.next();
      assert.equal(await readAll(socket), "question");
      socket.write("an");
      assert.equal(String((await once(client, "data"))[0]), "an");
      socket.end("swer");
      assert.equal(await readAll(client), "swer");
    });

    it("carries data and the end of each direction, the endpoint's first", async (context) => {
      const { port, route } = await setUp(context, place);
      const server = await serveTcp(context, family);
      await route(server.endpoint);
      const client = dial(context, port, family);
      const socket = await server.next();
      socket.end("greeting");
      assert.equal(await readAll(client), "greeting");
      client.write("ques");
      assert.equal(String((await once(socket, "data"))[0]), "ques");
      client.end("tion");
      assert.equal(await readAll(socket), "tion");
    });

    it("carries a reset both ways", async (context) => {
      const { port, route } = await setUp(context, place);
      const server = await serveTcp(context, family);
      await route(server.endpoint);
      const first = dial(context, port, family);
      const failed = failureOf(first);
      (await server.next()).resetAndDestroy();
      assert.equal(await failed, "ECONNRESET");
      const second = dial(context, port, family);
      const socket = await server.next();
      const reset = failureOf(socket);
      socket.resume();
      second.resetAndDestroy();
      assert.equal(await reset, "ECONNRESET");
    });

    it("refuses at once when the route rejects, and listens again when it does not", async (context) => {
      const { port, route, proxy } = await setUp(context, place);
      const server = await serveTcp(context, family);
      await route();
      assert.deepEqual(proxy.openKeys(), []);
      assert.equal(await failureOf(dial(context, port, family)), "ECONNREFUSED");
      await route(server.endpoint);
      dial(context, port, family);
      await server.next();
      await route();
      assert.equal(await failureOf(dial(context, port, family)), "ECONNREFUSED");
    });

    it("resets when the endpoint refuses", async (context) => {
      const { port, route } = await setUp(context, place);
      await route(makeEndpoint(loopbackOf(family), await findFreePort(place)));
      assert.equal(await failureOf(dial(context, port, family)), "ECONNRESET");
    });

    it("sends new connections elsewhere and lets old ones live, of endpoints and ports gone", async (context) => {
      const { port, route, proxy, frontend } = await setUp(context, place);
      const old = await serveTcp(context, family);
      const next = await serveTcp(context, family);
      await route(old.endpoint);
      const client = dial(context, port, family);
      const socket = await old.next();
      await route(next.endpoint);
      dial(context, port, family);
      await next.next();
      assert.equal(old.waiting.length, 0);
      proxy.update(makeChanges({ removeFrontends: [frontend.key] }));
      socket.write("alive");
      assert.equal(String((await once(client, "data"))[0]), "alive");
      client.write("too");
      assert.equal(String((await once(socket, "data"))[0]), "too");
    });
  });

  describe(`LocalhostNodePorts, UDP over IPv${family}`, () => {
    const place = { family, protocol: "UDP" } as const;

    it("answers each client from its own socket", async (context) => {
      const { port, route } = await setUp(context, place);
      const server = await serveUdp(context, family, "a");
      await route(server.endpoint);
      const first = await dialUdp(context, port, family);
      const second = await dialUdp(context, port, family);
      const answers = [ask(first, "1"), ask(second, "2")];
      assert.deepEqual(await Promise.all(answers), ["a 1", "a 2"]);
      assert.equal(await ask(first, "3"), "a 3");
      const ports = server.seen.map((from) => from.port);
      assert.equal(new Set(ports).size, 2);
    });

    it("moves an open socket to another endpoint when its own goes", async (context) => {
      const { port, route } = await setUp(context, place);
      const old = await serveUdp(context, family, "old");
      const next = await serveUdp(context, family, "new");
      await route(old.endpoint, next.endpoint);
      const client = await dialUdp(context, port, family);
      assert.equal(await ask(client), "old hello");
      await route(next.endpoint, old.endpoint);
      assert.equal(await ask(client), "old hello", "an endpoint that stays keeps its clients");
      await route(next.endpoint);
      assert.equal(await ask(client), "new hello");
      assert.equal(old.seen.length, 2);
      assert.equal(old.seen[0]?.port, old.seen[1]?.port);
    });

    it("refuses when the route rejects", async (context) => {
      const { port, route } = await setUp(context, place);
      const server = await serveUdp(context, family, "a");
      await route(server.endpoint);
      const client = await dialUdp(context, port, family);
      assert.equal(await ask(client), "a hello");
      await route();
      const refused = failureOf(client);
      client.send("hello");
      assert.equal(await refused, "ECONNREFUSED");
      await route(server.endpoint);
      assert.equal(await ask(client), "a hello");
    });
  });
}

describe("LocalhostNodePorts", () => {
  const TCP = { family: 4, protocol: "TCP" } as const;
  const UDP = { family: 4, protocol: "UDP" } as const;

  it("keeps a fast client from filling the memory for a slow endpoint", async (context) => {
    const { port, route } = await setUp(context, TCP);
    const server = await serveTcp(context, 4);
    await route(server.endpoint);
    const client = dial(context, port, 4);
    const socket = await server.next();
    socket.pause();
    const chunk = Buffer.alloc(1 << 20, "x");
    const chunks = 64;
    let written = 0;
    let turns = 0;
    // A chunk is written once the kernel took the one before; 2,000 turns without one are a stop.
    const write = () => {
      client.write(chunk, () => {
        written += 1;
        turns = 0;
        if (written < chunks) write();
        else client.end();
      });
    };
    write();
    while (turns++ < 2_000) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(written > 0 && written < chunks / 2, `${written} MiB were taken for nobody`);
    let received = 0;
    socket.on("data", (data: Buffer) => (received += data.length));
    await once(socket.resume(), "end", { signal: AbortSignal.timeout(30_000) });
    assert.equal(received, chunks * chunk.length);
  });

  it("resets connections above the bound and says so once", async (context) => {
    const { events, port, route } = await setUp(context, TCP, { connectionsMax: 1 });
    const server = await serveTcp(context, 4);
    await route(server.endpoint);
    const first = dial(context, port, 4);
    const socket = await server.next();
    assert.equal(await failureOf(dial(context, port, 4)), "ECONNRESET");
    assert.equal(await failureOf(dial(context, port, 4)), "ECONNRESET");
    assert.deepEqual(events, [{ kind: "connections-full" }]);
    first.end();
    socket.end();
    first.resume();
    socket.resume();
    await once(first, "close");
    // The proxy may see that end a moment later than the client does.
    for (let open = false; !open; ) {
      const client = dial(context, port, 4);
      client.on("error", () => {});
      open = await Promise.race([
        server.next().then(() => true),
        once(client, "close").then(() => false),
      ]);
    }
  });

  it("leaves a connection without an answer where the route drops", async (context) => {
    const { clock, proxy, frontend, port } = await setUp(context, TCP);
    proxy.update(makeChanges({ putFrontends: [{ ...frontend, inside: { kind: "drop" } }] }));
    await proxy.settled();
    const client = dial(context, port, 4);
    await once(client, "connect");
    client.write("hello");
    while (clock.nextTimerMs() === undefined) await new Promise((resolve) => setImmediate(resolve));
    let text = "";
    client.on("data", (data) => (text += String(data)));
    clock.advance(DROP_MS - 1);
    client.on("error", () => {});
    // Not once(): that one rejects for the reset that unread data may bring.
    const closed = new Promise((resolve) => client.once("close", resolve));
    clock.advance(1);
    client.end();
    await closed;
    assert.equal(text, "");
  });

  it("close() resets what is open and frees the port", async (context) => {
    const { proxy, port, route } = await setUp(context, TCP);
    const server = await serveTcp(context, 4);
    await route(server.endpoint);
    const client = dial(context, port, 4);
    const socket = await server.next();
    const failures = [failureOf(client), failureOf(socket.resume())];
    await proxy.close();
    assert.deepEqual(await Promise.all(failures), ["ECONNRESET", "ECONNRESET"]);
    assert.equal(await failureOf(dial(context, port, 4)), "ECONNREFUSED");
  });

  for (const place of [TCP, UDP]) {
    it(`reports a ${place.protocol} port of another program and gets it later`, async (context) => {
      const { clock, events, proxy, port, route } = await setUp(context, place);
      const free = await take(context, place.protocol, port);
      await route(makeEndpoint("127.0.0.1", 1));
      const key = `4|${place.protocol}|${port}`;
      const [event] = events;
      assert.ok(event?.kind === "failed");
      assert.deepEqual([event.key, event.code], [key, "EADDRINUSE"]);
      free();
      clock.advance(RETRY_MS);
      await proxy.settled();
      assert.deepEqual(events[1], { kind: "recovered", key });
      assert.deepEqual(proxy.openKeys(), [key]);
    });
  }

  it("forgets UDP clients that are silent", async (context) => {
    const { clock, port, route } = await setUp(context, UDP);
    const server = await serveUdp(context, 4, "a");
    await route(server.endpoint);
    const client = await dialUdp(context, port, 4);
    await ask(client);
    clock.advance(ASSOCIATION_IDLE_MS - 1);
    await ask(client);
    clock.advance(ASSOCIATION_IDLE_MS);
    await ask(client);
    const [first, second, third] = server.seen.map((from) => from.port);
    assert.equal(first, second);
    assert.notEqual(second, third);
  });

  it("ends the association that is silent longest at the bound, and says so once", async (context) => {
    const { events, port, route } = await setUp(context, UDP, { associationsMax: 1 });
    const server = await serveUdp(context, 4, "a");
    await route(server.endpoint);
    const clients = [await dialUdp(context, port, 4), await dialUdp(context, port, 4)];
    for (let turn = 0; turn < 3; turn++) {
      for (const client of clients) assert.equal(await ask(client), "a hello");
    }
    assert.deepEqual(events, [{ kind: "associations-full" }]);
  });

  it("picks anew after an endpoint's ICMP error", async (context) => {
    const { random, port, route } = await setUp(context, UDP);
    const server = await serveUdp(context, 4, "a");
    await route(makeEndpoint("127.0.0.1", await findFreePort(UDP)), server.endpoint);
    const client = await dialUdp(context, port, 4);
    client.send("lost");
    while (random.picks === 0) await new Promise((resolve) => setImmediate(resolve));
    random.share = 0.9;
    // Until the error is there the datagrams follow the first.
    const answer = once(client, "message", { signal: AbortSignal.timeout(5_000) });
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    while (!isAnswered) {
      client.send("found");
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(String((await answer)[0]), "a found");
  });

  it("says that SCTP is not supported", async (context) => {
    const { events, proxy } = await setUp(context, TCP);
    proxy.update(makeChanges({ putFrontends: [makeNodePort({ port: 1, protocol: "SCTP" })] }));
    assert.deepEqual(events, [{ kind: "unsupported", key: "4|SCTP|1" }]);
  });
});

/** Another program. Returns what ends it. */
async function take(context: TestContext, protocol: "TCP" | "UDP", port: number) {
  const holder =
    protocol === "TCP"
      ? createServer().listen(port, "127.0.0.1")
      : createSocket("udp4").bind(port, "127.0.0.1");
  await once(holder, "listening");
  let isFree = false;
  const free = () => {
    if (!isFree) holder.close();
    isFree = true;
  };
  context.after(free);
  return free;
}
