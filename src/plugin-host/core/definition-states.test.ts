import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { CNI_VERSION_NEWEST } from "../cni/versions.ts";
import { parseNetworkConfig } from "../cni/network-config.ts";
import { FakeHostWorld, settled } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";
import type { Host } from "./host.ts";
import { listDefinitions } from "./definition-states.ts";

describe("listDefinitions()", () => {
  let world: FakeHostWorld;
  let host: Host;

  beforeEach(async () => {
    world = new FakeHostWorld();
    host = await world.startHost();
  });

  function put(namespace: string, name: string, config: object): void {
    const json = { name, ...config };
    const read = parseNetworkConfig(json, CNI_VERSION_NEWEST, { isExtra: true });
    const network = { ...read, name: `${namespace}/${name}` };
    world.definitions.put({ namespace, name, config: network, resourceName: "", cniTypes: [] });
  }

  async function problems(namespace = ""): Promise<readonly (string | undefined)[][]> {
    const views = await listDefinitions(host.context, namespace);
    return views.map(({ network, problem }) => [network, problem]);
  }

  it("asks schema, MTU and Status of the plugin", async () => {
    const schema = { properties: { mode: { enum: ["bridge"] } } };
    Object.assign(world.other.info, { configSchemaJson: JSON.stringify(schema) });
    put("b", "one", { plugin: "other", mode: "brige" });
    put("a", "two", { plugin: "other", mod: "bridge" });
    put("a", "three", { plugin: "none" });
    world.routed.before = () => Promise.reject(new Error("no program"));
    put("a", "four", {});
    assert.deepEqual(await problems(), [
      ["a/four", "not ready: no program"],
      ["a/three", "plugin none is not connected"],
      ["a/two", ""],
      ["b/one", 'plugin other refuses it: mode is "brige", expected one of "bridge"'],
    ]);
    const [two] = (await listDefinitions(host.context, "a")).slice(-1);
    assert.deepEqual(two?.warnings, ["mod is not a key of plugin other, did you mean mode?"]);
    assert.deepEqual((await problems("b")).length, 1);
  });

  it("asks all within one deadline", async () => {
    for (let index = 0; index < 3 * LIMITS.runningMax; index++) put("a", `n${index}`, {});
    put("a", "well", { plugin: "other" });
    world.routed.before = () => new Promise(() => {});
    const asked = problems();
    await settled();
    world.clock.advance(LIMITS.pluginStatusMs);
    const told = new Map((await asked).map(([name, problem]) => [name, problem]));
    const late = `not ready: Status of routed took longer than ${LIMITS.pluginStatusMs} ms`;
    assert.equal(told.get("a/n0"), late);
    assert.equal(told.get(`a/n${2 * LIMITS.runningMax}`), "not ready: nobody had time to ask");
  });

  it("does not ask a plugin in trouble", async () => {
    const { plugins } = host.context.ports;
    plugins.troubleOf = (name) => (name === "routed" ? "it hung up" : "");
    world.routed.before = () => assert.fail("asked");
    put("a", "one", {});
    assert.deepEqual(await problems(), [["a/one", "plugin routed: it hung up"]]);
  });
});
