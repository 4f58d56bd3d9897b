import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { findSkipReason, openNode, type Pod, spawnInNetns, type TestNode } from "./harness.ts";
import {
  add,
  addOk,
  addressesOf,
  assertReaches,
  assertSilentSuccess,
  bare,
  check,
  del,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  PLUGINS,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
const hostLocal = "/usr/lib/cni/host-local";

describe("restart of the host", { concurrency: 2, skip }, () => {
  for (const plugin of PLUGINS) {
    test(`(${plugin}) a TCP connection from pod to pod flows on over kill -9 and a new start`, async () => {
      await using node = await openNode();
      const network = makeNetwork(plugin);
      let host = await node.startHost();
      const [server, client] = (await node.createPods(2)) as [Pod, Pod];
      const serverResult = await addOk(node, server, network);
      const clientResult = await addOk(node, client, network);
      for (const address of addressesOf(serverResult)) {
        await using connection = await openEcho({ server, client, address: bare(address) });
        assert.equal(await connection.say("before"), "before");
        await host.kill("SIGKILL");
        assert.equal(await connection.say("while it is dead"), "while it is dead");
        host = await node.startHost();
        assert.equal(await connection.say("after"), "after");
        assertSilentSuccess(await check(node, server, { ...network, prevResult: serverResult }));
        assertSilentSuccess(await check(node, client, { ...network, prevResult: clientResult }));
        const other = await node.createPod();
        await addOk(node, other, network);
        await delOk(node, other, network);
        assert.equal(await connection.say("while others come and go"), "while others come and go");
      }
      await delOk(node, server, network);
      await delOk(node, client, network);
    });

    test(`(${plugin}) a graceful stop under load answers every call, and what it said holds`, async () => {
      await using node = await openNode();
      const network = makeNetwork(plugin);
      const first = await node.startHost();
      const pods = await node.createPods(40);
      for (const pod of pods.slice(0, 15)) await addOk(node, pod, network);
      let answers = 0;
      let stopping: Promise<unknown> | undefined;
      const standing = new Set<Pod>();
      /** DELs that were told to come again. */
      const refused = new Set<Pod>();
      const calls = pods.map(async (pod, index) => {
        const isDel = index < 15;
        const answer = await (isDel ? del : add)(node, pod, network);
        if (answer.exitCode !== 0) {
          assert.equal(errorOf(answer).code, 11, answer.stdout);
          if (isDel) refused.add(pod);
        } else if (isDel) assertSilentSuccess(answer);
        else standing.add(pod);
        // In the middle: some are through, an ADD among them, and many are not.
        if (++answers >= 5 && standing.size > 0) stopping ??= first.kill("SIGTERM");
      });
      await Promise.all(calls);
      assert.ok(stopping, "nothing was going on");
      await stopping;
      assert.deepEqual(await first.exited, { code: 0, signal: null }, first.log());

      const host = await node.startHost();
      for (const pod of refused) await delOk(node, pod, network);
      const attachments = await host.client.listAttachments({});
      assert.deepEqual(
        attachments.map((entry) => entry.containerId).sort(),
        [...standing].map((pod) => pod.name).sort(),
      );
      for (const pod of standing) assertSilentSuccess(await check(node, pod, network));
      const links = (await node.readKernel()).links.filter((line) => line.startsWith("pb"));
      assert.equal(links.length, standing.size);
    });
  }

  test("who watches the host does not keep it from stopping", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const watching = (async () => {
      for await (const event of host.client.watchEvents({ last: 1 })) {
        if (event.kind === "started") void host.kill("SIGTERM");
      }
    })();
    // By an end or by an error, as the stream was cut.
    await watching.catch(() => {});
    assert.deepEqual(await host.exited, { code: 0, signal: null }, host.log());
  });

  test("a second host on the same root says why it refuses, and the first goes on", async () => {
    await using node = await openNode();
    const first = await node.startHost();
    const second = node.spawnHost();
    const exit = await second.exited;
    assert.equal(exit.code, 1, second.log());
    assert.match(second.log(), /Cannot open the state database .*state\.db/);
    assert.match(second.log(), /another host/);
    const pod = await node.createPod();
    const network = makeNetwork("routed");
    await addOk(node, pod, network);
    await delOk(node, pod, network);
    assert.equal((await first.client.getStatus()).ready, true);
  });

  test("what it knew is there again: attachments, cooling addresses, and where the pool goes on", async () => {
    await using node = await openNode();
    const network = makeNetwork("routed");
    const [one, two, three] = (await node.createPods(3)) as [Pod, Pod, Pod];
    const first = await node.startHost();
    await addOk(node, one, network);
    await addOk(node, two, network);
    await delOk(node, two, network);
    const before = await readState(node, first);
    assert.deepEqual(await first.kill("SIGTERM"), { code: 0, signal: null });
    const host = await node.startHost();
    assert.deepEqual(await readState(node, host), before);
    const [v4 = ""] = addressesOf(await addOk(node, three, network));
    assert.match(v4, /\.4\/32$/, "neither the held .2 nor the cooling .3");
  });

  test("after a reboot attachments are gone, their addresses cool, and pods come again", async () => {
    await using node = await openNode();
    const network = makeNetwork("routed");
    const before = await node.startHost();
    const [old, fresh] = (await node.createPods(2)) as [Pod, Pod];
    const lost = await addOk(node, old, network);
    await before.kill("SIGKILL");
    await node.deletePod(old);
    await node.run(["ip", "link", "del", "patchbay0"]);

    const host = await node.startHost({ wrapper: withBootId(node, crypto.randomUUID()) });
    assert.deepEqual(await host.client.listAttachments({}), []);
    const { pools } = await host.client.showIpam({ leases: true });
    assert.deepEqual(
      pools.flatMap(({ leases }) => leases.map(({ address, state }) => `${address} ${state}`)),
      addressesOf(lost).map((address) => `${bare(address)} cooling`),
    );
    await delOk(node, old, network);
    const result = await addOk(node, fresh, network);
    for (const address of addressesOf(lost)) assert.ok(!addressesOf(result).includes(address));
    await assertReaches(
      node,
      fresh,
      result.ips.map((ip) => ip.gateway ?? ""),
    );
  });

  test("the same boot id by another host: attachments stay", async () => {
    await using node = await openNode();
    const network = makeNetwork("routed");
    const bootId = crypto.randomUUID();
    const pod = await node.createPod();
    const first = await node.startHost({ wrapper: withBootId(node, bootId) });
    await addOk(node, pod, network);
    await first.kill("SIGKILL");
    const host = await node.startHost({ wrapper: withBootId(node, bootId) });
    assert.equal((await host.client.listAttachments({})).length, 1);
    assert.equal((await host.client.getStatus()).bootId, bootId);
  });

  test("addresses of Debian's host-local are taken over, kept, and freed by DEL", {
    skip: existsSync(hostLocal)
      ? false
      : `${hostLocal} is missing (Debian: apt-get install containernetworking-plugins)`,
  }, async () => {
    await using node = await openNode();
    const dataDir = join(node.root, "../host-local");
    const base = makeNetwork("routed");
    const ipam = { ...(base["ipam"] as object), type: "host-local", dataDir };
    const network: NetworkJson = { ...base, ipam };
    const given: string[][] = [];
    for (const id of ["old-1", "old-2", "old-3"]) given.push(await runHostLocal(network, id));
    assert.equal(given.flat().length, 6);

    const host = await node.startHost();
    const request = {
      directory: join(dataDir, network.name),
      network: network.name,
      configJson: JSON.stringify(network),
    };
    const dry = await host.client.importHostLocal({ ...request, dryRun: true });
    assert.equal(dry.adopted.length, 6);
    assert.deepEqual(await host.client.listAttachments({}), []);

    const done = await host.client.importHostLocal({ ...request, dryRun: false });
    assert.deepEqual(done.skipped, []);
    assert.deepEqual(
      done.adopted.map(({ address, containerId }) => `${containerId} ${address}`).sort(),
      given.flatMap((ips, index) => ips.map((ip) => `old-${index + 1} ${bare(ip)}`)).sort(),
    );
    const again = await host.client.importHostLocal({ ...request, dryRun: false });
    assert.equal(again.adopted.length + again.skipped.length, 6, "a repeat does no harm");

    const pod = await node.createPod();
    const fresh = addressesOf(await addOk(node, pod, network)).map(bare);
    assert.ok(fresh.every((address) => !given.flat().map(bare).includes(address)));

    await host.kill("SIGKILL");
    const second = await node.startHost();
    for (const containerId of ["old-1", "old-2", "old-3"]) {
      await delOk(node, pod, network, { containerId, netns: "" });
    }
    await delOk(node, pod, network);
    assert.deepEqual(await second.client.listAttachments({}), []);
    const { leases, kernel } = withoutCooling(await readState(node, second));
    assert.deepEqual(leases, []);
    assert.deepEqual(
      kernel.links.filter((line) => line.startsWith("pb")),
      [],
    );
  });
});

interface Echo extends AsyncDisposable {
  /** Sends a line over the connection and resolves with the line that comes back. */
  say(line: string): Promise<string>;
}

const ECHO_SERVER = `
  require("node:net").createServer((socket) => socket.pipe(socket))
    .listen(7, process.argv[1], () => console.log("listening"));
`;
const ECHO_CLIENT = `
  const socket = require("node:net").connect(7, process.argv[1], () => console.log("connected"));
  process.stdin.pipe(socket).pipe(process.stdout);
`;

/** One TCP connection between two pods, held by two processes inside them. */
async function openEcho(ends: { server: Pod; client: Pod; address: string }): Promise<Echo> {
  const server = spawnInNetns(ends.server.netns, ["node", "-e", ECHO_SERVER, ends.address]);
  const client: { process?: ChildProcess } = {};
  const dispose = () => {
    server.kill("SIGKILL");
    client.process?.kill("SIGKILL");
  };
  try {
    await nextLine(server);
    client.process = spawnInNetns(ends.client.netns, ["node", "-e", ECHO_CLIENT, ends.address]);
    const lines = linesOf(client.process);
    assert.equal((await lines.next()).value, "connected");
    return {
      async say(line) {
        client.process?.stdin?.write(`${line}\n`);
        const { value } = await lines.next();
        return value ?? "";
      },
      [Symbol.asyncDispose]: async () => dispose(),
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function nextLine(child: ChildProcess): Promise<string> {
  const { value } = await linesOf(child).next();
  return value ?? "";
}

function linesOf(child: ChildProcess): AsyncIterator<string, undefined> {
  const { stdout } = child;
  assert.ok(stdout);
  return createInterface({ input: stdout })[Symbol.asyncIterator]() as AsyncIterator<
    string,
    undefined
  >;
}

/** A command that shows a process another boot id, in a mount namespace of its own. */
function withBootId(node: TestNode, bootId: string): string[] {
  const file = join(node.root, "../boot-id");
  writeFileSync(file, `${bootId}\n`);
  const script = `mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"`;
  return ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", script, file];
}

/** ADD of Debian's host-local. Returns the addresses that it gave. */
async function runHostLocal(network: NetworkJson, containerId: string): Promise<string[]> {
  const child = spawn(hostLocal, [], {
    env: {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: containerId,
      CNI_NETNS: "/run/netns/none",
      CNI_IFNAME: "eth0",
      CNI_PATH: "/usr/lib/cni",
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify({ ...network, cniVersion: "1.0.0" }));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, "close");
  const { ips } = JSON.parse(output) as { ips: { address: string }[] };
  assert.ok(
    readdirSync(join((network["ipam"] as { dataDir: string }).dataDir, network.name)).length,
  );
  return ips.map((ip) => ip.address);
}
