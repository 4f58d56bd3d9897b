import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseAddress, parsePrefix } from "../../src/ip/address.ts";
import type { Service, ServicesObject } from "../../src/services/objects.ts";
import { runInNetns, until } from "../e2e/harness.ts";
import {
  ANSWER_MS,
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
import type { Transport } from "./protocol.ts";
import { clusterIp } from "./requests.ts";
import {
  type ActorName,
  ADDRESSES,
  FAMILIES,
  LOCAL_PORT,
  SECOND_NODE_ADDRESS,
} from "./topology.ts";

const TRANSPORTS: readonly Transport[] = ["TCP", "UDP"];
const NODE_PORT = 31_800;
/** Served by a process of node-a itself, on all its addresses. */
const HOST_PORT = 7000;
const BALANCER = { 4: "203.0.113.250", 6: "2001:db8:203::fa" } as const;

/** What lies beside the frontends: wrong ports, unknown addresses, addresses with two owners. */
describe("beside the frontends", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const sources: readonly ActorName[] = ["client-pod", "node-a", "outside"];

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2", "remote-1", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    await lab.write("services.yaml", [
      ...web("plain", 30),
      ...web("overlap", 31, { externalIPs: FAMILIES.map((family) => ADDRESSES["node-a"][family]) }),
      ...web("ranged", 32, { ranged: true }),
      ...web("proxied", 33, { proxied: true }),
      ...web("hostnetwork", 34, { hostNetwork: true }),
    ]);
    host = await lab.startHost();
    await untilProgrammed(host, 5);
    await lab.actor("node-a").call("listen", {
      places: [HOST_PORT, NODE_PORT + 30].flatMap((port) => [
        { transport: "TCP", address: "0.0.0.0", port },
        { transport: "TCP", address: "::", port },
        ...FAMILIES.flatMap((family) =>
          [ADDRESSES["node-a"][family], SECOND_NODE_ADDRESS[family]].map((address) => ({
            transport: "UDP" as const,
            address,
            port,
          })),
        ),
      ]),
    });
  });
  after(() => lab?.[Symbol.asyncDispose]());

  /** Dials from every source in both families by both transports; what is not as wanted. */
  const findWrong = async (
    placeOf: (family: 4 | 6) => { readonly address: string; readonly port: number },
    wanted: (family: 4 | 6) => string,
    options: { readonly from?: readonly ActorName[]; readonly timeoutMs?: number } = {},
  ): Promise<string[]> => {
    const wrong: string[] = [];
    for (const from of options.from ?? sources) {
      await Promise.all(
        FAMILIES.flatMap((family) =>
          TRANSPORTS.map(async (transport) => {
            const dial = dialOf(transport, placeOf(family), options.timeoutMs ?? ANSWER_MS);
            const result = await lab.actor(from).dial(dial);
            const seen = result.kind === "answer" ? result.own : describeResult(result);
            if (seen !== wanted(family)) wrong.push(`${from} v${family} ${transport}: ${seen}`);
          }),
        ),
      );
    }
    return wrong;
  };
  const answers = (family: 4 | 6) => ADDRESSES["local-1"][family];
  const refused = () => "refused";
  const silence = () => "timeout";

  it("a port that a known cluster IP has not is refused", async () => {
    const place = (family: 4 | 6) => ({ address: clusterIp(family, 30), port: 81 });
    assert.deepEqual(await findWrong(place, refused), []);
  });

  it("a protocol that a port of a known cluster IP has not is refused", async () => {
    const place = (family: 4 | 6) => ({ address: clusterIp(family, 30), port: 82 });
    const wrong = await findWrong(place, answers);
    assert.equal(wrong.length, sources.length * FAMILIES.length, wrong.join());
    for (const line of wrong) assert.match(line, /UDP: refused$/);
  });

  it("an address in the Service range that nobody has is silent", async () => {
    const place = (family: 4 | 6) => ({ address: clusterIp(family, 99), port: 80 });
    assert.deepEqual(await findWrong(place, silence, { timeoutMs: DROP_MS }), []);
  });

  it("a ping of a cluster IP is refused: it neither vanishes nor circles between node and router", async () => {
    for (const family of FAMILIES) {
      for (const from of ["client-pod", "outside", "node-a"] as const) {
        const argv = ["ping", "-n", "-c", "1", "-W", "1", clusterIp(family, 30)];
        const { exitCode, stdout, stderr } = await runInNetns(lab.namespaces[from], argv);
        assert.notEqual(exitCode, 0, `${from}: ${stdout}`);
        // A process of the node hears of it from its own kernel.
        assert.match(stdout + stderr, /port unreachable|not permitted/i, from);
      }
    }
  });

  it("an external IP that is the node's own takes its port and leaves the others", async () => {
    const service = (family: 4 | 6) => ({ address: ADDRESSES["node-a"][family], port: 80 });
    assert.deepEqual(await findWrong(service, answers), []);
    const own = (family: 4 | 6) => ({ address: ADDRESSES["node-a"][family], port: HOST_PORT });
    const wrong = await findWrong(own, (family) => ADDRESSES["node-a"][family], {
      from: ["client-pod", "outside"],
    });
    assert.deepEqual(wrong, []);
  });

  it("a NodePort on an address that serves none is the host's own", async () => {
    const place = (family: 4 | 6) => ({
      address: SECOND_NODE_ADDRESS[family],
      port: NODE_PORT + 30,
    });
    const wrong = await findWrong(place, (family) => SECOND_NODE_ADDRESS[family]);
    assert.deepEqual(wrong, []);
  });

  it("source ranges are for the load balancer's address, not for the other ways in", async () => {
    const balancer = (family: 4 | 6) => ({ address: balancerIp(family, 32), port: 80 });
    assert.deepEqual(
      await findWrong(balancer, silence, { from: ["outside", "node-a"], timeoutMs: DROP_MS }),
      [],
    );
    assert.deepEqual(await findWrong(balancer, answers, { from: ["client-pod"] }), []);
    const cluster = (family: 4 | 6) => ({ address: clusterIp(family, 32), port: 80 });
    assert.deepEqual(await findWrong(cluster, answers), []);
    const nodePort = (family: 4 | 6) => ({
      address: ADDRESSES["node-a"][family],
      port: NODE_PORT + 32,
    });
    assert.deepEqual(await findWrong(nodePort, answers), []);
  });

  it("a load balancer's address of mode Proxy is left to the load balancer", async () => {
    // The load balancer is outside here.
    const { outside, router } = lab.namespaces;
    for (const family of FAMILIES) {
      const address = parsePrefix(`${BALANCER[family]}/${family === 4 ? 32 : 128}`);
      const gateway = parseAddress(ADDRESSES.outside[family]);
      await lab.node.kernel.apply([
        { netns: outside, operations: [{ kind: "add-address", link: "lo", address }] },
        { netns: router, operations: [{ kind: "add-route", destination: address, gateway }] },
      ]);
    }
    await lab.actor("outside").call("listen", {
      places: FAMILIES.flatMap((family) =>
        TRANSPORTS.map((transport) => ({ transport, address: BALANCER[family], port: 80 })),
      ),
    });
    const place = (family: 4 | 6) => ({ address: BALANCER[family], port: 80 });
    // The kernel takes its time with the local route of an IPv6 address.
    await until("the load balancer to hear itself", ANSWER_MS, async () => {
      const dials = FAMILIES.map((family) => dialOf("UDP", place(family), DROP_MS));
      const heard = await Promise.all(dials.map((dial) => lab.actor("outside").dial(dial)));
      return heard.every(({ kind }) => kind === "answer");
    });
    const wrong = await findWrong(place, (family) => BALANCER[family], {
      from: ["client-pod", "node-a"],
    });
    assert.deepEqual(wrong, []);
  });

  it("an endpoint in the node's own network answers pods, processes and strangers", async () => {
    const own = (family: 4 | 6) => ADDRESSES["node-a"][family];
    const cluster = (family: 4 | 6) => ({ address: clusterIp(family, 34), port: 80 });
    assert.deepEqual(await findWrong(cluster, own), []);
    const nodePort = (family: 4 | 6) => ({ address: own(family), port: NODE_PORT + 34 });
    assert.deepEqual(await findWrong(nodePort, own), []);
  });
});

interface WebOptions {
  readonly externalIPs?: readonly string[];
  /** Only client-pod may use the load balancer's address. */
  readonly ranged?: boolean;
  readonly proxied?: boolean;
  /** The endpoint is a process of node-a. */
  readonly hostNetwork?: boolean;
}

function balancerIp(family: 4 | 6, number: number): string {
  return family === 4 ? `203.0.113.${200 + number - 30}` : `2001:db8:203::c${number}`;
}

/** A Service with local-1 behind port 80, and behind TCP port 82. */
function web(name: string, number: number, options: WebOptions = {}): ServicesObject[] {
  const ports = [
    { name: "tcp", protocol: "TCP", port: 80, nodePort: NODE_PORT + number },
    { name: "udp", protocol: "UDP", port: 80, nodePort: NODE_PORT + number },
    { name: "only", protocol: "TCP", port: 82, nodePort: NODE_PORT + 50 + number },
  ] as const;
  const service: Service = {
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: {
      type: "LoadBalancer",
      clusterIP: clusterIp(4, number),
      clusterIPs: [clusterIp(4, number), clusterIp(6, number)],
      ...(options.externalIPs ? { externalIPs: options.externalIPs } : {}),
      ...(options.ranged
        ? {
            loadBalancerSourceRanges: FAMILIES.map(
              (family) => `${ADDRESSES["client-pod"][family]}/${family === 4 ? 32 : 128}`,
            ),
          }
        : {}),
      ports,
    },
    status: {
      loadBalancer: {
        ingress: FAMILIES.map((family) =>
          options.proxied
            ? { ip: BALANCER[family], ipMode: "Proxy" as const }
            : { ip: balancerIp(family, number) },
        ),
      },
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
      endpoints: [
        options.hostNetwork
          ? { addresses: [ADDRESSES["node-a"][family]], nodeName: "node-a" }
          : endpointOf("local-1", { family }),
      ],
      ports: (["tcp", "udp", "only"] as const).map((name) => ({
        name,
        protocol: name === "udp" ? "UDP" : "TCP",
        port: options.hostNetwork ? HOST_PORT : LOCAL_PORT,
      })),
    }),
  );
  return [service, ...slices];
}
