import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvokeRequest__Output } from "../../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { findCniVersion, findNetns, parseCniRequest } from "./request.ts";
import { CNI_VERSIONS, isAtLeast, VERB_SINCE, type Verb } from "./versions.ts";

const VERBS = Object.keys(VERB_SINCE) as Verb[];
const GOOD: InvokeRequest__Output = {
  command: "COMMAND_ADD",
  containerId: "c1",
  netns: "/run/netns/c1",
  ifname: "eth0",
  args: "",
  path: "/opt/cni/bin",
  configJson: Buffer.from('{"cniVersion":"1.1.0","name":"net"}'),
  trace: null,
  shimVersion: "",
};

/** The code and the message with which a request is refused; "" when it is not. */
function refusal(change: Partial<InvokeRequest__Output>): string {
  try {
    parseCniRequest({ ...GOOD, ...change });
    return "";
  } catch (error) {
    assert.ok(error instanceof PatchbayError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

function configOf(json: unknown): Buffer {
  return Buffer.from(JSON.stringify(json));
}

test("parseCniRequest() gives each verb its fields", () => {
  for (const verb of VERBS) {
    const request = parseCniRequest({ ...GOOD, command: `COMMAND_${verb}` });
    assert.equal(request.verb, verb);
    const has = (key: string) => key in request;
    assert.equal(has("config"), verb !== "VERSION", verb);
    assert.equal(has("containerId"), ["ADD", "DEL", "CHECK"].includes(verb), verb);
    assert.equal(has("netns"), ["ADD", "CHECK"].includes(verb), verb);
  }
});

test("parseCniRequest() serves each verb from its version of the specification on", () => {
  for (const verb of VERBS) {
    for (const cniVersion of CNI_VERSIONS) {
      const text = refusal({
        command: `COMMAND_${verb}`,
        configJson: configOf({ cniVersion, name: "net" }),
      });
      const expected =
        verb === "VERSION" || isAtLeast(cniVersion, VERB_SINCE[verb])
          ? ""
          : `INCOMPATIBLE_CNI_VERSION: ${verb} needs cniVersion ${VERB_SINCE[verb]} or newer, the configuration says ${cniVersion}`;
      assert.equal(text, expected);
    }
  }
});

const VERSIONS = "0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0";
const REFUSED: readonly [change: Partial<InvokeRequest__Output>, message: string][] = [
  [{ command: "COMMAND_UNSPECIFIED" }, 'INVALID_ENVIRONMENT: Unknown CNI_COMMAND "UNSPECIFIED"'],
  [{ configJson: Buffer.from("{") }, "UNDECODABLE_CONTENT: Network configuration is not JSON"],
  [{ configJson: Buffer.from("") }, "UNDECODABLE_CONTENT: Network configuration is not JSON"],
  [
    { configJson: Buffer.from([0x22, 0xff, 0x22]) },
    "UNDECODABLE_CONTENT: Network configuration is not JSON",
  ],
  [{ configJson: configOf([]) }, "INVALID_NETWORK_CONFIG: Network configuration is not an object"],
  [
    { configJson: configOf(null) },
    "INVALID_NETWORK_CONFIG: Network configuration is not an object",
  ],
  [{ configJson: configOf("x") }, "INVALID_NETWORK_CONFIG: Network configuration is not an object"],
  [
    { configJson: Buffer.alloc(LIMITS.configBytesMax + 1, " ") },
    `INVALID_NETWORK_CONFIG: Network configuration has ${LIMITS.configBytesMax + 1} bytes, at most ${LIMITS.configBytesMax} are read`,
  ],
  [
    { configJson: configOf({ name: "net" }) },
    `INCOMPATIBLE_CNI_VERSION: cniVersion undefined is not supported, only ${VERSIONS}`,
  ],
  [
    { configJson: configOf({ name: "net", cniVersion: "0.2.0" }) },
    `INCOMPATIBLE_CNI_VERSION: cniVersion "0.2.0" is not supported, only ${VERSIONS}`,
  ],
  [
    { containerId: "" },
    "INVALID_ENVIRONMENT: CNI_CONTAINERID is missing, expected an alphanumeric, then alphanumerics, '_', '.' or '-', at most 256",
  ],
  [
    { ifname: "" },
    "INVALID_ENVIRONMENT: CNI_IFNAME is missing, expected 1 to 15 ASCII characters without blank, '/', ':' or '%', not 'all' or 'default'",
  ],
  [
    { netns: "" },
    "INVALID_ENVIRONMENT: CNI_NETNS is missing, expected an absolute path without '.' or '..' below one of /run/ /var/run/ /proc/ /var/lib/",
  ],
  [{ args: "x" }, "INVALID_ENVIRONMENT: CNI_ARGS is \"x\", expected K=V pairs joined by ';'"],
  [
    { args: "A=1" },
    'INVALID_ENVIRONMENT: CNI_ARGS is "A", expected a known key, or IgnoreUnknown=1 beside it',
  ],
  [
    { args: "IP=10.0.0.256" },
    "INVALID_ENVIRONMENT: CNI_ARGS is \"IP=10.0.0.256\", expected IP addresses joined by ','",
  ],
];

test("parseCniRequest() names what is wrong and what it expected", () => {
  for (const [change, message] of REFUSED) assert.equal(refusal(change), message);
});

const IFNAMES: readonly [name: string, isGood: boolean][] = [
  ["e", true],
  ["x".repeat(15), true],
  ["x".repeat(16), false],
  ["é", false],
  ["\u202Eeth0", false],
  ["all", false],
  ["default", false],
  ["defaults", true],
  ["eth0.5", true],
  ["...", true],
  [".", false],
  ["..", false],
  ["eth%d", false],
  ["a/b", false],
  ["a:b", false],
  ["a b", false],
  ["a\u00a0b", false],
  ["a\n", false],
  ["a\0", false],
  ["a\u007f", false],
];

test("parseCniRequest() takes the names that the kernel takes for links", () => {
  for (const [ifname, isGood] of IFNAMES) {
    assert.equal(refusal({ ifname }) === "", isGood, JSON.stringify(ifname));
  }
});

const PATHS: readonly [path: string, isGood: boolean][] = [
  ["/run/netns/x", true],
  ["/var/run/netns/cni-1234", true],
  ["/proc/1234/ns/net", true],
  ["/var/lib/x/netns", true],
  ["/run/a..b", true],
  ["/run/.hidden", true],
  ["/run", false],
  ["run/netns/x", false],
  ["/tmp/netns", false],
  ["/runx/netns", false],
  ["/run/../etc/shadow", false],
  ["/run/./x", false],
  ["/run//x", false],
  ["/run/..", false],
  ["/run/a\0b", false],
  [`/run/${"x".repeat(4091)}`, false],
];

test("parseCniRequest() takes paths of namespaces below the folders of runtimes", () => {
  for (const [netns, isGood] of PATHS) {
    assert.equal(refusal({ netns }) === "", isGood, netns);
    assert.equal(findNetns(netns) === netns, isGood, netns);
  }
});

test("parseCniRequest() reads CNI_ARGS", () => {
  const args =
    "IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_UID=u=1;;IP=10.0.0.5,fd00::5;MAC=02:00:00:00:00:01;X=y";
  const request = parseCniRequest({ ...GOOD, args });
  assert.ok(request.verb === "ADD");
  assert.deepEqual(request.args, {
    podNamespace: "default",
    podName: "web-0",
    podUid: "u=1",
    ip: "10.0.0.5,fd00::5",
    mac: "02:00:00:00:00:01",
  });
  assert.equal(refusal({ args: "IgnoreUnknown=0;X=y" }).startsWith("INVALID_ENVIRONMENT"), true);
  assert.equal(refusal({ command: "COMMAND_DEL", args: "IP=nonsense" }), "", "DEL does not look");
});

test("findCniVersion() finds what the bytes name, else the newest", () => {
  for (const cniVersion of CNI_VERSIONS)
    assert.equal(findCniVersion(configOf({ cniVersion })), cniVersion);
  for (const bytes of ["", "{", "null", "[]", '{"cniVersion":"7"}', '{"cniVersion":1}', "5"]) {
    assert.equal(findCniVersion(Buffer.from(bytes)), "1.1.0", bytes);
  }
});
