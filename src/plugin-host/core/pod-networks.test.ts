import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PluginError } from "../../plugin-sdk/network-plugin.ts";
import { cniCall, codeOf, FakePlugin, settled } from "../fake-host-world.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { messageOf, PodWorld } from "../fake-pod-world.ts";
import { networkStatuses } from "./operator.ts";

describe("ADD with several networks", () => {
  it("attaches all, the default one first, and answers with the default network alone", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    const answer = await world.call(host, "ADD", "a, b@eno1, bare");
    assert.equal(codeOf(answer), undefined, answer.resultJson);
    assert.deepEqual(world.records, [
      "eno1 default/b attached",
      "eth0 net attached",
      "net1 default/a attached",
      "net3 default/bare attached",
    ]);
    assert.deepEqual(JSON.parse(answer.resultJson).ips, [
      { interface: 0, address: "10.0.0.2/24", gateway: "10.0.0.1" },
    ]);
    const requests = [...world.routed.held.values(), ...world.other.held.values()];
    const routes = requests.map(({ ifname, defaultRoute }) => `${ifname} ${defaultRoute}`);
    assert.deepEqual(routes.sort(), [
      "eno1 DEFAULT_ROUTE_NONE",
      "eth0 DEFAULT_ROUTE_UNSPECIFIED",
      "net1 DEFAULT_ROUTE_NONE",
      "net3 DEFAULT_ROUTE_NONE",
    ]);
    assert.deepEqual(requests.find(({ ifname }) => ifname === "net3")?.addresses, []);
    const [status] = networkStatuses(host.context, "default/c1");
    const names = JSON.parse(status?.networkStatusJson ?? "").map(
      (each: { name: string; default?: boolean }) => `${each.name} ${each.default ?? false}`,
    );
    assert.deepEqual(names.sort(), [
      "default/a false",
      "default/b false",
      "default/bare false",
      "net true",
    ]);
  });

  it("a repeat answers the same and attaches nothing new", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    const first = await world.call(host, "ADD", "a,b");
    const before = world.records;
    // Whatever the annotation says by now.
    assert.deepEqual(await world.call(host, "ADD", "a,b,bare"), first);
    assert.deepEqual(world.records, before);
  });

  it("DEL takes all away, the default one last", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a,b");
    world.routed.calls.length = 0;
    world.other.calls.length = 0;
    const order: string[] = [];
    for (const plugin of [world.routed, world.other]) {
      plugin.before = async () => void order.push(plugin.calls.at(-1) ?? "");
    }
    assert.equal(codeOf(await world.call(host, "DEL", "")), undefined);
    assert.equal(order.at(-1), "detach eth0");
    assert.deepEqual(order.toSorted(), ["detach eth0", "detach net1", "detach net2"]);
    assert.deepEqual(world.records, []);
    assert.equal(world.heldAddresses, 0);
  });

  it("a refusal and a failure each tell once whom they hit and why, for people who look at the pod", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "nosuch");
    world.other.before = () => Promise.reject(new PluginError("invalid-config", "no such VLAN"));
    await world.call(host, "ADD", "b");
    const told = world.events.filter(({ kind }) => kind === "attach-failed");
    assert.deepEqual(
      told.map(
        ({ about }) => `${about?.kind} ${about?.namespace}/${about?.name}: ${about?.sentence}`,
      ),
      [
        "Pod default/c1: k8s.v1.cni.cncf.io/networks[0] names network default/nosuch, which is not defined",
        "Pod default/c1: Attach of net1 of default/c1 to default/b by other failed: no such VLAN",
      ],
    );
    // A repeat that fails, too: nothing is attached by it, the pod stands.
    world.other.before = () => Promise.resolve();
    await world.call(host, "ADD", "b");
    world.routed.before = () => Promise.reject(new Error("routed is broken"));
    await world.call(host, "ADD", "b");
    assert.match(world.events.at(-1)?.about?.sentence ?? "", /routed is broken/);
  });

  it("a failure of one leaves none, and no address", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    world.other.before = (call) =>
      call === "attach"
        ? Promise.reject(new PluginError("invalid-config", "no such VLAN"))
        : Promise.resolve();
    const answer = await world.call(host, "ADD", "a,b,bare");
    assert.equal(codeOf(answer), 7);
    assert.match(
      messageOf(answer),
      /net2 of default\/c1 to default\/b by other failed.*no such VLAN/,
    );
    assert.deepEqual(world.records, []);
    assert.equal(world.heldAddresses, 0);
    assert.equal(world.routed.held.size, 0);
    assert.deepEqual(world.other.calls, ["attach net2", "detach net2"]);
  });

  it("addresses of all networks are given in one go: a full pool changes nothing", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "tiny", "c1");
    const before = world.store.load().leases.length;
    const answer = await world.call(host, "ADD", "a,tiny", "c2");
    assert.equal(codeOf(answer), 11);
    assert.match(messageOf(answer), /default\/tiny.*POOL_EMPTY/);
    assert.equal(world.store.load().leases.length, before);
    assert.deepEqual(
      world.calls.filter((call) => call.startsWith("detach")),
      [],
    );
  });

  it("a DEL that fails on one network reports it, frees the others, and finishes later", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a,b");
    world.other.before = () => Promise.reject(new Error("EBUSY"));
    assert.equal(codeOf(await world.call(host, "DEL", "")), 11);
    assert.deepEqual(world.records, ["net2 default/b detaching"]);
    // The default network is gone, and still the pod is not.
    assert.equal(codeOf(await world.call(host, "DEL", "")), 11);
    world.other.before = async () => {};
    assert.equal(codeOf(await world.call(host, "DEL", "")), undefined);
    assert.deepEqual(world.records, []);
  });

  it("names annotation, element and network of what is wrong, and does nothing", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    const cases: readonly [networks: unknown, code: number, message: RegExp][] = [
      ["nowhere", 11, /networks\[0\] names network default\/nowhere, which is not defined/],
      ["a,", 7, /networks/],
      [[{ name: "a", ips: ["x"] }], 7, /networks\[0\]\.ips\[0\]/],
      [[{ name: "a", "infiniband-guid": "02:00:00:00:00:00:00:01" }], 7, /infiniband-guid/],
      ["lost", 7, /default\/lost \(net1\) depends on "net9"/],
      [[{ name: "bare", "ipam-claim-reference": "vm" }], 11, /IPAMClaim default\/vm/],
      ["a@eth0", 7, /eth0/],
    ];
    for (const [networks, code, message] of cases) {
      const answer = await world.call(host, "ADD", networks);
      assert.equal(codeOf(answer), code, answer.resultJson);
      assert.match(messageOf(answer), message);
    }
    assert.deepEqual(world.calls, []);
    assert.deepEqual(world.records, []);
  });

  it("default-route moves the pod's default routes to the network that asks", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    const networks = [{ name: "a", "default-route": ["10.1.0.1", "fd01::1"] }, { name: "b" }];
    assert.equal(codeOf(await world.call(host, "ADD", networks)), undefined);
    const requests = [...world.routed.held.values(), ...world.other.held.values()];
    const byName = Object.fromEntries(
      requests.map(({ ifname, defaultRoute, routes }) => [
        ifname,
        `${defaultRoute} ${routes.map((route) => `${route.destination} ${route.gateway}`).join(", ")}`,
      ]),
    );
    assert.deepEqual(byName, {
      eth0: "DEFAULT_ROUTE_NONE ",
      net1: "DEFAULT_ROUTE_UNSPECIFIED 0.0.0.0/0 10.1.0.1, ::/0 fd01::1",
      net2: "DEFAULT_ROUTE_NONE ",
    });
  });

  it("default-route is for one network, whichever annotation names it", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    const annotations = {
      "v1.multus-cni.io/default-network": '[{"name":"b","default-route":["10.2.0.1"]}]',
      "k8s.v1.cni.cncf.io/networks": '[{"name":"a","default-route":["10.1.0.1"]}]',
    };
    const answer = await host.invoke({
      ...cniCall("ADD", {
        containerId: "c1",
        netns: world.makeNetns("c1", 11),
        config: { runtimeConfig: { "io.kubernetes.cri.pod-annotations": annotations } },
      }),
      args: "K8S_POD_NAMESPACE=default;K8S_POD_NAME=c1",
    });
    assert.equal(codeOf(answer), 7);
    assert.match(
      messageOf(answer),
      /networks\[0\]\.default-route is given, and so is v1\.multus-cni\.io\/default-network\[0\]\.default-route, expected one of them/,
    );
    assert.deepEqual(world.calls, []);
  });
});

describe("order of a pod's networks", () => {
  /** Attach calls that have begun and not ended, each time one begins. */
  async function overlapOf(networks: string, parallel: readonly string[]) {
    const world = new PodWorld();
    for (const plugin of [world.routed, world.other]) {
      if (parallel.includes(plugin.info.name)) {
        plugin.info.capabilities.push("CAPABILITY_ATTACH_IN_PARALLEL");
      }
    }
    const running = new Set<string>();
    const seen: string[] = [];
    const ends: (() => void)[] = [];
    for (const plugin of [world.routed, world.other]) {
      plugin.before = () => {
        const name = plugin.calls.at(-1)?.slice("attach ".length) ?? "";
        running.add(name);
        seen.push([...running].sort().join("+"));
        return new Promise<void>((resolve) => {
          ends.push(() => {
            running.delete(name);
            resolve();
          });
        });
      };
    }
    const host = await world.startHost();
    let isOver = false;
    const adding = world.call(host, "ADD", networks).finally(() => (isOver = true));
    while (!isOver) {
      await settled();
      ends.shift()?.();
    }
    assert.equal(codeOf(await adding), undefined);
    return seen;
  }

  it("plugins attach one after the other unless they say that they may do otherwise", async () => {
    assert.deepEqual(await overlapOf("a,b,bare", []), ["eth0", "net1", "net2", "net3"]);
  });

  it("networks of plugins that attach in parallel are attached at once, beside the default one", async () => {
    assert.deepEqual(await overlapOf("bare,b,bare@x", ["routed", "other"]), [
      "eth0",
      "eth0+net1",
      "eth0+net1+net2",
      "eth0+net1+net2+x",
    ]);
  });

  it("they wait for a default network whose plugin does not, and so does a serial one for any", async () => {
    assert.deepEqual(await overlapOf("bare,b", ["other"]), ["eth0", "net1", "net1+net2"]);
    assert.deepEqual(await overlapOf("a,b,bare", ["routed"]), [
      "eth0",
      "eth0+net1",
      "net1+net2",
      "net3",
    ]);
  });

  it("a network waits for what it depends on, and not for others", async () => {
    assert.deepEqual(await overlapOf("over,a,bare", ["routed", "other"]), [
      "eth0",
      "eth0+net2",
      "eth0+net2+net3",
      "net1+net3",
    ]);
  });
});

describe("hot-plug", () => {
  it("attaches a running pod, answers the same again, and detaches it", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a");
    const plugged = await host.attachNetwork("default/c1", "b");
    assert.equal(plugged.ifname, "net2");
    assert.equal((await host.attachNetwork("c1", "default/b")).id, plugged.id);
    assert.deepEqual(world.records, [
      "eth0 net attached",
      "net1 default/a attached",
      "net2 default/b attached",
    ]);
    assert.equal((await host.detachNetwork("default/c1", "b")).length, 1);
    assert.deepEqual(await host.detachNetwork("default/c1", "net2"), []);
    assert.deepEqual(world.records, ["eth0 net attached", "net1 default/a attached"]);
    await host.attachNetwork("default/c1", '{"name":"b","interface":"x"}');
    assert.equal(codeOf(await world.call(host, "DEL", "")), undefined);
    assert.deepEqual(world.records, []);
    assert.equal(world.heldAddresses, 0);
  });

  it("a failure leaves the pod as it was", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a");
    world.other.before = (call) =>
      call === "attach" ? Promise.reject(new Error("EIO")) : Promise.resolve();
    await assert.rejects(host.attachNetwork("default/c1", "b"), /to default\/b by other failed/);
    assert.deepEqual(world.records, ["eth0 net attached", "net1 default/a attached"]);
    assert.equal(world.heldAddresses, 3);
  });

  it("refuses what cannot be meant", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a,over");
    const { attachNetwork, detachNetwork } = {
      attachNetwork: host.attachNetwork.bind(host),
      detachNetwork: host.detachNetwork.bind(host),
    };
    await assert.rejects(attachNetwork("default/none", "b"), /No pod "default\/none" is attached/);
    await assert.rejects(attachNetwork("", "b"), /No pod ""/);
    await assert.rejects(attachNetwork("default/c1", "b,a"), /names 2 networks, expected one/);
    await assert.rejects(
      attachNetwork("default/c1", "b@net1"),
      /net1 of default\/c1 is attached to network default\/a/,
    );
    await assert.rejects(detachNetwork("default/c1", "eth0"), /default network/);
    await assert.rejects(detachNetwork("default/c1", "a"), /net2 depends on it/);
    assert.equal(world.store.load().attachments.length, 3);
  });

  it("what a crash leaves half plugged is undone, and the pod stands", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a");
    world.other.before = (call) => (call === "attach" ? new Promise(() => {}) : Promise.resolve());
    void host.attachNetwork("default/c1", "b").catch(() => {});
    await settled();
    assert.ok(world.records.includes("net2 default/b attaching"));
    world.other.before = async () => {};
    await world.startHost();
    await settled();
    assert.deepEqual(world.records, ["eth0 net attached", "net1 default/a attached"]);
  });
});

describe("IPAM claims", () => {
  const networks = [{ name: "a", "ipam-claim-reference": "vm" }];

  it("addresses outlive the pod, belong to the next one, and cool when the claim is gone", async () => {
    const world = new PodWorld();
    world.definitions.claims.add("default/vm");
    let host = await world.startHost();
    assert.equal(codeOf(await world.call(host, "ADD", networks, "c1")), undefined);
    const first = [...world.routed.held.values()].find(
      ({ ifname }) => ifname === "net1",
    )?.addresses;
    const answer = await world.call(host, "ADD", networks, "c2");
    assert.equal(codeOf(answer), 11);
    assert.match(
      messageOf(answer),
      /IPAMClaim default\/vm on network default\/a are with net1 of default\/c1/,
    );
    await world.call(host, "DEL", "", "c1");
    // A restart and a reboot later.
    host = await world.startHost();
    world.bootId = "boot-2";
    host = await world.startHost();
    assert.equal(codeOf(await world.call(host, "ADD", networks, "c3")), undefined);
    const again = [...world.routed.held.values()].find(
      ({ ifname, sandboxId }) => ifname === "net1" && sandboxId === "c3",
    )?.addresses;
    assert.deepEqual(again, first);
    await world.call(host, "DEL", "", "c3");
    world.definitions.claims.clear();
    await world.pass(LIMITS.leakGraceMs + 3 * LIMITS.reconcileMs);
    assert.equal(world.heldAddresses, 0);
    assert.ok(world.events.some(({ kind }) => kind === "claim-released"));
  });

  it("a reboot gives addresses of pods back to their claims", async () => {
    const world = new PodWorld();
    world.definitions.claims.add("default/vm");
    await world.call(await world.startHost(), "ADD", networks, "c1");
    const before = world.heldAddresses;
    world.bootId = "boot-2";
    await world.startHost();
    assert.equal(before, 3);
    assert.equal(world.heldAddresses, 2);
  });
});

describe("drift", () => {
  const finding = { kind: "mtu", object: "net1", expected: "1500", found: "1400", repaired: false };

  it("is told of once, and mended a bounded number of times by a plugin that can", async () => {
    const world = new PodWorld();
    world.other.info.capabilities.push("CAPABILITY_REPAIR");
    const repairs: boolean[] = [];
    world.other.check = async (request?: { repair: boolean }) => {
      if (request?.repair) repairs.push(true);
      return [{ ...finding, repaired: request?.repair ?? false }];
    };
    const host = await world.startHost();
    await world.call(host, "ADD", "b");
    await world.pass(6 * LIMITS.driftMs);
    assert.equal(repairs.length, LIMITS.driftRepairsMax);
    const kinds = world.events.map(({ kind }) => kind).filter((kind) => kind.startsWith("drift"));
    assert.deepEqual(kinds, ["drift-repaired", "drift-repaired", "drift-found"]);
    await host.stop();
  });

  it("of any of the pod's networks is what CHECK answers", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "b");
    world.other.findings = [finding];
    const answer = await world.call(host, "CHECK", "");
    assert.equal(codeOf(answer), 103);
    assert.match(
      messageOf(answer),
      /net1 \(network default\/b\): mtu net1: expected 1500, found 1400/,
    );
  });
});

describe("a plugin that hangs", () => {
  it("keeps neither the start nor the rounds from the pods of others", async () => {
    const world = new PodWorld();
    await world.call(await world.startHost(), "ADD", "", "c1");
    await world.call(await world.startHost(), "ADD", "b", "c2");
    world.other.before = () => new Promise(() => {});
    const lost = await world.startHost();
    void world.call(lost, "DEL", "", "c2");
    await settled();
    const host = world.makeHost();
    void host.start();
    await world.pass(LIMITS.patienceMs * 2);
    assert.equal(host.phase, "ready");
    assert.equal(codeOf(await world.call(host, "ADD", "a", "c3")), undefined);
    world.routed.held.set("0".repeat(32), [...world.routed.held.values()][0]!);
    await world.pass(LIMITS.leakGraceMs + 8 * LIMITS.reconcileMs);
    assert.ok(world.events.some(({ kind }) => kind === "orphan-removed"));
  });

  it("that answers something else the second time is told of", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    const first = await world.call(host, "ADD", "");
    const attach = FakePlugin.prototype.attach.bind(world.routed);
    world.routed.attach = async (request) => ({ ...(await attach(request)), addresses: [] });
    assert.deepEqual(await world.call(host, "ADD", ""), first);
    assert.ok(world.events.some(({ kind }) => kind === "plugin-misbehaved"));
  });
});

describe("a plugin that cannot be called", () => {
  it("need not undo what it was never asked", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    world.other.before = () =>
      Promise.reject(
        new PatchbayError("PLUGIN_UNAVAILABLE", "Plugin other: 100 calls are under way"),
      );
    assert.equal(codeOf(await world.call(host, "ADD", "a,b")), 11);
    assert.deepEqual(world.records, []);
    assert.equal(world.heldAddresses, 0);
    assert.deepEqual(world.other.calls, ["attach net2"]);
  });
});

it("a host that only tells of drift mends none", async () => {
  const world = new PodWorld();
  world.other.info.capabilities.push("CAPABILITY_REPAIR");
  const repairs: boolean[] = [];
  const finding = { kind: "mtu", object: "net1", expected: "1500", found: "1400", repaired: false };
  world.other.check = async (request?: { repair: boolean }) => {
    repairs.push(request?.repair ?? false);
    return [finding];
  };
  const host = await world.startHost({}, { repairsDrift: false });
  await world.call(host, "ADD", "b");
  await world.pass(4 * LIMITS.driftMs);
  assert.ok(repairs.length > 1);
  assert.ok(!repairs.includes(true));
  assert.equal(world.events.filter(({ kind }) => kind === "drift-found").length, 1);
});
