import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LIMITS } from "../limits.ts";
import { cniCall, FakeHostWorld } from "../fake-host-world.ts";
import { FakeClock } from "../fake-clock.ts";
import { PluginRegistry } from "../registry.ts";
import { listNetworkPlugins } from "./plugin-status.ts";
import { examinePlugins } from "./plugins-doctor.ts";

describe("listNetworkPlugins() and examinePlugins()", () => {
  it("says of each plugin what uses it, and names those that are missing", async () => {
    const world = new FakeHostWorld();
    const host = await world.startHost();
    for (const [containerId, name, plugin] of [
      ["c1", "one", "routed"],
      ["c2", "one", "routed"],
      ["c3", "two", "other"],
    ] as const) {
      const netns = world.makeNetns(containerId, 100 + Number(containerId.slice(1)));
      const ranges = [[{ subnet: `10.${name.codePointAt(0)}.0.0/24` }]];
      const config = { name, plugin, ipam: { ranges } };
      const answer = await host.invoke(cniCall("ADD", { containerId, netns, config }));
      assert.equal(answer.exitCode, 0, answer.resultJson);
    }
    const builtIn = [world.routed];
    const events = { emit: () => {} };
    const registry = new PluginRegistry({ clock: new FakeClock(), events, builtIn });
    assert.deepEqual(listNetworkPlugins(host.context, registry.list()), [
      {
        name: "routed",
        version: "0.0.0",
        builtIn: true,
        trouble: "",
        note: "",
        roles: ["network"],
        capabilities: [],
        socket: "",
        networks: ["one"],
        attachments: 2,
      },
      {
        name: "other",
        trouble: "it is not connected: start it, or correct the name",
        networks: ["two"],
        attachments: 1,
      },
    ]);
    assert.deepEqual(examinePlugins(host.context, registry.list()), [
      {
        check: "plugin-other",
        severity: "error",
        message:
          "Plugin other: it is not connected: start it, or correct the name; its networks (two; attachments: 1) take and release no pods",
        remedy: "Start it, or correct the name in the network's configuration",
      },
    ]);
  });

  it("tells of a call that takes long, while it does", async () => {
    const world = new FakeHostWorld();
    const host = await world.startHost();
    const clock = new FakeClock();
    const events = { emit: () => {} };
    const registry = new PluginRegistry({ clock, events, builtIn: [world.routed] });
    const { promise, resolve } = Promise.withResolvers<void>();
    world.routed.before = () => promise;
    const told = () => examinePlugins(host.context, registry.list()).map(({ message }) => message);
    const call = registry.find("routed")?.list({ network: "" });
    clock.advance(4_999);
    const ok = "1 network plugins can be called";
    assert.deepEqual(told(), [ok]);
    clock.advance(7_500);
    assert.deepEqual(told(), [ok, "Plugin routed: its oldest call runs for 12 s"]);
    const more = Array.from({ length: LIMITS.pluginCallsMax - 1 }, () =>
      registry.find("routed")?.list({ network: "" }),
    );
    clock.advance(LIMITS.pluginStuckMs);
    const [status] = listNetworkPlugins(host.context, registry.list());
    assert.match(status?.trouble ?? "", /calls are under way/);
    assert.equal(status?.note, "");
    resolve();
    await Promise.all([call, ...more]);
    assert.deepEqual(told(), [ok]);
  });
});
