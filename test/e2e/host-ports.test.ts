import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import {
  findSkipReason,
  openNode,
  type Pod,
  runInNetns,
  spawnHost,
  spawnInNetns,
  type TestNode,
  until,
} from "./harness.ts";
import { add, addOk, del, delOk, errorOf, makeNetwork, PLUGINS } from "./runtime.ts";

const skip = findSkipReason() ?? false;
const NODE_ADDRESSES = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;

/** The node's way out: an address of each family, and a default route. */
async function giveAddresses(node: TestNode): Promise<void> {
  const steps = [
    "ip link add up0 type veth peer name up1",
    `ip address add ${NODE_ADDRESSES[4]}/24 dev up0`,
    `ip address add ${NODE_ADDRESSES[6]}/64 dev up0 nodad`,
    "ip link set up0 up",
    "ip link set up1 up",
    "ip route add default via 192.0.2.254",
  ];
  for (const step of steps) {
    const { exitCode, stderr } = await node.run(step.split(" "));
    assert.equal(exitCode, 0, `${step}: ${stderr}`);
  }
}

/** A server in a pod that answers with its name and the address that it saw. */
async function serve(pod: Pod, port: number): Promise<Disposable> {
  const script = `
    require("node:http").createServer((request, response) =>
      response.end("${pod.name} " + request.socket.remoteAddress.replace(/^::ffff:/, "")),
    ).listen(${port}, "::", () => console.log("listening"));
  `;
  const child = spawnInNetns(pod.netns, [process.execPath, "-e", script]);
  assert.ok(child.stdout);
  await once(child.stdout, "data");
  return { [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

/** What answers on a host port; undefined: nothing. */
async function dial(netns: string, family: 4 | 6, port: number): Promise<string | undefined> {
  const host = family === 4 ? NODE_ADDRESSES[4] : `[${NODE_ADDRESSES[6]}]`;
  const argv = ["curl", "--silent", "--globoff", "--max-time", "2", `http://${host}:${port}/`];
  const { exitCode, stdout } = await runInNetns(netns, argv);
  return exitCode === 0 ? stdout : undefined;
}

describe("host ports", { concurrency: 2, skip }, () => {
  for (const plugin of PLUGINS) {
    test(`(${plugin}) lead to the pod from ADD to DEL, over a kill of the host as well`, async () => {
      await using node = await openNode();
      await giveAddresses(node);
      let host = await node.startHost();
      const network = makeNetwork(plugin);
      const [server, client] = (await node.createPods(2)) as [Pod, Pod];
      const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
      await addOk(node, client, network);
      assert.doesNotMatch((await node.run(["nft", "list", "tables"])).stdout, /patchbay-services/);
      using _server = await serve(server, 80);
      await addOk(node, server, { ...network, runtimeConfig: { portMappings } });
      const works = async () => {
        for (const family of [4, 6] as const) {
          assert.match(
            (await dial(node.netns, family, 8080)) ?? "",
            new RegExp(`^${server.name} `),
          );
          assert.match(
            (await dial(client.netns, family, 8080)) ?? "",
            new RegExp(`^${server.name} `),
          );
        }
      };
      await works();
      await host.kill("SIGKILL");
      await works();
      host = await node.startHost();
      await host.client.getStatus();
      await works();
      await delOk(node, server, network);
      await until("the port to be closed", 10_000, async () => {
        return (await dial(node.netns, 4, 8080)) === undefined;
      });
    });
  }

  test("a port that leads to another pod is refused, by name, until that one is gone", async () => {
    await using node = await openNode();
    await giveAddresses(node);
    await node.startHost();
    const portMappings = [{ hostPort: 53, containerPort: 53, protocol: "udp" }];
    const network = { ...makeNetwork("routed"), runtimeConfig: { portMappings } };
    const [one, two] = (await node.createPods(2)) as [Pod, Pod];
    await addOk(node, one, network);
    const error = errorOf(await add(node, two, network));
    assert.equal(error.code, 11);
    assert.match(error.msg, /Host port 53\/UDP leads to .*HOST_PORT_TAKEN/);
    await del(node, two, network);
    await delOk(node, one, network);
    await addOk(node, two, network);
  });

  test("a node without an address opens none: the ADD fails and leaves nothing", async () => {
    await using node = await openNode();
    await node.startHost();
    const portMappings = [{ hostPort: 8080, containerPort: 80 }];
    const pod = await node.createPod();
    const network = { ...makeNetwork("routed"), runtimeConfig: { portMappings } };
    const error = errorOf(await add(node, pod, network));
    assert.match(error.msg, /no IPv[46] address to open 8080\/TCP on/);
    const left = await node.readKernel(pod.netns);
    assert.deepEqual(left.links, ["lo  up mtu 65536"]);
    assert.deepEqual(left.routes, []);
  });
});

describe("two hosts by mistake", { skip }, () => {
  test("the second one on a node refuses, whatever its root, and says who runs", async () => {
    await using node = await openNode();
    const first = await node.startHost();
    await using second = spawnHost({ root: `${node.root}-other`, netns: node.netns });
    const exit = await second.exited;
    assert.equal(exit.code, 1, second.log());
    const expected = `Another plugin host (pid ${first.pid}, root ${node.root}) runs on this node`;
    assert.ok(second.log().includes(expected), second.log());
    assert.equal((await first.client.getStatus()).ready, true);
    await first.kill("SIGKILL");
    await using third = spawnHost({ root: `${node.root}-other`, netns: node.netns });
    await third.ready();
  });
});
