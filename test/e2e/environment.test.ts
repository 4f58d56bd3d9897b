import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  type CniVerb,
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type ShimCall,
  type TestNode,
} from "./harness.ts";
import { attachmentCall, errorOf, makeNetwork, readState } from "./runtime.ts";

const skip = findSkipReason() ?? false;
const network = {
  ...makeNetwork("routed"),
  "cni.dev/valid-attachments": [] as object[],
};
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

const VERBS: readonly CniVerb[] = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];
const VARIABLES = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"] as const;
type Variable = (typeof VARIABLES)[number];

const BAD_IDS = ["-x", ".x", "_x", "a b", "a/b", "a\nb", "ä", "x".repeat(257)];
const BAD_NAMES = [
  ".",
  "..",
  "a/b",
  "a:b",
  "a b",
  "a\tb",
  "x".repeat(16),
  "é".repeat(8),
  "eth%d",
  "a\u0001",
];
const BAD_PATHS = [
  "netns",
  "./run/netns/x",
  "/etc/passwd",
  "/run",
  "/tmp/x",
  "/run/../etc/passwd",
  "/run/./x",
  "/run//x",
  "/run/netns/..",
  `/run/${"x".repeat(4096)}`,
];
const BAD_ARGS = [
  "novalue",
  "=x",
  "FOO=bar",
  "IgnoreUnknown=0;FOO=bar",
  "K8S_POD_NAME=a\u0001b",
  `K8S_POD_UID=${"x".repeat(254)}`,
];
const BAD_WISHES = [
  "IP=nonsense",
  "IP=10.0.0.300",
  "IP=10.0.0.5,,",
  "MAC=zz",
  "MAC=02:00:00:00:00",
];

/**
 * What each verb says to each variable when it is missing, and to values that are wrong. "" is
 * missing, as an unset variable is.
 */
const MATRIX: Readonly<
  Record<CniVerb, Readonly<Record<Variable, { required: boolean; wrong: readonly string[] }>>>
> = {
  ADD: {
    CNI_CONTAINERID: { required: true, wrong: BAD_IDS },
    CNI_NETNS: { required: true, wrong: BAD_PATHS },
    CNI_IFNAME: { required: true, wrong: BAD_NAMES },
    CNI_ARGS: { required: false, wrong: [...BAD_ARGS, ...BAD_WISHES] },
    CNI_PATH: { required: false, wrong: [] },
  },
  CHECK: {
    CNI_CONTAINERID: { required: true, wrong: BAD_IDS },
    CNI_NETNS: { required: true, wrong: BAD_PATHS },
    CNI_IFNAME: { required: true, wrong: BAD_NAMES },
    CNI_ARGS: { required: false, wrong: BAD_ARGS },
    CNI_PATH: { required: false, wrong: [] },
  },
  DEL: {
    CNI_CONTAINERID: { required: true, wrong: BAD_IDS },
    // The namespace may be gone, and its path with it: DEL does not look.
    CNI_NETNS: { required: false, wrong: [] },
    CNI_IFNAME: { required: true, wrong: BAD_NAMES },
    CNI_ARGS: { required: false, wrong: BAD_ARGS },
    CNI_PATH: { required: false, wrong: [] },
  },
  GC: ignoringAll(),
  STATUS: ignoringAll(),
  VERSION: ignoringAll(),
};

function ignoringAll() {
  const ignored = { required: false, wrong: [] };
  return {
    CNI_CONTAINERID: ignored,
    CNI_NETNS: ignored,
    CNI_IFNAME: ignored,
    CNI_ARGS: ignored,
    CNI_PATH: ignored,
  };
}

test("the matrix of verbs and variables has every cell", () => {
  assert.deepEqual(Object.keys(MATRIX).sort(), [...VERBS].sort());
  for (const row of Object.values(MATRIX)) assert.deepEqual(Object.keys(row), [...VARIABLES]);
});

for (const verb of VERBS) {
  for (const variable of VARIABLES) {
    const { required, wrong } = MATRIX[verb][variable];

    test(`${verb} ${required ? "needs" : "does without"} ${variable}`, { skip }, async () => {
      const state = await readState(node, host);
      for (const value of [undefined, ""]) {
        const answer = await node.execShim({ ...callOf(verb), env: { [variable]: value } });
        if (required) {
          const error = errorOf(answer);
          assert.equal(error.code, 4, error.msg);
          assert.match(error.msg, new RegExp(`^${variable} is missing, expected `));
        } else if (verb !== "CHECK") {
          assert.equal(answer.exitCode, 0, answer.stdout);
        } else {
          assert.equal(errorOf(answer).code, 104, "nothing is attached, and that is all");
        }
        if (verb === "ADD") await node.execShim(callOf("DEL"));
      }
      if (verb !== "ADD" || required) assert.deepEqual(await readState(node, host), state);
    });

    if (wrong.length === 0) continue;
    test(`${verb} refuses a wrong ${variable}, names it, and changes nothing`, {
      skip,
    }, async () => {
      const state = await readState(node, host);
      for (const value of wrong) {
        const answer = await node.execShim({ ...callOf(verb), env: { [variable]: value } });
        const error = errorOf(answer);
        assert.equal(error.code, 4, `${JSON.stringify(value)}: ${error.msg}`);
        assert.match(error.msg, new RegExp(`^${variable} .*expected `), value);
        assert.equal(error.cniVersion, network.cniVersion);
      }
      assert.deepEqual(await readState(node, host), state);
    });
  }
}

test("CNI_COMMAND that is no verb: error 4", { skip }, async () => {
  for (const command of ["add", "ADDD", "FOO", "COMMAND_ADD", "UNSPECIFIED", "toString"]) {
    const error = errorOf(await node.execShim({ ...callOf("ADD"), command }));
    assert.equal(error.code, 4);
    assert.match(error.msg, /CNI_COMMAND/);
  }
});

const BYTES: readonly [what: string, input: string | Uint8Array, code: number][] = [
  ["nothing", "", 6],
  ["half an object", '{"cniVersion":"1.1.0","name":', 6],
  ["text", "hello", 6],
  ["bytes that are no UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 6],
  ["a byte order mark alone", "\uFEFF", 6],
  ["a list", "[]", 7],
  ["null", "null", 7],
  ["a number", "42", 7],
  ["nested a hundred thousand times", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, 7],
  ["more than a mebibyte", JSON.stringify({ name: "x".repeat(2 << 20) }), 7],
];

test("standard input that is no configuration: 6 or 7", { skip }, async () => {
  const state = await readState(node, host);
  for (const verb of VERBS.filter((verb) => verb !== "VERSION")) {
    for (const [what, input, code] of BYTES) {
      const answer = await node.execShim({ ...callOf(verb), config: rooted(input) });
      const error = errorOf(answer);
      // Where the shim cannot read a root it asks for the machine's own host, which is not there.
      const expected = verb === "DEL" ? [code, 6] : [code, 11, 50];
      assert.ok(expected.includes(error.code), `${verb} of ${what}: ${error.code} ${error.msg}`);
    }
  }
  assert.deepEqual(await readState(node, host), state);
});

test("a cniVersion that is not known: error 1, and the known ones", { skip }, async () => {
  const state = await readState(node, host);
  for (const cniVersion of ["0.1.0", "0.2.0", "2.0.0", "1.1", "", 1, null, undefined, ["1.1.0"]]) {
    for (const verb of VERBS.filter((verb) => verb !== "VERSION")) {
      const config = { ...network, cniVersion };
      const error = errorOf(await node.execShim({ ...callOf(verb), config }));
      assert.equal(error.code, 1, `${verb} ${JSON.stringify(cniVersion)}`);
      assert.match(error.msg, /0\.3\.0, 0\.3\.1, 0\.4\.0, 1\.0\.0, 1\.1\.0/);
      assert.equal(error.cniVersion, "1.1.0");
    }
  }
  assert.deepEqual(await readState(node, host), state);
});

test("ADD into the node's own namespace, by any name: error 8", { skip }, async () => {
  const folder = join(node.root, "../own");
  mkdirSync(folder, { recursive: true });
  symlinkSync(node.netns, `${folder}/link`);
  const state = await readState(node, host);
  for (const netns of [
    node.netns,
    "/proc/self/ns/net",
    `/proc/${host.pid}/ns/net`,
    `/proc/${host.pid}/task/${host.pid}/ns/net`,
    `${folder}/link`,
  ]) {
    const error = errorOf(await node.execShim({ ...callOf("ADD"), netns }));
    assert.equal(error.code, 8, `${netns}: ${error.msg}`);
    assert.match(error.msg, /CNI_NETNS/);
  }
  assert.deepEqual(await readState(node, host), state);
});

test("ADD into what is no network namespace: error 4, at once", { skip }, async () => {
  const base = join(node.root, "../paths");
  mkdirSync(base, { recursive: true });
  writeFileSync(`${base}/file`, "hello");
  symlinkSync("nowhere", `${base}/dangling`);
  symlinkSync("loop", `${base}/loop`);
  await using server = createServer().listen(`${base}/socket`);
  await node.run(["mkfifo", `${base}/fifo`]);
  const state = await readState(node, host);
  for (const netns of [
    `${base}/file`,
    base,
    `${base}/dangling`,
    `${base}/loop`,
    `${base}/socket`,
    `${base}/fifo`,
    `${base}/absent`,
    `${base}/file/below`,
    `${base}/new\nline`,
    `${base}/$(reboot)`,
    `${base}/${"x".repeat(255)}`,
    `${base}/${"x".repeat(256)}`,
    `/proc/${host.pid}/ns/mnt`,
    `/proc/${host.pid}/ns/pid`,
    `/proc/${host.pid}/mem`,
    "/proc/999999999/ns/net",
    "/proc/kmsg",
  ]) {
    const error = errorOf(await node.execShim({ ...callOf("ADD"), netns }));
    assert.equal(error.code, 4, `${JSON.stringify(netns)}: ${error.msg} ${error.details}`);
    assert.match(error.msg, /^CNI_NETNS/);
  }
  assert.ok(server.listening);
  assert.deepEqual(await readState(node, host), state);
});

test("ADD follows a link to a pod's namespace", { skip }, async () => {
  const base = join(node.root, "../links");
  mkdirSync(base, { recursive: true });
  symlinkSync(pod.netns, `${base}/pod`);
  const answer = await node.execShim({ ...callOf("ADD"), netns: `${base}/pod` });
  assert.equal(answer.exitCode, 0, answer.stdout);
  assert.equal((await node.execShim(callOf("DEL"))).exitCode, 0);
});

function callOf(command: CniVerb): ShimCall {
  return { command, ...attachmentCall(pod, network) };
}

/** Text that is an object gets the root into it; what cannot have one is passed as it is. */
function rooted(input: string | Uint8Array): string | Uint8Array {
  if (typeof input !== "string" || !input.startsWith("{")) return input;
  return `{"root":${JSON.stringify(node.root)},${input.slice(1)}`;
}
