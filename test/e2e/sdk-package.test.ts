import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { fakeHost } from "../../src/plugin-sdk/fake-host.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { findSkipReason, openNode, shimFile, type TestNode, until } from "./harness.ts";
import { openLocalRegistry } from "./local-registry.ts";
import { add, addOk, delOk, errorOf, type NetworkJson } from "./runtime.ts";

const repository = join(import.meta.dirname, "../..");
const example = join(repository, "examples/typescript/plugin.ts");
const skip = findSkipReason() ?? false;

/** Longest run of a program that a test waits for, ms. */
const PROGRAM_LIMIT_MS = 100_000;

/** Everything that a plugin in JavaScript has to say. */
const plainPlugin = `
import { definePlugin, PluginError, serve } from "patchbay/plugin-sdk";
const held = new Map();
await serve(definePlugin({
  name: "plain",
  version: "1.0.0",
  attach({ attachmentId, ifname, netns, addresses }) {
    if (ifname === "lo") throw new PluginError("interface-exists", "lo is always there");
    held.set(attachmentId, ifname);
    return { interfaces: [{ name: ifname, sandbox: netns }], addresses };
  },
  detach: ({ attachmentId }) => held.delete(attachmentId),
  list: () => [...held].map(([attachmentId, object]) => ({ attachmentId, object })),
}));
`;

describe("the package that npm pack makes", { skip }, () => {
  let folder = "";

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pb-package-"));
    const packed = await run("npm", ["pack", "--json", "--pack-destination", folder], repository);
    const tarball = join(folder, findTarballName(packed));
    await using registry = await openLocalRegistry();
    const where = ["--registry", registry.url, "--cache", join(folder, "cache")];
    await run("npm", ["install", "--no-audit", "--no-fund", ...where, tarball], folder);
    await run("npm", ["pkg", "set", "type=module"], folder);
    cpSync(example, join(folder, "plugin.ts"));
    writeFileSync(join(folder, "plain.js"), plainPlugin);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("has types by which a plugin compiles, strictly and with all libraries checked", async () => {
    await compile("plugin.ts");
  });

  test("has types by which a wrong plugin does not compile", async () => {
    const right = readFileSync(example, "utf8");
    const wrong = right.replace("order.mac || podMac", "order.mac || 5");
    assert.notEqual(wrong, right);
    writeFileSync(join(folder, "wrong.ts"), wrong);
    await assert.rejects(compile("wrong.ts"), /wrong\.ts.*error TS/);
  });

  async function compile(file: string): Promise<void> {
    const compiler = join(repository, "node_modules/.bin/tsc");
    const flags = ["--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--noEmit"];
    const more = ["--target", "es2023", "--skipLibCheck", "false", "--types", "node"];
    await run(compiler, ["--ignoreConfig", ...flags, ...more, file], folder);
  }

  test("has a plugin-sdk that loads neither koffi nor SQLite nor what the host needs", async () => {
    const script = `
      await import("patchbay/plugin-sdk");
      const loaded = process.moduleLoadList.filter((name) => /sqlite/.test(name));
      const { readFileSync } = await import("node:fs");
      loaded.push(...readFileSync("/proc/self/maps", "utf8").match(/koffi/g) ?? []);
      console.log(JSON.stringify(loaded));`;
    const printed = await run(process.execPath, ["--input-type=module", "-e", script], folder);
    assert.deepEqual(JSON.parse(printed), []);
  });

  for (const [title, node] of [
    ["the pinned Node", process.execPath],
    ["the Node of the machine", findOtherNode()],
  ] as const) {
    const noNode = node === undefined && "the machine has no other Node";
    test(`runs a plugin in JavaScript by ${title}`, { skip: noNode }, async (t) => {
      const socket = join(folder, "plain.sock");
      const plugin = spawnProgram(t, [node ?? "", "plain.js", "--socket", socket]);
      await until("the socket", 20_000, () => existsSync(socket));
      await using host = await fakeHost(socket);
      assert.equal(host.info.name, "plain");
      const { interfaces } = await host.attach();
      assert.equal(interfaces[0]?.name, "eth0");
      assert.deepEqual(await host.list(), [{ attachmentId: "fake-1", object: "eth0" }]);
      await assert.rejects(host.attach({ ifname: "lo" }), { kind: "interface-exists" });
      await host.detach();
      assert.deepEqual(await host.list(), []);
      plugin.kill("SIGTERM");
      assert.deepEqual(await once(plugin, "exit"), [0, null]);
      assert.ok(!existsSync(socket));
    });
  }

  test("has a CLI that runs by the Node that runs it", async () => {
    const cli = join(folder, "node_modules/.bin/patchbay");
    const printed = await run(process.execPath, [cli, "version", "--json"], folder);
    assert.equal((JSON.parse(printed) as { node: string }).node, process.version);
    const rules = await run(process.execPath, [cli, "conformance", "--list-rules"], folder);
    assert.match(rules, /attach-interface/);
    const places = ["--cni-bin-dir", join(folder, "bin"), "--cni-conf-dir", join(folder, "conf")];
    await run(process.execPath, [cli, "install", "--root", folder, ...places], folder);
    assert.deepEqual(readFileSync(join(folder, "bin/patchbay")), readFileSync(shimFile));
  });

  test("has a host that attaches pods", async (t) => {
    await using node = await openNode();
    const cli = join(folder, "node_modules/.bin/patchbay");
    const host = ["host", "--root", node.root, "--metrics-port", "off", "--log-level", "warn"];
    const enter = ["nsenter", `--net=${node.netns}`, "--"];
    spawnProgram(t, [...enter, process.execPath, cli, ...host]);
    const pod = await node.createPod();
    const network = { ...makeNetwork(), plugin: "routed" };
    await until("an ADD by the installed host", 30_000, async () => {
      const answer = await add(node, pod, network);
      return answer.exitCode === 0;
    });
    await delOk(node, pod, network);
  });

  test("gives pods a network by a plugin below node_modules, through a real host", async (t) => {
    await using node = await openNode();
    const plugin = spawnExample(t, node);
    await node.startHost();
    const network = makeNetwork();
    const [one, two] = await Promise.all([node.createPod(), node.createPod()]);
    await until("an ADD by the plugin", 20_000, async () => {
      const answer = await add(node, one, network);
      return answer.exitCode === 0;
    });
    const { ips, interfaces } = await addOk(node, two, network);
    assert.deepEqual(
      interfaces.map(({ name, sandbox }) => [name.startsWith("pb") ? "pb" : name, sandbox ?? ""]),
      [
        ["pb", ""],
        ["eth0", two.netns],
      ],
    );
    for (const { address } of ips) {
      const [target = ""] = address.split("/");
      const ping = ["ping", "-c", "1", "-W", "5", target];
      const { exitCode, stdout } = await node.runInPod(one, ping);
      assert.equal(exitCode, 0, stdout);
    }
    await delOk(node, two, network);
    assert.equal(await node.kernel.findLink("eth0", two.netns), undefined);

    // Dead, it harms its own networks alone, and what it made stays.
    plugin.kill("SIGKILL");
    await once(plugin, "exit");
    assert.equal(errorOf(await add(node, two, network)).code, 11);
    const other = { ...network, name: "other", plugin: "routed", ipam: otherIpam };
    await addOk(node, two, other);
    await delOk(node, two, other);
    assert.ok(await node.kernel.findLink("eth0", one.netns));
    spawnExample(t, node);
    await until("an ADD by its next life", 20_000, async () => {
      const answer = await add(node, two, network);
      return answer.exitCode === 0;
    });
    await delOk(node, one, network);
    await delOk(node, two, network);
    const links = await node.kernel.links(node.netns);
    assert.deepEqual(links.map(({ name }) => name).toSorted(), ["lo", "patchbay0", "sdkbr0"]);
  });

  function spawnExample(t: TestContext, node: TestNode): ChildProcess {
    const enter = ["nsenter", `--net=${node.netns}`, "--"];
    const argv = [...enter, process.execPath, "plugin.ts"];
    return spawnProgram(t, argv, { PATCHBAY_ROOT: pathsBelow(node.root).root });
  }

  function spawnProgram(
    t: TestContext,
    [file = "", ...args]: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...process.env, ...more };
    delete env["NODE_TEST_CONTEXT"];
    const child = spawn(file, args, { cwd: folder, env, stdio: ["ignore", "inherit", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    return child;
  }
});

const otherIpam = { ranges: [[{ subnet: "10.98.0.0/24" }]] };

function makeNetwork(): NetworkJson {
  const ipam = { ranges: [[{ subnet: "10.99.0.0/24" }], [{ subnet: "fd00:99::/64" }]] };
  const plugin = { type: "patchbay", plugin: "example-bridge", bridge: "sdkbr0" };
  return { cniVersion: "1.1.0", name: "sdk", ...plugin, ipam };
}

/** npm 11 answers an array, later ones an object by name. */
function findTarballName(json: string): string {
  return /"filename": "([^"]+\.tgz)"/.exec(json)?.[1] ?? "";
}

/** A Node that is not the pinned one: third parties run what they have. */
function findOtherNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders
    .filter((each) => !each.startsWith(repository))
    .map((each) => join(each, "node"))
    .find((file) => existsSync(file));
}

/** Standard output of a program that must succeed. */
async function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env["NODE_TEST_CONTEXT"];
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn(file, args, { cwd, env, stdio: [...stdio], timeout: PROGRAM_LIMIT_MS });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0) {
    throw new Error(`${file} ${args.join(" ")} ended with ${code ?? signal}:\n${stderr}${stdout}`);
  }
  return stdout;
}
