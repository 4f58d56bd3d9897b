import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ObjectKey } from "../../services/objects.ts";
import type { HostEvent, NetworkDefinitions } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import type { IpamClaim, NetworkAttachmentDefinition } from "../manifests/manifest-object.ts";
import { stateOf } from "./definition-state.ts";
import { Definitions } from "./definitions.ts";
import { examineConfigs, examineDefinitions } from "./definitions-doctor.ts";
import { FakeDefinitions } from "./fake-definitions.ts";

function definition(
  name: string,
  config: unknown,
  more: { readonly place?: string; readonly resource?: string } = {},
): NetworkAttachmentDefinition {
  const annotations = { "k8s.v1.cni.cncf.io/resourceName": more.resource ?? "" };
  return {
    kind: "NetworkAttachmentDefinition",
    metadata: { name, namespace: "prod", annotations },
    spec: { config: typeof config === "string" ? config : JSON.stringify(config) },
    place: more.place ?? "nets.yaml:3",
  };
}

function claim(name: string): IpamClaim {
  const metadata = { name, namespace: "prod" };
  return { kind: "IPAMClaim", metadata, spec: { network: "a", interface: "net1" } };
}

class Scene {
  readonly events: HostEvent[] = [];
  readonly conflists = new Map<string, string>();
  readonly definitions: Definitions;

  constructor(isComplete = false) {
    this.definitions = new Definitions({
      isComplete,
      findConflist: (name) => this.conflists.get(name),
      events: { emit: (event) => void this.events.push(event) },
    });
  }

  /** What find() answers: the plugin, nothing, or why not. */
  find(name: string, namespace = "prod"): string | undefined {
    try {
      return this.definitions.find(namespace, name)?.config.plugin;
    } catch (error) {
      assert.ok(error instanceof PatchbayError, String(error));
      return `${error.code}: ${error.message}`;
    }
  }
}

describe("Definitions", () => {
  it("is complete with the first list, or where there is no source", () => {
    assert.equal(new Scene(true).definitions.isComplete, true);
    const { definitions } = new Scene();
    definitions.apply([{ kind: "put", object: definition("a", { type: "ptp" }) }]);
    assert.equal(definitions.isComplete, false);
    definitions.apply([{ kind: "relist", objects: [] }]);
    assert.deepEqual([definitions.isComplete, definitions.list()], [true, []]);
  });

  it("finds what was put, until it is deleted or no longer listed", () => {
    const scene = new Scene();
    const node = { kind: "Node" as const, metadata: { name: "a", namespace: "" } };
    const own = definition("a", { type: "patchbay" }, { resource: "example.com/nic" });
    scene.definitions.apply([
      { kind: "relist", objects: [own, definition("b", { type: "ptp" }), claim("c"), node] },
    ]);
    assert.deepEqual(
      [scene.find("a"), scene.find("b"), scene.find("c"), scene.find("a", "other")],
      ["routed", "cni-exec", undefined, undefined],
    );
    assert.equal(scene.definitions.find("prod", "a")?.resourceName, "example.com/nic");
    const key = "NetworkAttachmentDefinition/prod/a" as ObjectKey;
    scene.definitions.apply([
      { kind: "delete", key },
      { kind: "put", object: definition("b", { type: "patchbay", plugin: "bridge" }) },
    ]);
    assert.deepEqual([scene.find("a"), scene.find("b")], [undefined, "bridge"]);
    scene.definitions.apply([{ kind: "relist", objects: [own] }]);
    assert.deepEqual([scene.find("a"), scene.find("b")], ["routed", undefined]);
    assert.deepEqual(scene.events, []);
  });

  it("knows claims by namespace and name", () => {
    const { definitions } = new Scene();
    definitions.apply([{ kind: "put", object: claim("vm") }]);
    const has = () => [definitions.hasClaim("prod", "vm"), definitions.hasClaim("other", "vm")];
    assert.deepEqual(has(), [true, false]);
    definitions.apply([{ kind: "delete", key: "IPAMClaim/prod/vm" as ObjectKey }]);
    assert.deepEqual(has(), [false, false]);
  });

  it("keeps what is wrong with a definition, for who asks for it, and tells it once", () => {
    const scene = new Scene();
    const broken = definition("a", { type: "patchbay", mtu: 5 });
    scene.definitions.apply([{ kind: "relist", objects: [broken, definition("b", "{")] }]);
    const problem = "spec.config: mtu is 5, expected at least 68";
    assert.equal(
      scene.find("a"),
      `INVALID_NETWORK_CONFIG: NetworkAttachmentDefinition prod/a (nets.yaml:3): ${problem}`,
    );
    const told = {
      kind: "definition-failed",
      subject: "prod/a",
      message: `nets.yaml:3: ${problem}`,
      about: {
        kind: "NetworkAttachmentDefinition",
        namespace: "prod",
        name: "a",
        uid: "",
        sentence: problem,
      },
    };
    assert.deepEqual(scene.events[0], told);
    assert.match(scene.events[1]?.message ?? "", /^nets\.yaml:3: spec\.config is not JSON: /);
    scene.definitions.apply([{ kind: "relist", objects: [broken, definition("b", "{")] }]);
    scene.definitions.apply([{ kind: "put", object: broken }]);
    assert.equal(scene.events.length, 2);
    scene.definitions.apply([{ kind: "put", object: definition("a", { type: "patchbay" }) }]);
    assert.equal(scene.find("a"), "routed");
    scene.definitions.apply([{ kind: "put", object: broken }]);
    assert.deepEqual(scene.events[2], told);
  });

  it("lists all by name, with place and problem", () => {
    const scene = new Scene();
    const objects = [
      definition("b", "5", { place: "" }),
      definition("a", { type: "ptp" }, { place: "x.json" }),
    ];
    scene.definitions.apply([{ kind: "relist", objects }]);
    assert.deepEqual(
      scene.definitions.list().map(({ definition, ...entry }) => ({
        ...entry,
        plugin: definition?.config.plugin,
      })),
      [
        { namespace: "prod", name: "a", place: "x.json", plugin: "cni-exec", problem: "" },
        {
          namespace: "prod",
          name: "b",
          place: "",
          plugin: undefined,
          problem: "spec.config is not a JSON object",
        },
      ],
    );
  });

  it("reads the node's configuration whenever a definition without one is asked for", () => {
    const scene = new Scene();
    scene.definitions.apply([{ kind: "put", object: definition("a", "") }]);
    assert.match(scene.find("a") ?? "", /the node has no CNI configuration named a$/);
    scene.conflists.set("a", '{"name":"a","type":"ptp"}');
    assert.equal(scene.find("a"), "cni-exec");
    assert.equal(scene.definitions.list()[0]?.problem, "");
  });
});

describe("examineConfigs()", () => {
  it("tells of keys that nobody reads, in the node's own configurations", () => {
    const configSchemaJson = JSON.stringify({ properties: { bridge: {} } });
    const plugins = {
      find: (name: string) =>
        name === "bridge" ? ({ info: { name, configSchemaJson } } as never) : undefined,
    };
    const configJson = JSON.stringify({ type: "patchbay", name: "lan", birdge: "br0" });
    const network = { plugin: "bridge", configJson };
    const networks = [
      { ...network, name: "lan" },
      { ...network, name: "prod/lan" },
      { ...network, name: "other", plugin: "gone" },
    ];
    assert.deepEqual(
      examineConfigs(networks, plugins).map(({ check, message }) => [check, message]),
      [["network-lan", "Network lan: birdge is not a key of plugin bridge, did you mean bridge?"]],
    );
  });
});

describe("examineDefinitions()", () => {
  const schema = JSON.stringify({ type: "object", properties: { master: { type: "string" } } });
  const plugins = {
    names: () => ["macvlan"],
    find: (name: string) =>
      name === "macvlan" ? ({ info: { name, configSchemaJson: schema } } as never) : undefined,
    troubleOf: () => down,
  };
  let down = "";
  const examine = (definitions: NetworkDefinitions) =>
    examineDefinitions(
      definitions,
      definitions.list().map((entry) => stateOf(entry, plugins)),
      plugins,
    );

  it("says nothing where there are none, and that they are not there yet", () => {
    const definitions = new FakeDefinitions();
    assert.deepEqual(examine(definitions), []);
    definitions.isComplete = false;
    assert.equal(examine(definitions)[0]?.severity, "warning");
  });

  it("finds what an ADD would meet", () => {
    const { definitions } = new Scene();
    const own = { type: "patchbay", plugin: "macvlan" };
    const good = definition("good", { ...own, master: "eth1" });
    definitions.apply([{ kind: "relist", objects: [good] }]);
    assert.deepEqual(examine(definitions), [
      {
        check: "network-definitions",
        severity: "ok",
        message: "The network definition can be used",
        remedy: "",
      },
    ]);
    definitions.apply([
      { kind: "put", object: definition("bad", { ...own, master: 5 }, { place: "" }) },
      { kind: "put", object: definition("broken", "[]") },
      { kind: "put", object: definition("exec", { type: "ptp" }) },
    ]);
    assert.deepEqual(
      examine(definitions).map(({ severity, message }) => [severity, message]),
      [
        [
          "error",
          "NetworkAttachmentDefinition prod/bad: plugin macvlan refuses it: master is 5, expected type string",
        ],
        [
          "error",
          "NetworkAttachmentDefinition prod/broken (nets.yaml:3): spec.config is not a JSON object",
        ],
        [
          "warning",
          "NetworkAttachmentDefinition prod/exec (nets.yaml:3): plugin cni-exec is not connected",
        ],
      ],
    );
  });

  it("warns of what may be a mistake, of an MTU that is none and of a plugin that is down", () => {
    const { definitions } = new Scene();
    const own = { type: "patchbay", plugin: "macvlan" };
    const ipam = { ranges: [[{ subnet: "fd00::/64" }]] };
    definitions.apply([
      { kind: "relist", objects: [] },
      { kind: "put", object: definition("a", { ...own, mastr: "eth1" }) },
      { kind: "put", object: definition("b", { ...own, mtu: 1000, ipam }) },
    ]);
    const told = () =>
      examine(definitions).map(({ severity, message }) => `${severity} ${message}`);
    const where = (name: string) => `NetworkAttachmentDefinition prod/${name} (nets.yaml:3)`;
    const warning = `warning ${where("a")}: mastr is not a key of plugin macvlan, did you mean master?`;
    const refused = `error ${where("b")}: plugin macvlan refuses it: mtu is 1000, expected at least 1280 where ipam.ranges has IPv6`;
    assert.deepEqual(told(), [warning, refused]);
    definitions.apply([{ kind: "delete", key: "NetworkAttachmentDefinition/prod/b" as ObjectKey }]);
    assert.deepEqual(told(), ["ok The network definition can be used", warning]);
    down = "it hung up";
    assert.deepEqual(told(), [`warning ${where("a")}: plugin macvlan: it hung up`, warning]);
  });
});
