/** The plugins below examples/, each in a process of its own beside a real host. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parsePrefix } from "../../src/ip/address.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { EXAMPLES, findReasonToSkip, NOOP_PLUGIN } from "../examples.ts";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type ShimAnswer,
  type TestNode,
  until,
} from "./harness.ts";
import { askFor, startHostWith, statusOf } from "./pod-networks.ts";
import {
  add,
  addOk,
  assertReaches,
  assertSilentSuccess,
  check,
  del,
  delOk,
  errorOf,
  makeNetwork,
} from "./runtime.ts";

const LIMIT_MS = 60_000;

/** Pods that come and go at the same time while plugins die. */
const LOAD_PODS = 6;

/** Pause before a call that failed is made again, as runtimes do, ms. */
const AGAIN_MS = 50;

const skipNoop = findSkipReason() ?? findReasonToSkip("go") ?? false;

for (const { name, plugin, command } of EXAMPLES) {
  const skip = findSkipReason() ?? findReasonToSkip(name) ?? false;

  describe(`the example in ${name}`, { skip }, () => {
    let node: TestNode;
    let host: HostProcess;
    let socket: string;
    const children: ChildProcess[] = [];
    const network = {
      cniVersion: "1.1.0",
      name: "main",
      type: "patchbay",
      plugin,
      bridge: "ex0",
      ipam: { ranges: [[{ subnet: "10.240.0.0/24" }], [{ subnet: "fd00:240::/64" }]] },
    };
    const extra = {
      plugin,
      bridge: "ex1",
      ipam: { ranges: [[{ subnet: "10.241.0.0/24" }], [{ subnet: "fd00:241::/64" }]] },
    };

    beforeEach(async () => {
      node = await openNode();
      host = await startHostWith(node, { extra });
      socket = join(pathsBelow(node.root).pluginDir, `${plugin}.sock`);
    });

    afterEach(async () => {
      for (const child of children.splice(0)) child.kill("SIGKILL");
      await node[Symbol.asyncDispose]();
    });

    /** Starts one more process; resolves when its socket is there, in the place of any other's. */
    async function startPlugin(): Promise<ChildProcess> {
      const before = identityOf(socket);
      const argv = [`--net=${node.netns}`, "--", ...command(socket)];
      const child = spawn("nsenter", argv, { stdio: ["ignore", "inherit", "inherit"] });
      children.push(child);
      await until(`the socket of ${plugin}`, LIMIT_MS, () => {
        assert.equal(child.exitCode, null, `${plugin} ended`);
        const found = identityOf(socket);
        return found !== undefined && found !== before;
      });
      return child;
    }

    const untilConnected = () =>
      until(`${plugin} as a plugin of the host`, LIMIT_MS, async () => {
        const { plugins } = await host.client.getStatus();
        return plugins.some((each) => each.name === plugin && each.trouble === "");
      });

    const addBoth = (pod: Pod) => add(node, pod, network, askFor(pod, network, "extra"));

    /** What is on the node and in the pods when all have gone. */
    async function assertNothingLeft(pods: readonly Pod[]): Promise<void> {
      assert.deepEqual(await host.client.listAttachments({}), []);
      const links = await node.kernel.links(node.netns);
      const unknown = links.filter((link) => !["lo", "ex0", "ex1"].includes(link.name));
      assert.deepEqual(
        unknown.map((link) => link.name),
        [],
      );
      for (const { netns } of pods) {
        const inside = await node.kernel.links(netns);
        assert.deepEqual(
          inside.map((link) => link.name),
          ["lo"],
        );
      }
    }

    /** Pods come and go, each with two networks, as long as `disturb` runs. Counts their lives. */
    async function underLoad(disturb: (lives: () => number) => Promise<void>): Promise<void> {
      const pods = await node.createPods(LOAD_PODS);
      let lives = 0;
      let isOver = false;
      const live = async (pod: Pod) => {
        while (!isOver) {
          await untilSuccess(() => addBoth(pod));
          await untilSuccess(() => del(node, pod, network, askFor(pod, network, "extra")));
          lives++;
        }
      };
      const disturbed = disturb(() => lives).finally(() => {
        isOver = true;
      });
      await Promise.all([disturbed, ...pods.map(live)]);
      await assertNothingLeft(pods);
    }

    const untilMoreLives = (lives: () => number) => {
      const wanted = lives() + LOAD_PODS;
      return until("more pods", LIMIT_MS, () => lives() >= wanted);
    };

    test("is a pod's default network, and one more by the annotation", async () => {
      await startPlugin();
      await untilConnected();
      const [one, two] = await node.createPods(2);
      assert.ok(one && two);
      for (const pod of [one, two]) {
        const answer = await addBoth(pod);
        assert.equal(answer.exitCode, 0, answer.stdout);
      }
      const [eth0, net1] = await statusOf(host, two);
      assert.deepEqual([eth0?.name, net1?.name], ["main", "default/extra"]);
      assert.equal(eth0?.ips.length, 2);
      assert.equal(net1?.ips.length, 2);
      await assertReaches(node, one, [...(eth0?.ips ?? []), ...(net1?.ips ?? [])]);
      const { routes } = await node.readKernel(two.netns);
      assert.deepEqual(
        routes.filter((route) => /^(0\.0\.0\.0|::)\/0 /.test(route)),
        [
          "0.0.0.0/0 via 10.240.0.1 dev eth0 table 254",
          "::/0 via fd00:240::1 dev eth0 table 254 metric 1024",
        ],
      );
      assertSilentSuccess(await check(node, two, network));
      const address = parsePrefix(eth0?.ips[0]?.includes("/") ? eth0.ips[0] : `${eth0?.ips[0]}/24`);
      await node.kernel.apply([
        { netns: two.netns, operations: [{ kind: "delete-address", link: "eth0", address }] },
      ]);
      const drifted = errorOf(await check(node, two, network));
      assert.match(`${drifted.msg} ${drifted.details}`, /10\.240\.0\.\d+\/24/);
      for (const pod of [one, two]) assertSilentSuccess(await del(node, pod, network));
      await assertNothingLeft([one, two]);
    });

    test("is killed and started under load: calls are told to come again at worst", async () => {
      let child = await startPlugin();
      await untilConnected();
      await underLoad(async (lives) => {
        for (let count = 0; count < 2; count++) {
          await untilMoreLives(lives);
          child.kill("SIGKILL");
          await once(child, "exit");
          child = await startPlugin();
        }
        await untilMoreLives(lives);
      });
    });

    test("is upgraded under load: the next one takes the socket's name, this one ends its calls", async () => {
      const old = await startPlugin();
      await untilConnected();
      await underLoad(async (lives) => {
        await untilMoreLives(lives);
        await startPlugin();
        old.kill("SIGTERM");
        assert.deepEqual(await once(old, "exit"), [0, null]);
        await untilMoreLives(lives);
      });
      assert.ok(identityOf(socket), "the old one took the new one's socket away");
    });
  });

  test(`try.sh shows the example in ${name}: two pods that reach each other`, {
    skip,
  }, async () => {
    await using node = await openNode();
    const [file = "", ...args] = command("");
    const program = [file, ...args.slice(0, args.indexOf("--socket"))];
    const script = join(import.meta.dirname, "../../examples/try.sh");
    const { exitCode, stdout, stderr } = await node.run(["sh", script, plugin, ...program]);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(stdout.match(/ 0% packet loss/g)?.length, 2, stdout);
  });
}

describe("the example that does nothing", { skip: skipNoop }, () => {
  test("answers a pod's addresses and routes, and makes nothing", async () => {
    await using node = await openNode();
    await node.startHost();
    const { plugin, command } = NOOP_PLUGIN;
    const socket = join(pathsBelow(node.root).pluginDir, `${plugin}.sock`);
    const [file = "", ...args] = command(socket);
    using child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit"] });
    const network = makeNetwork("routed", { plugin });
    const pod = await node.createPod();
    await untilSuccess(() => add(node, pod, network));
    const { ips, routes } = await addOk(node, pod, network);
    assert.deepEqual([ips.length, routes.length], [2, 2]);
    assert.deepEqual((await node.readKernel(pod.netns)).links.length, 1);
    await delOk(node, pod, network);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });
});

test("the plugins of the examples have under 200 lines", () => {
  for (const file of ["go/plugin.go", "python/plugin.py"]) {
    const text = readFileSync(join(import.meta.dirname, "../../examples", file), "utf8");
    assert.ok(text.trimEnd().split("\n").length < 200, file);
  }
});

/** Tells a socket from the next one of that name. */
function identityOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

/** Makes a call again as long as the answer is 11. */
async function untilSuccess(call: () => Promise<ShimAnswer>): Promise<void> {
  await until("a call that succeeds", LIMIT_MS, async () => {
    const answer = await call();
    if (answer.exitCode === 0) return true;
    assert.equal(errorOf(answer).code, 11, answer.stdout);
    await delay(AGAIN_MS);
    return false;
  });
}
