/** What others do to a node, a pod or a socket while the host runs: it stays, says what is wrong, and heals. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { findSkipReason, type HostProcess, openNode, type TestNode, until } from "./harness.ts";
import {
  add,
  addOk,
  assertSilentSuccess,
  attachmentCall,
  check,
  del,
  delOk,
  errorOf,
  makeNetwork,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;

suite("hostile", { concurrency: true, skip }, () => {
  test("CNI_NETNS that names something else is refused at once, and nothing changes", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const network = makeNetwork("routed");
    const before = await readState(node, host);
    const folder = join(dirname(node.root), "paths");
    mkdirSync(folder);
    execFileSync("mkfifo", [join(folder, "fifo")]);
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "file"), "");
    symlinkSync("loop", join(folder, "loop"));
    symlinkSync("/nonexistent", join(folder, "dangling"));
    symlinkSync(node.netns, join(folder, "node"));
    const table: [path: string, code: number][] = [
      ...["fifo", "folder", "file", "loop", "dangling"].map((name): [string, number] => [
        join(folder, name),
        4,
      ]),
      ["/proc/self/ns/mnt", 4],
      ["/proc/self/ns/uts", 4],
      ["/proc/kmsg", 4],
      [join(folder, "node"), 8],
      ["/proc/self/ns/net", 8],
      [`/proc/1/root${node.netns}`, 8],
      [`/proc/${host.pid}/ns/net`, 8],
    ];
    for (const [netns, code] of table) {
      const call = { command: "ADD", containerId: "c", netns, ifname: "eth0", config: network };
      assert.equal(errorOf(await node.execShim(call)).code, code, netns);
    }
    assert.deepEqual(await readState(node, host), before);
  });

  test("what a pod does to its own interface is its own harm", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const network = makeNetwork("routed");
    const other = await node.createPod();
    await addOk(node, other, network);
    const before = withoutCooling(await readState(node, host));
    const deeds = [
      "ip link del eth0",
      "ip link set eth0 down; ip link set eth0 name mine",
      "ip addr flush dev eth0",
      "ip route flush table all",
      `ip link set eth0 netns ${other.netns} name stolen`,
    ];
    for (const deed of deeds) {
      const pod = await node.createPod();
      await addOk(node, pod, network);
      await node.runInPod(pod, ["sh", "-c", deed]);
      assert.equal(errorOf(await check(node, pod, network)).code, 103, deed);
      await delOk(node, pod, network);
      await addOk(node, pod, network);
      assertSilentSuccess(await check(node, pod, network));
      await delOk(node, pod, network);
    }
    assertSilentSuccess(await check(node, other, network));
    assert.deepEqual(withoutCooling(await readState(node, host)), before);
  });

  test("a flushed ruleset and a deleted gateway link come back without an ADD", async () => {
    await using node = await openNode();
    const first = await node.startHost();
    const [routed, bridged] = [
      makeNetwork("routed", { ipMasq: true }),
      makeNetwork("bridge", { ipMasq: true }),
    ];
    const pod = await node.createPod();
    await addOk(node, pod, routed);
    await addOk(node, await node.createPod(), bridged);
    const { nftables, addresses } = await node.readKernel();
    assert.equal(nftables.length, 2);
    await node.run(["nft", "flush", "ruleset"]);
    await node.run(["ip", "link", "del", "patchbay0"]);
    assert.deepEqual((await node.readKernel()).nftables, []);
    const isBack = async () => {
      const now = await node.readKernel();
      return String([now.nftables, now.addresses]) === String([nftables, addresses]);
    };
    const { details } = errorOf(await check(node, pod, routed));
    assert.match(details, /link-missing patchbay0.*masquerade-missing table inet patchbay_masq_/);
    await until("what was taken away", LIMITS.reconcileMs + 5_000, isBack);
    assertSilentSuccess(await check(node, pod, routed));
    await first.kill("SIGKILL");
    await node.run(["nft", "flush", "ruleset"]);
    await node.run(["ip", "link", "del", "patchbay0"]);
    await node.startHost();
    await until("what was taken away while the host was dead", LIMITS.reconcileMs, isBack);
  });

  test("where Services are served a flushed ruleset is seen, and networks have theirs at once", async () => {
    await using node = await openNode();
    const manifests = join(dirname(node.root), "manifests");
    mkdirSync(manifests);
    const host = await node.startHost({ args: ["--manifests", manifests] });
    await addOk(node, await node.createPod(), makeNetwork("routed", { ipMasq: true }));
    await until("the tables", 10_000, async () => {
      return (await node.readKernel()).nftables.length === 3;
    });
    const { nftables } = await node.readKernel();
    // Each is sooner than a round by the clock would be, but for chance; three in a row are no chance.
    for (let round = 0; round < 3; round++) {
      await node.run(["nft", "flush", "ruleset"]);
      await until("the tables again", LIMITS.reconcileMs / 3, async () => {
        return String((await node.readKernel()).nftables) === String(nftables);
      });
    }
    await until("the events", 5_000, async () => {
      return host.log().match(/"kind":"network-repaired"/g)?.length === 3;
    });
  });

  test("without nft a masquerading network says so, and heals when nft or the wish changes", async () => {
    await using node = await openNode();
    const bin = join(dirname(node.root), "bin");
    mkdirSync(bin);
    const find = (name: string) =>
      execFileSync("sh", ["-c", `command -v ${name}`])
        .toString()
        .trim();
    symlinkSync(find("nsenter"), join(bin, "nsenter"));
    await node.startHost({ env: { PATH: bin } });
    const network = makeNetwork("routed", { ipMasq: true });
    const pod = await node.createPod();
    const status = (config: object) => node.execShim({ command: "STATUS", config });
    assert.match(errorOf(await add(node, pod, network)).details, /install the package nftables/);
    assert.match(errorOf(await status(network)).msg, /install the package nftables/);
    assertSilentSuccess(await status({ ...network, ipMasq: false }));
    symlinkSync(find("nft"), join(bin, "nft"));
    await until("STATUS without complaint", 5_000, async () => {
      return (await status(network)).exitCode === 0;
    });
    await addOk(node, pod, network);
  });

  test("a dry run of the import changes nothing, and a second import frees nothing", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const network = makeNetwork("routed");
    await addOk(node, await node.createPod(), network);
    const subnet = (network["ipam"] as { ranges: { subnet: string }[][] }).ranges[0]![0]!.subnet;
    const address = (last: number) => subnet.replace(/0\/24$/, String(last));
    const directory = join(dirname(node.root), "host-local");
    mkdirSync(directory);
    const file = (last: number) => join(directory, address(last));
    writeFileSync(file(50), "abc\neth0");
    writeFileSync(file(51), "evil\u001b[31m\u0000\n../../x");
    writeFileSync(file(52), "abc\nmuchtoolongforalink");
    symlinkSync("/etc/passwd", file(53));
    symlinkSync("/nonexistent", file(54));
    execFileSync("mkfifo", [file(55)]);
    const request = { directory, network: network.name, configJson: JSON.stringify(network) };
    const importNow = (dryRun: boolean) => host.client.importHostLocal({ ...request, dryRun });

    const fresh = await readState(node, host);
    assert.deepEqual(
      (await importNow(true)).adopted.map((lease) => lease.address),
      [address(50)],
    );
    assert.deepEqual(await readState(node, host), fresh);
    const { adopted, skipped } = await importNow(false);
    assert.deepEqual([adopted.length, skipped.length], [1, 2]);
    const imported = await readState(node, host);
    assert.ok(imported.leases.includes(`${network.name} ${address(50)} held`));
    await importNow(true);
    await host.client.importHostLocal({
      ...request,
      configJson: JSON.stringify({
        plugin: "bridge",
        ipam: { ranges: [[{ subnet: "10.250.0.0/24" }]] },
      }),
      dryRun: true,
    });
    assert.deepEqual(await readState(node, host), imported);
    const [known] = (await host.client.getStatus()).networks;
    assert.equal(known?.plugin, "routed");
    await importNow(false);
    assert.deepEqual(await readState(node, host), imported);
  });

  test("as many attachments as there may be fit into the host's memory, also at its next start", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const directory = join(dirname(node.root), "host-local");
    mkdirSync(directory);
    for (let at = 0; at < LIMITS.attachmentsMax + 1; at++) {
      const name = `10.200.${(at >> 8) + 1}.${at & 255}`;
      writeFileSync(join(directory, name), `${"c".repeat(50)}${at}\neth0`);
    }
    const ipam = { ranges: [[{ subnet: "10.200.0.0/16" }]] };
    const request = { directory, network: "big", configJson: JSON.stringify({ ipam }) };
    await assert.rejects(
      host.client.importHostLocal({ ...request, dryRun: false }),
      new RegExp(`more than ${LIMITS.attachmentsMax} attachments`),
    );
    assert.deepEqual((await readState(node, host)).attachments, []);
    rmSync(join(directory, "10.200.1.9"));
    await host.client.importHostLocal({ ...request, dryRun: false });
    await host.kill("SIGKILL");
    const next = await node.startHost();
    const { networks } = await next.client.getStatus();
    assert.equal(networks[0]?.attachments, LIMITS.attachmentsMax);
    assert.equal((await next.client.listAttachments({})).length, LIMITS.attachmentsMax);
  });

  test("peers that say nothing, half, or garbage, and watchers that do not read, hold nobody up", async () => {
    await using node = await openNode();
    const host = await node.startHost();
    const network = makeNetwork("routed");
    const pods = await node.createPods(4);
    const { shimSocket, hostSocket } = pathsBelow(node.root);
    const silent = [shimSocket, hostSocket].flatMap((path) =>
      Array.from({ length: 200 }, (_, index) => {
        const socket = connect(path).on("error", () => {});
        if (index % 2 === 0) socket.write(index % 4 === 0 ? "PRI * HT" : Buffer.alloc(10_000, "A"));
        return socket;
      }),
    );
    const half = openStreams(shimSocket, "patchbay.shim.v1.Shim/Invoke", {
      count: 500,
      bytes: Buffer.from([0, 0, 0x3f, 0, 0]),
    });
    const deaf = openStreams(hostSocket, "patchbay.host.v1.Host/WatchAttachments", {
      count: 1000,
      bytes: Buffer.alloc(5),
      isWhole: true,
    });
    for (let round = 0; round < 3; round++) {
      await Promise.all(pods.map((pod) => addOk(node, pod, network)));
      await Promise.all(pods.map((pod) => delOk(node, pod, network)));
    }
    await assert.rejects(
      async () => {
        for await (const _ of host.client.watchEvents({ last: 0, follow: true })) break;
      },
      new RegExp(`more than ${LIMITS.watchersMax} watchers`),
    );
    for (const peer of [...silent, half, deaf]) peer.destroy();
    await until("room for a watcher", 5_000, async () => {
      for await (const _ of host.client.watchEvents({ last: 1, follow: true })) return true;
      return false;
    }).catch(() => assert.fail("watchers that are gone still count"));
    assert.equal((await host.client.getStatus()).ready, true);
  });

  test("a full disk is what STATUS says, until there is room", async () => {
    await using node = await openNode();
    const { stateDir } = pathsBelow(node.root);
    mkdirSync(stateDir, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", stateDir]);
    try {
      const host = await node.startHost();
      const network = makeNetwork("routed");
      const [first, second] = await node.createPods(2);
      assert.ok(first && second);
      await addOk(node, first, network);
      const filler = join(stateDir, "filler");
      execFileSync("sh", ["-c", `cat /dev/zero > ${filler} 2>/dev/null || true`]);
      const status = () => node.execShim({ command: "STATUS", config: network });
      const refused = await until("an ADD that finds no room", 10_000, async () => {
        const answer = await add(node, second, network);
        if (answer.exitCode !== 0) return answer;
        await del(node, second, network);
        return undefined;
      });
      assert.equal(errorOf(refused).code, 5);
      assert.match(errorOf(await status()).msg, /full/);
      assertSilentSuccess(await check(node, first, network));
      rmSync(filler);
      assertSilentSuccess(await status());
      await addOk(node, second, network);
      assert.equal((await readState(node, host)).attachments.length, 2);
      await host.kill("SIGKILL");
    } finally {
      execFileSync("umount", [stateDir]);
    }
  });

  test("hostile entries of the DEL journal neither stop nor hang the host", async () => {
    await using node = await openNode();
    const { delJournal } = pathsBelow(node.root);
    mkdirSync(delJournal, { recursive: true });
    const entry = (number: number) => join(delJournal, `${String(number).padStart(16, "0")}.del`);
    mkdirSync(entry(1));
    execFileSync("mkfifo", [entry(2)]);
    symlinkSync("/dev/zero", entry(3));
    symlinkSync("0000000000000004.del", entry(4));
    writeFileSync(entry(5), Buffer.alloc(3 << 20, 7));
    mkdirSync(join(delJournal, ".0000000000000006.del.99", "deep"), { recursive: true });
    await node.startHost();
    for (const number of [1, 2, 3, 4, 5]) {
      assert.throws(() => lstatSync(entry(number)), /ENOENT/, `${number} was not put aside`);
    }
    await addOk(node, await node.createPod(), makeNetwork("routed"));
  });
});

suite("hostile configuration", { skip }, () => {
  let node: TestNode;
  let host: HostProcess;

  before(async () => {
    node = await openNode();
    host = await node.startHost();
  });

  after(() => node?.[Symbol.asyncDispose]());

  test("keys of Object.prototype, and deep nesting, are data", async () => {
    const network = makeNetwork("routed");
    const pod = await node.createPod();
    const text = JSON.stringify({ root: node.root, ...network }).slice(0, -1);
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const [more, code] of [
      ['"__proto__":{"plugin":"x","ipMasq":5},"constructor":1', undefined],
      [`"x":${deep}`, undefined],
      ['"ipam":{"__proto__":{}}', 7],
      [`"ipam":{"x":${deep}}`, 7],
      ['"plugin":"__proto__"', 7],
      ['"plugin":"constructor"', 11],
      ['"mtu":9007199254740993', 7],
      ['"mtu":1e999', 7],
      ['"mtu":1279', 7],
      ['"plugin":"bridge","bridge":".."', 7],
      ['"runtimeConfig":{"mac":"01:00:5e:00:00:01"}', 7],
      ['"runtimeConfig":{"mac":"00:00:00:00:00:00"}', 7],
      [`"name":"${"x".repeat(128)}"`, undefined],
    ] as const) {
      const config = `${text},${more}}`;
      const answer = await node.execShim({
        command: "ADD",
        ...attachmentCall(pod, network),
        config,
      });
      const what = more.slice(0, 60);
      if (code !== undefined) assert.equal(errorOf(answer).code, code, what);
      else assert.equal(answer.exitCode, 0, `${what}: ${answer.stdout}`);
      // Of what ADD refused as well: the runtime cleans up with the same configuration.
      assertSilentSuccess(
        await node.execShim({ command: "DEL", ...attachmentCall(pod, network), config }),
      );
    }
    assert.deepEqual(withoutCooling(await readState(node, host)).attachments, []);
  });
});

/** Many streams on one connection whose answers are never read. */
function openStreams(
  socketPath: string,
  method: string,
  send: { count: number; bytes: Uint8Array; isWhole?: boolean },
): { destroy(): void } {
  const session = connectHttp2("http://localhost", {
    createConnection: () => connect(socketPath),
    settings: { initialWindowSize: 0 },
  });
  session.on("error", () => {});
  for (let index = 0; index < send.count; index++) {
    const stream = session.request({
      ":method": "POST",
      ":path": `/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {}).pause();
    if (send.isWhole) stream.end(send.bytes);
    else stream.write(send.bytes);
  }
  return session;
}
