import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CONFIG_SCHEMA as BRIDGE_SCHEMA } from "../../plugins/bridge/config.ts";
import { parseIpamConfig } from "../../src/ipam/config.ts";
import { CONFIG_SCHEMA } from "../../src/plugin-host/cni/network-config.ts";
import { findSkipReason, type HostProcess, openNode, type Pod, type TestNode } from "./harness.ts";
import { add, addOk, delOk, errorOf, makeNetwork, type NetworkJson, readState } from "./runtime.ts";

const skip = findSkipReason() ?? false;
let node: TestNode;
let host: HostProcess;
let pod: Pod;

before(async () => {
  if (skip) return;
  node = await openNode();
  host = await node.startHost();
  pod = await node.createPod();
});

after(() => node?.[Symbol.asyncDispose]());

/** A wrong value of a field and what the message must say to expect. */
type Row = readonly [value: unknown, expected: string | RegExp];

const SUBNET = "10.0.0.0/24";
const TEXT: Row = [5, "type string"];
const LIST: Row = ["x", "type array"];
const RATE: Row = ["1", "type integer"];
const OBJECT: Row = ["x", "type object"];

/** Wrong values by field, "[]" for the first entry of a list. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  name: [
    TEXT,
    ["", /letters, digits/],
    ["-x", /letters, digits/],
    ["a/b", /letters, digits/],
    ["x".repeat(129), /128/],
  ],
  type: [TEXT],
  root: [["run", /absolute path/]],
  timeoutSeconds: [
    ["soon", "type number"],
    [0, /at least 1/],
    [3601, /at most 3600/],
  ],
  plugin: [TEXT, ["../x", /letters, digits/], ["x".repeat(64), /63/]],
  mtu: [
    ["1500", "type integer"],
    [1.5, "type integer"],
    [67, /at least 68/],
    [65_536, /at most 65535/],
    [-1, /at least 68/],
  ],
  ipMasq: [
    ["true", "type boolean"],
    [1, "type boolean"],
  ],
  dns: [OBJECT],
  "dns.nameservers": [LIST, [Array.from({ length: 17 }, () => "1.1.1.1"), /16/]],
  "dns.nameservers[]": [TEXT],
  "dns.domain": [TEXT],
  "dns.search": [LIST],
  "dns.search[]": [TEXT],
  "dns.options": [LIST],
  "dns.options[]": [TEXT],
  args: [OBJECT],
  "args.cni": [OBJECT],
  "args.cni.ips": [LIST, [["10.0.0.1", "fd00::1", "10.0.0.2"], /at most 2 entries/]],
  "args.cni.ips[]": [TEXT, ["10.0.0.300", "an IP address"], ["", "an IP address"]],
  runtimeConfig: [OBJECT],
  "runtimeConfig.ips": [LIST, [["10.0.0.1", "fd00::1", "10.0.0.2"], /at most 2 entries/]],
  "runtimeConfig.ips[]": [TEXT, ["web", "an IP address"]],
  "runtimeConfig.mac": [
    TEXT,
    ["02:00:00:00:00", /unicast MAC/],
    ["02-00-00-00-00-01", /unicast MAC/],
  ],
  dependsOn: [LIST],
  "dependsOn[]": [TEXT, ["", /1 characters|fits the schema/]],
  linkInContainer: [["yes", "type boolean"]],
  "runtimeConfig.io.kubernetes.cri.pod-annotations": [OBJECT],
  "runtimeConfig.bandwidth": [OBJECT],
  "runtimeConfig.bandwidth.ingressRate": [RATE, [-1, /at least 0/]],
  "runtimeConfig.bandwidth.ingressBurst": [RATE],
  "runtimeConfig.bandwidth.egressRate": [RATE],
  "runtimeConfig.bandwidth.egressBurst": [RATE],
  "runtimeConfig.portMappings": [LIST],
  "runtimeConfig.portMappings[]": [OBJECT],
  prevResult: [[{ cniVersion: "1.1.0", ips: [] }, /nothing: patchbay must be the first plugin/]],

  bridge: [TEXT, ["", /text like/], ["x".repeat(16), /text like/], ["a/b", /text like/]],
  hairpinMode: [["yes", "type boolean"]],
  portIsolation: [["yes", "type boolean"]],
  vlan: [
    ["7", "type integer"],
    [-1, /at least 0/],
    [4095, /at most 4094/],
  ],

  ipam: [OBJECT],
  "ipam.type": [["dhcp", "one of patchbay, host-local"]],
  "ipam.policy": [["Both", "one of RequireDual, PreferDual, Single"]],
  "ipam.cooldownSeconds": [
    ["1", /whole number/],
    [-1, /from 0 to 86400/],
    [86_401, /from 0 to 86400/],
  ],
  "ipam.dataDir": [[5, "a string"]],
  "ipam.resolvConf": [[5, "a string"]],
  "ipam.subnet": [
    ["10.0.0.0", /a subnet such as/],
    ["10.0.0.1/24", /without host bits: 10\.0\.0\.0\/24/],
  ],
  "ipam.rangeStart": [["10.0.0.9", /nothing without ipam\.subnet/]],
  "ipam.rangeEnd": [["10.0.0.9", /nothing without ipam\.subnet/]],
  "ipam.gateway": [["10.0.0.9", /nothing without ipam\.subnet/]],
  "ipam.ranges": [["x", "a list"]],
  "ipam.ranges[]": [
    ["x", "a list"],
    [[], /at least one range/],
  ],
  "ipam.ranges[][]": [
    ["x", "an object"],
    [
      { subnet: SUBNET, rangeStart: "10.0.0.20", rangeEnd: "10.0.0.10" },
      /at least one usable address/,
    ],
  ],
  "ipam.ranges[][].subnet": [
    [undefined, /a subnet such as/],
    ["fd00::/129", /a subnet such as/],
  ],
  "ipam.ranges[][].rangeStart": [
    ["10.0.1.1", /an address in 10\.0\.0\.0\/24/],
    ["x", /address/],
  ],
  "ipam.ranges[][].rangeEnd": [
    ["10.0.1.1", /an address in 10\.0\.0\.0\/24/],
    ["fd00::1", /IPv4 address/],
  ],
  "ipam.ranges[][].gateway": [
    ["fd00::1", /an IPv4 address/],
    [5, /an IPv4 address/],
  ],
  "ipam.ranges[][].exclude": [["10.0.0.9", "a list"]],
  "ipam.ranges[][].exclude[]": [
    ["10.0.1.9", /inside 10\.0\.0\.0\/24/],
    ["10.0.0.9-10.0.0.8", /first-last/],
  ],
  "ipam.ranges[][].reserved": [["10.0.0.9", "a list"]],
  "ipam.ranges[][].reserved[]": [["10.0.1.9", /an address in/]],
  "ipam.routes": [["0.0.0.0/0", "a list"]],
  "ipam.routes[]": [["0.0.0.0/0", "an object"]],
  "ipam.routes[].dst": [
    ["default", /a subnet such as/],
    [undefined, /a subnet such as/],
  ],
  "ipam.routes[].gw": [["fd00::1", /an IPv4 address/]],
  "ipam.routes[].mtu": [
    ["1500", /whole number/],
    [-1, /whole number/],
  ],
  "ipam.routes[].advmss": [["1400", /whole number/]],
  "ipam.routes[].priority": [[1.5, /whole number/]],
  "ipam.routes[].table": [[4_294_967_296, /whole number/]],
  "ipam.routes[].scope": [[256, /from 0 to 255/]],
};

test("the table of wrong fields has every field of every schema", () => {
  const fields = [
    ...schemaFields(CONFIG_SCHEMA, ""),
    ...schemaFields(BRIDGE_SCHEMA, ""),
    ...keysOfIpam({ "?": 1 }).map((key) => `ipam.${key}`),
    ...keysOfIpam({ ranges: [[{ "?": 1 }]] }).map((key) => `ipam.ranges[][].${key}`),
    ...keysOfIpam({ routes: [{ "?": 1 }] }).map((key) => `ipam.routes[].${key}`),
  ];
  assert.ok(fields.length > 40);
  assert.deepEqual(
    fields.filter((field) => !(field in TABLE)),
    [],
  );
});

for (const [field, rows] of Object.entries(TABLE)) {
  test(`ADD refuses a wrong ${field}, says what it expected, and changes nothing`, {
    skip,
  }, async () => {
    const state = await readState(node, host);
    for (const [value, expected] of rows) {
      const error = errorOf(await add(node, pod, withField(field, value)));
      const shown = JSON.stringify(value);
      assert.equal(error.code, 7, `${shown}: ${error.msg}`);
      const text = `${error.msg} ${error.details}`;
      const name = field.replaceAll("[]", "[0]");
      assert.ok(text.includes(name), `${shown}: ${error.msg} does not name ${name}`);
      if (typeof expected === "string") assert.ok(text.includes(`expected ${expected}`), text);
      else assert.match(text, expected);
    }
    assert.deepEqual(await readState(node, host), state);
  });
}

test("ADD refuses ipam keys that it does not know, and names those that it does", {
  skip,
}, async () => {
  for (const field of ["ipam.rangs", "ipam.ranges[][].subnets", "ipam.routes[].via"]) {
    const error = errorOf(await add(node, pod, withField(field, "x")));
    assert.equal(error.code, 7);
    assert.ok(error.msg.startsWith(field.replaceAll("[]", "[0]")), error.msg);
    assert.match(error.msg, /expected one of the keys \w+/);
  }
});

test("ADD without a name: error 7", { skip }, async () => {
  const error = errorOf(await add(node, pod, withField("name", undefined)));
  assert.equal(error.code, 7);
  assert.match(error.msg, /^name is missing/);
});

test("ADD passes over keys that other programs brought", { skip }, async () => {
  const network = {
    ...makeNetwork("routed"),
    capabilities: { mac: true },
    "cni.dev/unknown": { x: 1 },
    somebodysKey: [1, 2],
    args: { cni: { labels: [{ key: "a", value: "b" }] }, other: 1 },
    runtimeConfig: { portMappings: [], bandwidth: {}, "io.kubernetes.cri.pod-annotations": {} },
  };
  await addOk(node, pod, network);
  await delOk(node, pod, network);
});

/** A good network with one field changed, so that only this field can be refused. */
function withField(field: string, value: unknown): NetworkJson {
  const good = {
    ...makeNetwork("bridge"),
    ipam: {
      ranges: [[{ subnet: SUBNET, exclude: [], reserved: [] }]],
      routes: [{ dst: "0.0.0.0/0" }],
    },
  };
  // The one key that has dots itself.
  const path = field.replaceAll("[]", ".0").split(/\.(?!kubernetes\.|cri\.|pod-)/);
  return setAt(good, path, value) as NetworkJson;
}

function setAt(target: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown {
  const child = (target as Record<string, unknown> | undefined)?.[key];
  const inner = rest.length === 0 ? value : setAt(child, rest, value);
  if (key === "0") return [inner, ...((target as unknown[] | undefined) ?? []).slice(1)];
  return { ...(target as object | undefined), [key]: inner };
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

function schemaFields(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const field = prefix === "" ? key : `${prefix}.${key}`;
    return [field, ...schemaFields(child, field), ...(child.items ? [`${field}[]`] : [])];
  });
}

/** The keys that src/ipam knows somewhere, in its own words. */
function keysOfIpam(json: object): string[] {
  try {
    parseIpamConfig(json, "ipam");
  } catch (error) {
    const [, keys = ""] = /expected one of the keys (.*), got/.exec(String(error)) ?? [];
    return keys.split(", ");
  }
  throw new Error("An unknown key was not refused");
}
