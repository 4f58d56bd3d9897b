/** Services on networks of their own: real packets over macvlan and over a bridge, both families, TCP and UDP. */
import assert from "node:assert/strict";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Family } from "../../src/ip/address.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import type { HostClient } from "../../src/rpc/client.ts";
import { connectHostWithServices, type ServicesClient } from "../../src/rpc/services-client.ts";
import { type HostProcess, openNode, type Pod, type TestNode, until } from "../e2e/harness.ts";
import { addOk, delOk, makeNetwork, type NetworkJson } from "../e2e/runtime.ts";
import { Actor } from "./actors.ts";
import { ANSWER_MS, describeResult, dialOf, skipLab } from "./lab.ts";
import type { Transport } from "./protocol.ts";

const FAMILIES = [4, 6] as const;
const TRANSPORTS = ["TCP", "UDP"] as const;
const FOLLOW_MS = 10_000;
/** Where endpoints listen; Services have 80 and 53. */
const TARGET_PORT = 8080;
const PORTS: Readonly<Record<Transport, number>> = { TCP: 80, UDP: 53 };

interface Kind {
  readonly name: string;
  /** Third part of its addresses. */
  readonly number: number;
  readonly config: object;
}

const KINDS: readonly Kind[] = [
  { name: "span", number: 1, config: { plugin: "macvlan", master: "parent0" } },
  { name: "segment", number: 2, config: { plugin: "bridge", bridge: "br-segment" } },
];

const clusterIp = ({ number }: Kind, family: Family, last = 10): string =>
  family === 4 ? `10.96.${number}.${last}` : `fd96::${number}:${last}`;

for (const kind of KINDS) {
  describe(`a Service on a network of plugin ${kind.name}`, { skip: skipLab }, () => {
    let world: World;

    before(async () => {
      world = await World.open(kind);
      for (const name of ["client", "other"]) await world.add(name, kind.name);
      for (const name of ["web-1", "web-2"]) await world.add(name, kind.name);
      await world.add("stranger", "");
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("client", ["web-1", "web-2"]);
    });
    after(() => world?.[Symbol.asyncDispose]());

    for (const family of FAMILIES) {
      for (const transport of TRANSPORTS) {
        const port = PORTS[transport];
        it(`leads pods on it to endpoints there, IPv${family} ${transport}`, async () => {
          const place = { address: clusterIp(kind, family), port };
          const wanted = ["web-1", "web-2"].map((name) => world.addressOf(name, family)).sort();
          const { results } = await world.actor("client").call("survey", {
            dial: dialOf(transport, place),
            distinct: 2,
            most: 64,
          });
          const peers = new Set(results.map((each) => (each.kind === "answer" ? each.peer : "-")));
          assert.deepEqual(
            results.map((each) => (each.kind === "answer" ? each.own : each.kind)).sort(),
            wanted,
          );
          assert.deepEqual([...peers], [world.addressOf("client", family)]);
        });

        it(`leads an endpoint to itself, IPv${family} ${transport}`, async () => {
          const place = { address: clusterIp(kind, family, 11), port };
          const result = await world.actor("web-1").dial(dialOf(transport, place));
          assert.equal(result.kind === "answer" && result.own, world.addressOf("web-1", family));
        });

        for (const who of ["stranger", "node"]) {
          it(`is refused to ${who} at once, IPv${family} ${transport}`, async () => {
            const place = { address: clusterIp(kind, family), port };
            const result = await world.actor(who).dial(dialOf(transport, place));
            assert.equal(describeResult(result), "refused");
          });
        }

        it(`refuses ports that it does not have, IPv${family} ${transport}`, async () => {
          const place = { address: clusterIp(kind, family), port: 9 };
          const result = await world.actor("client").dial(dialOf(transport, place));
          assert.equal(describeResult(result), "refused");
        });
      }
    }

    it("explain says forward to pods on it and refused to others", async () => {
      const question = { address: clusterIp(kind, 4), port: 80, protocol: "TCP" };
      const inside = await world.services.explain({ from: "default/client", ...question });
      assert.equal(inside.verdict, "forward", JSON.stringify(inside));
      assert.equal(inside.rule, "network-cluster");
      assert.equal(inside.kernelChecked, true);
      assert.deepEqual(inside.kernelDifferences, []);
      const outside = await world.services.explain({ from: "default/stranger", ...question });
      assert.equal(outside.verdict, "reject");
      assert.equal(outside.rule, "on-network");
    });

    it("a flushed ruleset of a pod is written anew with the next change", async () => {
      await world.run("other", ["nft", "flush", "ruleset"]);
      await world.write("services.yaml", servicesOf(kind, ["web-2"]));
      await world.untilReached("other", ["web-2"]);
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("other", ["web-1", "web-2"]);
    });

    it("hot-plugged networks bring the Service, and take it away", async () => {
      await world.host.client.attachNetwork({ pod: "default/stranger", selection: kind.name });
      await world.untilReached("stranger", ["web-1", "web-2"]);
      await world.host.client.detachNetwork({ pod: "default/stranger", target: kind.name });
      await world.untilRefused("stranger");
      assert.deepEqual(await world.tables("stranger"), []);
    });

    it("a pod that is added finds the Service when its ADD is answered", async () => {
      await world.add("late", kind.name);
      for (const family of FAMILIES) {
        const place = { address: clusterIp(kind, family), port: 80 };
        const result = await world.actor("late").dial(dialOf("TCP", place));
        assert.equal(result.kind, "answer", describeResult(result));
      }
      await world.remove("late");
      // The kernel gives the number of a namespace that went to the next one.
      for (const again of ["late-1", "late-2", "late-3"]) {
        await world.add(again, kind.name);
        const place = { address: clusterIp(kind, 4), port: 80 };
        const result = await world.actor(again).dial(dialOf("TCP", place));
        assert.equal(result.kind, "answer", describeResult(result));
        await world.remove(again);
      }
    });

    it("no dial fails while the host is killed and comes back", async () => {
      const dial = dialOf("TCP", { address: clusterIp(kind, 4), port: 80 });
      const client = world.actor("client");
      await client.call("storm", { dial, concurrency: 2 });
      await world.host.kill("SIGKILL");
      await world.startHost();
      await world.write("services.yaml", servicesOf(kind, ["web-1"]));
      await world.untilReached("other", ["web-1"]);
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("other", ["web-1", "web-2"]);
      const { dials, failures } = await client.call("stopStorm", {});
      assert.ok(dials > 100, `${dials} dials`);
      assert.deepEqual(failures, []);
    });

    it("takes pods of other nodes from their objects", async () => {
      // web-1 of this node plays one: nothing attached it under this name.
      const status = FAMILIES.map((family) => world.addressOf("web-1", family));
      const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "far",
          annotations: {
            "k8s.v1.cni.cncf.io/network-status": JSON.stringify([
              { name: `default/${kind.name}`, interface: "net1", ips: status },
            ]),
          },
        },
        spec: { nodeName: "node-b" },
      };
      await world.write("services.yaml", servicesOf(kind, ["far"]));
      await world.untilRefused("client");
      await world.write("services.yaml", [...servicesOf(kind, ["far"]), pod]);
      await world.untilReached("client", ["web-1"]);
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("client", ["web-1", "web-2"]);
    });

    it("survives kill -9 of the host: connections go on, and changes are programmed by the next one", async () => {
      const client = world.actor("client");
      for (const transport of TRANSPORTS) {
        const place = { address: clusterIp(kind, 4), port: PORTS[transport] };
        const dial = dialOf(transport, place);
        const opened = await client.call("open", { flow: transport, dial });
        assert.equal(opened.kind, "answer", describeResult(opened));
      }
      const say = async () => {
        for (const flow of TRANSPORTS) {
          const said = await client.call("say", { flow, timeoutMs: ANSWER_MS });
          assert.equal(said.kind, "answer", `${flow}: ${describeResult(said)}`);
        }
      };
      await world.host.kill("SIGKILL");
      await say();
      await world.reached("client", ["web-1", "web-2"]);
      await world.startHost();
      await say();
      await world.write("services.yaml", servicesOf(kind, ["web-1"]));
      await world.untilReached("client", ["web-1"]);
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("client", ["web-1", "web-2"]);
      for (const flow of TRANSPORTS) await client.call("close", { flow });
    });

    it("a host that was away while Services went takes them out of pods", async () => {
      await world.host.kill("SIGKILL");
      await world.write("services.yaml", []);
      await world.startHost();
      await until("no table in any pod", FOLLOW_MS, async () => {
        const tables = [...(await world.tables("client")), ...(await world.tables("other"))];
        return tables.length === 0;
      });
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("client", ["web-1", "web-2"]);
    });

    it("a UDP socket that stays open moves on when its endpoint goes", async () => {
      const client = world.actor("client");
      const dial = dialOf("UDP", { address: clusterIp(kind, 4), port: 53 });
      const opened = await client.call("open", { flow: "stays", dial });
      const first = opened.kind === "answer" ? opened.own : "";
      const [gone, left] =
        first === world.addressOf("web-1", 4) ? ["web-1", "web-2"] : ["web-2", "web-1"];
      await world.write("services.yaml", servicesOf(kind, [left]));
      await until("the socket to reach the other one", FOLLOW_MS, async () => {
        const said = await client.call("say", { flow: "stays", timeoutMs: 300 });
        return said.kind === "answer" && said.own === world.addressOf(left, 4);
      });
      await client.call("close", { flow: "stays" });
      await world.write("services.yaml", servicesOf(kind, [gone, left]));
      await world.untilReached("client", ["web-1", "web-2"]);
    });

    it("is reached by a pod without a default route, and its route goes with the Service", async () => {
      await world.run("other", ["ip", "route", "del", "default"]);
      await world.run("other", ["ip", "-6", "route", "del", "default"]);
      await world.write("services.yaml", servicesOf(kind, ["web-1"]));
      await world.untilReached("other", ["web-1"]);
      const own = async () =>
        (await world.routes("other")).filter((route) => route.includes("10.96.")).length;
      assert.equal(await own(), 2);
      await world.write("services.yaml", []);
      await until("no route to the Service", FOLLOW_MS, async () => (await own()) === 0);
      await world.write("services.yaml", servicesOf(kind, ["web-1", "web-2"]));
      await world.untilReached("client", ["web-1", "web-2"]);
    });

    it("disappears with its endpoints' pods, and clients leave nothing", async () => {
      await world.remove("web-2");
      await world.untilReached("client", ["web-1"]);
      await world.remove("web-1");
      await world.untilRefused("client");
      const { problems } = await world.services.listServices({});
      assert.deepEqual(problems, []);
      for (const name of ["client", "other", "stranger"]) await world.remove(name);
      assert.deepEqual(await world.leftovers(), []);
    });
  });
}

/** Two Services: one of these pods, and .11 of web-1 alone. */
function servicesOf(kind: Kind, pods: readonly string[]): object[] {
  return [
    serviceOf(kind, { name: "web", last: 10, pods }),
    serviceOf(kind, { name: "self", last: 11, pods: ["web-1"] }),
  ].flat();
}

function serviceOf(
  kind: Kind,
  {
    name,
    last,
    pods,
  }: { readonly name: string; readonly last: number; readonly pods: readonly string[] },
): object[] {
  const ports = TRANSPORTS.map((protocol) => ({ name: protocol.toLowerCase(), protocol }));
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, annotations: { "services.patchbay.dev/network": kind.name } },
      spec: {
        clusterIPs: FAMILIES.map((family) => clusterIp(kind, family, last)),
        ports: ports.map((port) => ({ ...port, port: PORTS[port.protocol] })),
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-4`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      // Their addresses on the default network do not matter.
      endpoints: pods.map((pod, index) => ({
        addresses: [`10.250.0.${index + 1}`],
        nodeName: "node-a",
        targetRef: { kind: "Pod", name: pod },
      })),
      ports: ports.map((port) => ({ ...port, port: TARGET_PORT })),
    },
  ];
}

/** A node with a network, pods on it, and a process in each. */
class World implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #node: TestNode;
  readonly #manifests: string;
  readonly #default: NetworkJson;
  readonly #pods = new Map<string, Pod>();
  readonly #actors = new Map<string, Actor>();
  readonly #addresses = new Map<string, readonly string[]>();
  #host: HostProcess | undefined;
  #client: (HostClient & ServicesClient) | undefined;

  private constructor(kind: Kind, node: TestNode) {
    this.#kind = kind;
    this.#node = node;
    this.#manifests = join(node.root, "../manifests");
    this.#default = makeNetwork("routed");
  }

  static async open(kind: Kind): Promise<World> {
    const node = await openNode();
    const world = new World(kind, node);
    try {
      await mkdir(world.#manifests, { recursive: true });
      for (const link of ["parent0", "parent1"]) {
        const argv = ["ip", "link", "add", link, "type", "veth", "peer", "name", `${link}p`];
        assert.equal((await node.run(argv)).exitCode, 0);
        for (const end of [link, `${link}p`]) await node.run(["ip", "link", "set", end, "up"]);
      }
      // Where the node would send what it does not refuse.
      for (const [address, gateway] of [
        ["192.0.2.1/24", "192.0.2.2"],
        ["2001:db8::1/64", "2001:db8::2"],
      ]) {
        await node.run(["ip", "address", "add", `${address}`, "dev", "parent1", "nodad"]);
        await node.run(["ip", "route", "add", "default", "via", `${gateway}`]);
      }
      const { name, number, config } = kind;
      const ranges = [[{ subnet: `10.220.${number}.0/24` }], [{ subnet: `fd22:${number}::/64` }]];
      await world.write("network.yaml", [
        {
          apiVersion: "k8s.cni.cncf.io/v1",
          kind: "NetworkAttachmentDefinition",
          metadata: { name },
          spec: {
            config: JSON.stringify({
              cniVersion: "1.1.0",
              name,
              type: "patchbay",
              ipam: { ranges },
              ...config,
            }),
          },
        },
      ]);
      await world.startHost();
      world.#actors.set("node", new Actor("node", node.netns));
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get host(): HostProcess {
    if (!this.#host) throw new Error("No host");
    return this.#host;
  }

  get services(): HostClient & ServicesClient {
    if (!this.#client) throw new Error("No host");
    return this.#client;
  }

  async startHost(): Promise<void> {
    const host = await this.#node.startHost({
      args: ["--manifests", this.#manifests, "--node-name", "node-a"],
    });
    const socket = pathsBelow(this.#node.root).hostSocket;
    const client = connectHostWithServices(socket, { timeoutMs: 60_000 });
    void host.exited.then(() => client.close());
    this.#host = host;
    this.#client = client;
  }

  async write(name: string, objects: readonly object[]): Promise<void> {
    const documents = objects.map((object) => JSON.stringify(object));
    const text = ["# What the host is to know.", ...documents].join("\n---\n");
    await writeFile(join(this.#manifests, `.${name}.new`), text);
    await rename(join(this.#manifests, `.${name}.new`), join(this.#manifests, name));
  }

  /** A pod of namespace "default" with these networks, and a process in it that serves. */
  async add(name: string, networks: string): Promise<void> {
    const pod = await this.#node.createPod(`${this.#node.name}-${name}`);
    this.#pods.set(name, pod);
    const result = await addOk(this.#node, pod, this.#default, this.#callOf(name, networks));
    assert.ok(result.ips.length > 0);
    const net1 = await this.#node.kernel.findLink("net1", pod.netns);
    const all = await this.#node.readKernel(pod.netns);
    const own = all.addresses.filter((line) => line.startsWith("net1 "));
    assert.equal(net1 !== undefined, networks !== "");
    const addresses = own.map((line) => line.slice("net1 ".length).replace(/\/\d+$/, ""));
    this.#addresses.set(name, addresses);
    const actor = new Actor(name, pod.netns);
    this.#actors.set(name, actor);
    const places = TRANSPORTS.flatMap((transport) =>
      (transport === "TCP" ? ["0.0.0.0", "::"] : addresses).map((address) => {
        return { transport, address, port: TARGET_PORT };
      }),
    );
    await actor.call("listen", { places });
  }

  async remove(name: string): Promise<void> {
    const pod = this.#pods.get(name);
    assert.ok(pod);
    await this.#actors.get(name)?.[Symbol.asyncDispose]();
    this.#actors.delete(name);
    await delOk(this.#node, pod, this.#default, this.#callOf(name, ""));
    await this.#node.deletePod(pod);
    this.#pods.delete(name);
  }

  actor(name: string): Actor {
    const actor = this.#actors.get(name);
    assert.ok(actor, name);
    return actor;
  }

  addressOf(name: string, family: Family): string {
    const found = this.#addresses
      .get(name)
      ?.find((address) => address.includes(":") === (family === 6));
    assert.ok(found, `${name} has no IPv${family} address on ${this.#kind.name}`);
    return found;
  }

  /** Throws where the Service does not lead a client to exactly these pods, in both families. */
  async reached(client: string, pods: readonly string[]): Promise<void> {
    for (const family of FAMILIES) {
      const place = { address: clusterIp(this.#kind, family), port: 80 };
      const { results } = await this.actor(client).call("survey", {
        dial: dialOf("TCP", place, 1_000),
        distinct: pods.length + 1,
        most: 24,
      });
      const found = results.map((each) => (each.kind === "answer" ? each.own : each.kind)).sort();
      assert.deepEqual(found, pods.map((pod) => this.addressOf(pod, family)).sort());
    }
  }

  async untilReached(client: string, pods: readonly string[]): Promise<void> {
    let last: unknown;
    await until(`${client} to reach ${pods.join()}`, FOLLOW_MS, async () => {
      last = await this.reached(client, pods).then(
        () => undefined,
        (error: unknown) => error,
      );
      return last === undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${String(last)}\n${this.host.log().slice(-3000)}`);
    });
  }

  async untilRefused(client: string): Promise<void> {
    for (const family of FAMILIES) {
      const place = { address: clusterIp(this.#kind, family), port: 80 };
      let last = "";
      await until(`${client} to be refused`, FOLLOW_MS, async () => {
        last = describeResult(await this.actor(client).dial(dialOf("TCP", place, 1_000)));
        return last === "refused";
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${last}`);
      });
    }
  }

  async run(name: string, argv: readonly string[]): Promise<void> {
    const pod = this.#pods.get(name);
    assert.ok(pod);
    const { exitCode, stderr } = await this.#node.runInPod(pod, argv);
    assert.equal(exitCode, 0, stderr);
  }

  async tables(name: string): Promise<readonly string[]> {
    const pod = this.#pods.get(name);
    assert.ok(pod);
    return (await this.#node.readKernel(pod.netns)).nftables;
  }

  async routes(name: string): Promise<readonly string[]> {
    const pod = this.#pods.get(name);
    assert.ok(pod);
    return (await this.#node.readKernel(pod.netns)).routes;
  }

  /** Attachments that the host still knows. */
  async leftovers(): Promise<readonly unknown[]> {
    return this.services.listAttachments({});
  }

  #callOf(name: string, networks: string) {
    const annotations = networks === "" ? {} : { "k8s.v1.cni.cncf.io/networks": networks };
    const runtimeConfig = { "io.kubernetes.cri.pod-annotations": annotations };
    return {
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name}`,
      config: { ...this.#default, runtimeConfig },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const actors = [...this.#actors.values()];
    await Promise.allSettled(actors.map((actor) => actor[Symbol.asyncDispose]()));
    await this.#node[Symbol.asyncDispose]();
  }
}
