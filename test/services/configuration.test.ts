import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { parsePrefix } from "../../src/ip/address.ts";
import type { Service, ServicesObject } from "../../src/services/objects.ts";
import { until } from "../e2e/harness.ts";
import {
  describeResult,
  dialOf,
  DROP_MS,
  type Lab,
  type LabHost,
  openLab,
  skipLab,
  untilProgrammed,
} from "./lab.ts";
import { clusterObjects, endpointOf } from "./objects.ts";
import { clusterIp } from "./requests.ts";
import {
  type ActorName,
  ADDRESSES,
  FAMILIES,
  LOCAL_PORT,
  nodeAddresses,
  SECOND_NODE_ADDRESS,
} from "./topology.ts";

const NODE_PORT = 31_600;
const BALANCER = { 4: "203.0.113.240", 6: "2001:db8:203::f0" } as const;
const EXTERNAL = { 4: "198.51.100.240", 6: "2001:db8:51::f0" } as const;

/** What the host's configuration and unusual objects change, one host each. */
describe("services configuration", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2", "node-a", "outside"]);
  });
  after(() => lab?.[Symbol.asyncDispose]());
  beforeEach(() => lab.write("cluster.yaml", clusterObjects()));
  afterEach(async () => {
    await host.process.kill("SIGKILL");
    await lab.node.run(["nft", "flush ruleset"]);
    await rm(lab.manifests, { recursive: true });
  });

  const start = async (objects: readonly ServicesObject[], services: object = {}) => {
    await lab.write("services.yaml", objects);
    host = await lab.startHost(services);
    await untilProgrammed(host, objects.filter(({ kind }) => kind === "Service").length);
  };
  /** "local-1 saw node", or what else came of it. */
  const dial = async (
    from: ActorName,
    place: { readonly address: string; readonly port: number },
    more: {
      readonly transport?: "TCP" | "UDP";
      readonly from?: string;
      readonly timeoutMs?: number;
      readonly bytes?: number;
    } = {},
  ): Promise<string> => {
    const { transport = "TCP", timeoutMs, ...rest } = more;
    const result = await lab.actor(from).dial({ ...dialOf(transport, place, timeoutMs), ...rest });
    if (result.kind !== "answer") return describeResult(result);
    const family = result.own.includes(":") ? 6 : 4;
    const name = (["local-1", "local-2"] as const).find(
      (name) => ADDRESSES[name][family] === result.own,
    );
    const peer = nodeAddresses(family).includes(result.peer)
      ? "node"
      : result.peer === ADDRESSES[from === "node-a" ? "node-a" : from][family]
        ? "source"
        : result.peer;
    return `${name ?? result.own} saw ${peer}`;
  };

  it("masqueradeAll hides pods too, with a mark of the configuration's choice", async () => {
    await start(web("web", { number: 50 }), { masqueradeAll: true, masqueradeBit: 31 });
    for (const family of FAMILIES) {
      const place = { address: clusterIp(family, 50), port: 80 };
      assert.equal(await dial("client-pod", place), "local-1 saw node");
      assert.equal(await dial("outside", place), "local-1 saw node");
    }
  });

  it("prefixes that overlap are one", async () => {
    const cidr = (name: string, ...cidrs: string[]) =>
      ({ kind: "ServiceCIDR", metadata: { name, namespace: "" }, spec: { cidrs } }) as const;
    await start(
      [
        ...web("web", {
          number: 50,
          ranges: [
            "10.244.0.0/16",
            "10.244.0.0/20",
            "10.244.1.10/32",
            "10.244.1.11/32",
            "10.244.16.0/20",
            "10.244.1.10/32",
            "fd00:244::/32",
            "fd00:244:1::/64",
            "fd00:244:1::10/128",
          ],
        }),
        ...web("any", { number: 51, ranges: ["0.0.0.0/0", "10.0.0.0/8", "::/0", "fd00::/8"] }),
        cidr("second", "10.96.0.0/12", "fd00:96::/112"),
        cidr("third", "10.96.2.0/24"),
      ],
      { clusterCidrs: ["10.244.0.0/16", "10.240.0.0/12", "fd00:244::/32", "fd00:244:1::/64"] },
    );
    for (const family of FAMILIES) {
      const cluster = { address: clusterIp(family, 50), port: 80 };
      assert.equal(await dial("client-pod", cluster), "local-1 saw source");
      const balancer = { address: balancerIp(family, 50), port: 80 };
      assert.equal(await dial("client-pod", balancer), "local-1 saw node");
      assert.equal(await dial("outside", balancer, { timeoutMs: DROP_MS }), "timeout");
      const any = { address: balancerIp(family, 51), port: 80 };
      assert.equal(await dial("outside", any), "local-1 saw node");
      const unknown = { address: clusterIp(family, 99), port: 80 };
      assert.equal(await dial("outside", unknown, { timeoutMs: DROP_MS }), "timeout");
    }
  });

  it("an empty list of usable source ranges is nobody, not everybody", async () => {
    // Ranges of the other family only.
    await start(web("web", { number: 50, ranges: ["fd00::/8"] }));
    const v4 = { address: balancerIp(4, 50), port: 80 };
    assert.equal(await dial("client-pod", v4, { timeoutMs: DROP_MS }), "timeout");
    assert.equal(
      await dial("client-pod", { ...v4, address: balancerIp(6, 50) }),
      "local-1 saw node",
    );
  });

  it("a load balancer's address that is the node's own may dial itself where the node may", async () => {
    const ranges = FAMILIES.map(
      (family) => `${ADDRESSES["node-a"][family]}/${family === 4 ? 32 : 128}`,
    );
    await start(web("web", { number: 50, ranges }));
    for (const family of FAMILIES) {
      const address = balancerIp(family, 50);
      const bits = family === 4 ? 32 : 128;
      const on = { link: "lo", address: parsePrefix(`${address}/${bits}`) };
      const { kernel, netns } = lab.node;
      await kernel.apply([{ netns, operations: [{ kind: "add-address", ...on }] }]);
      // The kernel itself picks the address as source, as it is on lo.
      assert.match(await dial("node-a", { address, port: 80 }), /^local-1 saw /);
      assert.equal(await dial("outside", { address, port: 80 }, { timeoutMs: DROP_MS }), "timeout");
      await kernel.apply([{ netns, operations: [{ kind: "delete-address", ...on }] }]);
    }
  });

  it("nodePortAddresses: all serves every address, a prefix only its own", async () => {
    await start(web("web", { number: 50 }), { nodePortAddresses: ["all"] });
    const port = NODE_PORT + 50;
    for (const family of FAMILIES) {
      // "all" is all of the Node object's, which does not name the second address.
      const place = { address: ADDRESSES["node-a"][family], port };
      assert.equal(await dial("outside", place), "local-1 saw node");
    }
    await host.process.kill("SIGKILL");
    host = await lab.startHost({ nodePortAddresses: ["192.168.1.2/32"] });
    await untilProgrammed(host, 1);
    assert.equal(
      await dial("outside", { address: ADDRESSES["node-a"][4], port }),
      "local-1 saw node",
    );
    for (const address of [ADDRESSES["node-a"][6], SECOND_NODE_ADDRESS[4]]) {
      assert.equal(await dial("outside", { address, port }), "refused");
    }
  });

  it("of two Services with one address the older has it, and the other takes it over", async () => {
    const shared = { externalIPs: FAMILIES.map((family) => EXTERNAL[family]) };
    const older = web("zz-older", { ...shared, number: 50, created: "2026-01-01T00:00:00Z" });
    const newer = web("aa-newer", {
      ...shared,
      number: 51,
      created: "2026-02-01T00:00:00Z",
      endpoint: "local-2",
    });
    await start([...newer, ...older]);
    for (const family of FAMILIES) {
      const place = { address: EXTERNAL[family], port: 80 };
      assert.equal(await dial("outside", place), "local-1 saw node");
    }
    await lab.write("services.yaml", newer);
    await untilProgrammed(host, 1);
    for (const family of FAMILIES) {
      const place = { address: EXTERNAL[family], port: 80 };
      assert.equal(await dial("outside", place), "local-2 saw node");
    }
  });

  it("datagrams in fragments arrive", async () => {
    await start(web("web", { number: 50 }));
    for (const family of FAMILIES) {
      for (const from of ["client-pod", "outside", "node-a"] as const) {
        const place = { address: clusterIp(family, 50), port: 80 };
        const seen = await dial(from, place, { transport: "UDP", bytes: 4000 });
        assert.equal(seen, `local-1 saw ${from === "client-pod" ? "source" : "node"}`, from);
      }
    }
  });

  it("a Service that goes while no host is there is gone with the next one", async () => {
    await start([...web("stays", { number: 50 }), ...web("goes", { number: 51 })]);
    const places = (number: number) =>
      FAMILIES.flatMap((family) => [
        { address: clusterIp(family, number), port: 80 },
        { address: balancerIp(family, number), port: 80 },
        { address: ADDRESSES["node-a"][family], port: NODE_PORT + number },
      ]);
    for (const place of places(51)) assert.match(await dial("outside", place), /^local-1/);
    await host.process.kill("SIGKILL");
    await start(web("stays", { number: 50 }));
    for (const place of places(50)) assert.match(await dial("outside", place), /^local-1/);
    const results = await Promise.all(
      places(51).map((place) => dial("outside", place, { timeoutMs: DROP_MS })),
    );
    assert.ok(
      results.every((result) => !result.startsWith("local-1")),
      results.join(),
    );
  });

  it("a UDP socket whose endpoint goes while no host is there moves with the next one", async () => {
    await start(web("web", { number: 50 }));
    const place = { address: clusterIp(4, 50), port: 80 };
    const kept = { address: clusterIp(4, 51), port: 80 };
    await lab.write("more.yaml", web("kept", { number: 51 }));
    await untilProgrammed(host, 2);
    const open = (flow: string, to: typeof place) =>
      lab.actor("outside").call("open", { flow, dial: dialOf("UDP", to) });
    // An answer under way while its flow is deleted is lost: asked again soon.
    const say = (flow: string) => lab.actor("outside").call("say", { flow, timeoutMs: 300 });
    assert.equal(describeResult(await open("moves", place)).split(":")[0], ADDRESSES["local-1"][4]);
    const first = await open("stays", kept);
    await host.process.kill("SIGKILL");
    await lab.write("services.yaml", web("web", { number: 50, endpoint: "local-2" }));
    host = await lab.startHost();
    await untilProgrammed(host, 2);
    await until("the socket to hear local-2", 5000, async () => {
      return describeResult(await say("moves")).startsWith(ADDRESSES["local-2"][4]);
    });
    const again = await say("stays");
    assert.deepEqual({ ...again, ms: 0 }, { ...first, ms: 0 }, "the other one is left alone");
  });

  it("TCP connections to endpoints that went are closed where the Service asks for it", async () => {
    const annotations = { "services.patchbay.dev/close-tcp-flows": "true" };
    await start([
      ...web("closing", { number: 50, annotations }),
      ...web("keeping", { number: 51 }),
    ]);
    const open = (flow: string, number: number) =>
      lab.actor("client-pod").call("open", {
        flow,
        dial: dialOf("TCP", { address: clusterIp(4, number), port: 80 }),
      });
    const say = (flow: string, timeoutMs: number) =>
      lab.actor("client-pod").call("say", { flow, timeoutMs });
    await open("closing", 50);
    await open("keeping", 51);
    await lab.write("services.yaml", [
      ...web("closing", { number: 50, annotations, endpoint: "local-2" }),
      ...web("keeping", { number: 51, endpoint: "local-2" }),
    ]);
    const place = { address: clusterIp(4, 50), port: 80 };
    await until("new connections at local-2", 5000, async () => {
      return (await dial("client-pod", place)).startsWith("local-2");
    });
    const closed = await until("the old connection to end", 5000, async () => {
      const result = await say("closing", 300);
      return result.kind === "answer" ? undefined : result;
    });
    assert.notEqual(closed.kind, "answer");
    assert.equal((await say("keeping", 5000)).kind, "answer");
  });
});

interface WebOptions {
  readonly number: number;
  readonly ranges?: readonly string[];
  readonly externalIPs?: readonly string[];
  readonly created?: string;
  readonly endpoint?: "local-1" | "local-2";
  readonly annotations?: Readonly<Record<string, string>>;
}

function balancerIp(family: 4 | 6, number: number): string {
  return `${BALANCER[family].slice(0, family === 4 ? -3 : -2)}${number + 100}`;
}

/** A Service with one pod behind TCP and UDP port 80. */
function web(name: string, options: WebOptions): ServicesObject[] {
  const { number, ranges, externalIPs, created, endpoint = "local-1", annotations } = options;
  const service: Service = {
    kind: "Service",
    metadata: {
      name,
      namespace: "default",
      ...(created === undefined ? {} : { creationTimestamp: created }),
      ...(annotations ? { annotations } : {}),
    },
    spec: {
      type: "LoadBalancer",
      clusterIP: clusterIp(4, number),
      clusterIPs: [clusterIp(4, number), clusterIp(6, number)],
      ...(externalIPs ? { externalIPs } : {}),
      ...(ranges ? { loadBalancerSourceRanges: ranges } : {}),
      ports: (["TCP", "UDP"] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: 80,
        nodePort: NODE_PORT + number,
      })),
    },
    status: {
      loadBalancer: { ingress: FAMILIES.map((family) => ({ ip: balancerIp(family, number) })) },
    },
  };
  const slices = FAMILIES.map(
    (family): ServicesObject => ({
      kind: "EndpointSlice",
      metadata: {
        name: `${name}-v${family}`,
        namespace: "default",
        labels: { "kubernetes.io/service-name": name },
      },
      addressType: family === 4 ? "IPv4" : "IPv6",
      endpoints: [endpointOf(endpoint, { family })],
      ports: (["TCP", "UDP"] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: LOCAL_PORT,
      })),
    }),
  );
  return [service, ...slices];
}
