import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { AddressText } from "../../../services/model.ts";
import type { HealthCheck } from "../../../services/table-types.ts";
import { FakeClock } from "../../fake-clock.ts";
import { RETRY_MS } from "../listening/listener-set.ts";
import {
  type HealthCheckEvent,
  HealthCheckServers,
  planHealthChecks,
} from "./health-check-servers.ts";

const LOOPBACK = "127.0.0.1" as AddressText;
/** All of 127.0.0.0/8 is local, without a link or route of its own. */
const SECOND = "127.0.0.2" as AddressText;

function setUp(context: TestContext) {
  const clock = new FakeClock();
  const events: HealthCheckEvent[] = [];
  const proxy = { isHealthy: true };
  const servers = new HealthCheckServers({
    clock,
    isProxyHealthy: () => proxy.isHealthy,
    onEvent: (event) => events.push(event),
  });
  context.after(() => servers.close());
  return { clock, events, proxy, servers };
}

/** Takes a port of the kernel's choice. */
async function takePort(context: TestContext) {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const free = async () => {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  context.after(free);
  return { port: address.port, free };
}

async function findFreePort(context: TestContext): Promise<number> {
  const taken = await takePort(context);
  await taken.free();
  return taken.port;
}

function check(name: string, port: number, localReadyEndpoints: number): HealthCheck {
  return { namespace: "default", name, port, localReadyEndpoints };
}

async function probe(port: number, address = LOOPBACK) {
  const response = await fetch(`http://${address}:${port}/anything`);
  return {
    code: response.status,
    weight: response.headers.get("x-load-balancing-endpoint-weight"),
    type: response.headers.get("content-type"),
    body: await response.json(),
  };
}

/** By a connection of its own: fetch would use a kept one. */
async function isRefused(port: number, address = LOOPBACK): Promise<boolean> {
  const socket = connect(port, address);
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
    return true;
  } finally {
    socket.destroy();
  }
}

describe("HealthCheckServers", () => {
  it("answers 200 only with a local ready endpoint and a healthy proxy", async (context) => {
    const { proxy, servers } = setUp(context);
    const port = await findFreePort(context);
    for (const [endpoints, isHealthy, code] of [
      [2, true, 200],
      [1, true, 200],
      [0, true, 503],
      [2, false, 503],
      [0, false, 503],
    ] as const) {
      proxy.isHealthy = isHealthy;
      servers.update([check("web", port, endpoints)], [LOOPBACK]);
      await servers.settled();
      assert.deepEqual(await probe(port), {
        code,
        weight: `${endpoints}`,
        type: "application/json",
        body: {
          service: { namespace: "default", name: "web" },
          localEndpoints: endpoints,
          serviceProxyHealthy: isHealthy,
        },
      });
    }
  });

  it("serves on each address, follows them, and closes what is gone", async (context) => {
    const { servers } = setUp(context);
    const port = await findFreePort(context);
    servers.update([check("web", port, 1)], [LOOPBACK, SECOND]);
    await servers.settled();
    assert.equal((await probe(port, SECOND)).code, 200);
    servers.update([check("web", port, 1)], [LOOPBACK]);
    await servers.settled();
    assert.deepEqual([await isRefused(port), await isRefused(port, SECOND)], [false, true]);
    servers.update([], [LOOPBACK]);
    assert.equal(await isRefused(port), true);
  });

  it("an update of the count does not end connections", async (context) => {
    const { servers } = setUp(context);
    const port = await findFreePort(context);
    servers.update([check("web", port, 1)], [LOOPBACK]);
    await servers.settled();
    const { Agent, get } = await import("node:http");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    context.after(() => agent.destroy());
    const ask = async () => {
      const request = get({ port, host: LOOPBACK, agent });
      const [response] = await once(request, "response");
      response.resume();
      await once(response, "end");
      return { code: response.statusCode, reused: request.reusedSocket };
    };
    assert.deepEqual(await ask(), { code: 200, reused: false });
    servers.update([check("web", port, 0)], [LOOPBACK]);
    assert.deepEqual(await ask(), { code: 503, reused: true });
  });

  it("reports a port that another program has, serves the others, and gets it later", async (context) => {
    const { clock, events, servers } = setUp(context);
    const taken = await takePort(context);
    const port = await findFreePort(context);
    servers.update([check("taken", taken.port, 1), check("web", port, 1)], [LOOPBACK]);
    await servers.settled();
    assert.equal((await probe(port)).code, 200);
    const [event] = events;
    assert.ok(event?.kind === "failed");
    assert.deepEqual([event.key, event.code], [`${LOOPBACK}|${taken.port}`, "EADDRINUSE"]);
    await taken.free();
    clock.advance(RETRY_MS);
    await servers.settled();
    assert.equal((await probe(taken.port)).code, 200);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["failed", "recovered"],
    );
  });

  it("gives a port that two Services claim to the first by name, and says so once", async (context) => {
    const { events, servers } = setUp(context);
    const port = await findFreePort(context);
    for (const endpoints of [1, 2]) {
      servers.update([check("b", port, 7), check("a", port, endpoints)], [LOOPBACK]);
      await servers.settled();
      assert.equal((await probe(port)).weight, `${endpoints}`);
    }
    assert.deepEqual(events, [
      { kind: "conflict", port, service: "default/b", holder: "default/a" },
    ]);
  });
});

describe("planHealthChecks()", () => {
  it("opens each port on each address", () => {
    const plan = planHealthChecks([check("a", 1, 0), check("b", 2, 0)], [LOOPBACK, SECOND]);
    assert.deepEqual(
      [...plan.listeners.keys()],
      ["127.0.0.1|1", "127.0.0.2|1", "127.0.0.1|2", "127.0.0.2|2"],
    );
    assert.deepEqual(plan.conflicts, []);
  });
});
