import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { ServiceChange__Output } from "../../rpc/generated/patchbay/host/v1/ServiceChange.ts";
import type { HostClient } from "../../rpc/client.ts";
import { connectHostWithServices, type ServicesClient } from "../../rpc/services-client.ts";
import { serveUnix, type UnixServer } from "../../rpc/unix-server.ts";
import { EventLog } from "../event-log.ts";
import { cniCall, FakeHostWorld } from "../fake-host-world.ts";
import { hostService } from "../host-service.ts";
import { LIMITS } from "../limits.ts";
import { ApplySources } from "./apply-sources.ts";
import { FakeServicePlane } from "./fake-service-plane.ts";
import type { ServicesCore } from "./services-core.ts";
import { makeServicesWorld } from "./services-fixture.ts";

const GROUP = {
  id: "web",
  endpoints: [{ address: "10.1.0.1", ports: [{ port: 8080 }], node: "node2", pod: "web-0" }],
};
const FRONTEND = { id: "web", kind: "clusterIP", address: "10.96.0.1", port: 80, group: "web" };

describe("host.v1 Services", () => {
  let folder: string;
  let server: UnixServer;
  let client: HostClient & ServicesClient;
  let core: ServicesCore;
  let plane: FakeServicePlane;
  let world: FakeHostWorld;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "pb-services-"));
    world = new FakeHostWorld();
    ({ core, plane } = makeServicesWorld());
    const host = await world.startHost();
    world.makeNetns("c1", 101);
    const call = cniCall("ADD", { containerId: "c1", netns: "/run/netns/c1" });
    await host.invoke({ ...call, args: "K8S_POD_NAMESPACE=default;K8S_POD_NAME=client" });
    const socket = join(folder, "host.sock");
    server = await serveUnix(socket, [
      hostService({
        host,
        events: new EventLog({ max: 10, now: () => 0 }),
        trace: { begin: () => ({ reached() {}, end() {} }) },
        bootId: "",
        startedMs: 0,
        nodeName: "node1",
        plugins: { list: () => [] },
        services: core,
        applySources: new ApplySources(),
        servicesProblems: () => ["web.yaml:3: kind is missing"],
        kubernetes: undefined,
        publishDenials: () => [],
        runtimeEndpoint: undefined,
      }),
    ]);
    client = connectHostWithServices(socket, { timeoutMs: 10_000 });
  });

  afterEach(async () => {
    client.close();
    await server.stop(0);
    core.stop();
    rmSync(folder, { recursive: true });
  });

  const apply = (more: object = {}) =>
    client.applyServices({
      source: "test",
      putGroups: [GROUP],
      putFrontends: [FRONTEND],
      ...more,
    });

  it("ApplyServices answers the revision that holds the change, WaitProgrammed waits for it", async () => {
    assert.deepEqual(await apply(), { revision: 1, error: "" });
    assert.deepEqual(await client.waitProgrammed({ revision: 1 }), { revision: 1, leftOut: [] });
    assert.match(plane.print(), /10\.96\.0\.1\|TCP\|80/);
    assert.deepEqual(await apply(), { revision: 1, error: "" }, "nothing changed");
  });

  it("names a third party's plane that is down in every answer that says programmed", async () => {
    const third = new FakeServicePlane("third");
    third.before = () => Promise.reject(new Error("no room"));
    core.addPlane(third, { isRequired: false, version: "1" });
    await apply();
    const answer = await client.waitProgrammed({ revision: 1 });
    assert.equal(answer.leftOut.length, 1);
    assert.match(answer.leftOut[0] ?? "", /^third: .*no room/);
    const { problems } = await client.listServices({});
    assert.match(problems[0] ?? "", /^Data plane third is left out: .*no room/);
    const { plugins, nodeName, networks } = await client.getStatus();
    assert.equal(nodeName, "node1");
    assert.deepEqual(networks[0]?.subnets, ["10.88.0.0/16", "fd00:88::/64"]);
    assert.match(plugins.find(({ name }) => name === "third")?.trouble ?? "", /no room/);
  });

  it("ApplyServices changes nothing when anything is wrong, and names the field", async () => {
    const bad = { ...FRONTEND, id: "other", port: 0 };
    assert.deepEqual(await apply({ putFrontends: [FRONTEND, bad] }), {
      revision: 0,
      error: "put_frontends[1].port is 0, expected 1 to 65535 [INVALID_SERVICES]",
    });
    assert.deepEqual(plane.calls, []);
    assert.deepEqual((await client.listServices({})).services, []);
  });

  it("ListServices shows what is planned, refused and wrong", async () => {
    plane.refuses.set("10.96.0.1|TCP|80" as never, "no room");
    await apply();
    await client.waitProgrammed({});
    const { services, problems, revision, programmedRevision } = await client.listServices({});
    assert.deepEqual([revision, programmedRevision], [1, 1]);
    assert.equal(services[0]?.service, "test/web");
    assert.equal(services[0]?.programmed, true);
    const [frontend] = services[0]?.frontends ?? [];
    assert.equal(frontend?.refused, "fake: no room");
    assert.equal(frontend?.inside?.verdict, "forward");
    assert.deepEqual(frontend?.inside?.endpoints, [
      {
        address: "10.1.0.1",
        port: 8080,
        weight: 1,
        node: "node2",
        pod: "web-0",
        zone: "",
        local: false,
      },
    ]);
    assert.deepEqual(problems, ["web.yaml:3: kind is missing"]);
    assert.deepEqual((await client.listServices({ service: "other/" })).services, []);
    assert.equal((await client.getStatus()).plugins.at(-1)?.name, "fake");
  });

  it("WatchServices tells what stands there, then what happens", async () => {
    await apply();
    await client.waitProgrammed({});
    const seen: ServiceChange__Output[] = [];
    for await (const change of client.watchServices({})) {
      seen.push(change);
      if (change.change === "present") {
        await apply({ putGroups: [{ ...GROUP, endpoints: [] }] });
      }
      if (change.change === "programmed") {
        await apply({ putGroups: [], putFrontends: [], replace: true });
      }
      if (change.change === "removed") break;
    }
    assert.deepEqual(
      seen.map(({ change, service }) => `${change} ${service?.service} ${service?.revision}`),
      ["present test/web 1", "changed test/web 2", "programmed test/web 2", "removed test/web 3"],
    );
    assert.equal(seen[1]?.service?.frontends[0]?.inside?.verdict, "reject");
  });

  it("WaitProgrammed refuses to wait for ever", async () => {
    await assert.rejects(client.waitProgrammed({ timeoutMs: 60_001 }), /timeout_ms is 60001/);
  });

  it("Explain answers for pods, addresses and the node, and agrees with the plane", async () => {
    await apply();
    for (const from of ["default/client", "10.88.0.2", "node", "203.0.113.9"]) {
      const answer = await client.explain({ from, address: "10.96.0.1", port: 80 });
      assert.equal(answer.verdict, "forward", from);
      assert.equal(answer.service, "test/web:80");
      assert.equal(answer.kernelChecked, true);
      assert.deepEqual(answer.kernelDifferences, []);
    }
    assert.equal(
      (await client.explain({ from: "node", address: "10.0.0.9", port: 1 })).verdict,
      "no-service",
    );
  });

  it("Explain answers two at a time, has others wait, and refuses the rest", async () => {
    await apply();
    await client.waitProgrammed({});
    const gate = Promise.withResolvers<void>();
    let reading = 0;
    let most = 0;
    plane.held = async () => {
      most = Math.max(most, ++reading);
      await gate.promise;
      reading--;
      return undefined;
    };
    core.table.plan = () => assert.fail("an Explain copies the whole plan");
    const max = LIMITS.explainsMax + LIMITS.explainsWaitingMax;
    let refused = 0;
    const asked = Array.from({ length: max + 3 }, () =>
      client.explain({ from: "node", address: "10.96.0.1", port: 80 }).catch((error: unknown) => {
        assert.match(String(error), /2 calls run and 64 wait/);
        if (++refused === 3) gate.resolve();
      }),
    );
    const answers = await Promise.all(asked);
    assert.equal(answers.filter((answer) => answer?.kernelChecked).length, max);
    assert.equal(most, LIMITS.explainsMax);
  });

  it("Explain says what the plane holds differently", async () => {
    await apply();
    await client.waitProgrammed({});
    const ask = async () =>
      (await client.explain({ from: "node", address: "10.96.0.1", port: 80 })).kernelDifferences;
    plane.held = async () => undefined;
    assert.deepEqual(await ask(), ["The kernel does not hold 10.96.0.1|TCP|80"]);
    const endpoint = { address: "10.1.0.9" as never, port: 8080, weight: 1 };
    plane.held = async () => ({
      inside: { kind: "list", endpoints: [endpoint] },
      outside: { kind: "drop" },
    });
    assert.deepEqual(await ask(), [
      "For pods the kernel lacks endpoint 10.1.0.1|8080",
      "For pods the kernel has endpoint 10.1.0.9|8080, which is not used",
      "For everybody else the kernel says drop, expected forward",
    ]);
    plane.held = async () => {
      throw new Error("EPERM");
    };
    assert.deepEqual(await ask(), ["The kernel cannot be read: EPERM"]);
  });

  const questions: [object, RegExp][] = [
    [{ from: "node", address: "x", port: 80 }, /address is "x", expected an IP address/],
    [{ from: "node", address: "10.96.0.1", port: 0 }, /port is 0, expected 1 to 65535/],
    [{ from: "node", address: "10.96.0.1", port: 1, protocol: "icmp" }, /protocol is "icmp"/],
    [{ from: "fd00::1", address: "10.96.0.1", port: 1 }, /from is "fd00::1", expected an IPv4/],
    [{ from: "client", address: "10.96.0.1", port: 1 }, /expected "node", an IP address or/],
    [{ from: "default/other", address: "10.96.0.1", port: 1 }, /Pod "default\/other" has no att/],
  ];
  for (const [question, message] of questions) {
    it(`Explain refuses ${JSON.stringify(question)}`, async () => {
      await assert.rejects(client.explain(question), message);
    });
  }
});
