import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Family } from "../../src/ip/address.ts";
import type { EndpointSlice, Service } from "../../src/services/objects.ts";
import {
  dialOf,
  type Lab,
  type LabHost,
  openLab,
  program,
  skipLab,
  untilEndpoints,
  untilProgrammed,
} from "./lab.ts";
import { clusterObjects } from "./objects.ts";
import { clusterIp, frontend, group, manyEndpoints } from "./requests.ts";
import { type ActorName, ADDRESSES, FAMILIES, LOCAL_PORT, nodeAddresses } from "./topology.ts";

/** So many that two dials meet by chance once in a hundred. */
const MANY = 100;
const NODE_PORT = 31_500;

/** Session affinity ClientIP; sources with manifests, which survive the host. */
describe("session affinity", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const clients: readonly ActorName[] = ["client-pod", "outside", "remote-pod"];

  before(async () => {
    lab = await openLab(["client-pod", "local-2", "remote-pod", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    await lab.write("services.yaml", [
      ...sticky("short", { number: 10, seconds: 2, count: MANY }),
      ...sticky("long", { number: 11, seconds: 3600, count: MANY }),
      ...sticky("losing", { number: 12, seconds: 3600, count: MANY }),
    ]);
    host = await lab.startHost();
    await untilProgrammed(host, 3);
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const dial = async (
    from: ActorName,
    place: { readonly address: string; readonly port: number },
  ): Promise<string> => {
    const result = await lab.actor(from).dial(dialOf("TCP", place));
    return result.kind === "answer" ? result.own : result.kind;
  };
  const clusterPlace = (family: Family, number: number) => ({
    address: clusterIp(family, number),
    port: 80,
  });

  for (const family of FAMILIES) {
    it(`a client keeps its endpoint, and clients differ, v${family}`, async () => {
      const chosen = new Set<string>();
      for (const client of [...clients, "node-a"] as const) {
        const place =
          client === "remote-pod"
            ? { address: ADDRESSES["node-a"][family], port: NODE_PORT + 11 }
            : clusterPlace(family, 11);
        const first = await dial(client, place);
        const again = await Promise.all(Array.from({ length: 20 }, () => dial(client, place)));
        assert.deepEqual(new Set(again), new Set([first]), client);
        chosen.add(first);
      }
      assert.ok(chosen.size > 1, "four clients met at one of 100 endpoints");
    });

    it(`a client has the same endpoint on every frontend of a Service, v${family}`, async () => {
      const places = [
        clusterPlace(family, 11),
        { address: ADDRESSES["node-a"][family], port: NODE_PORT + 11 },
      ];
      const seen = await Promise.all(places.map((place) => dial("client-pod", place)));
      assert.equal(new Set(seen).size, 1, seen.join());
    });
  }

  it("each new connection refreshes it, and it expires", async () => {
    await Promise.all(
      FAMILIES.map(async (family) => {
        const place = clusterPlace(family, 10);
        const first = await dial("client-pod", place);
        for (let count = 0; count < 4; count++) {
          await pause(1200);
          assert.equal(await dial("client-pod", place), first, "within 2 s of the last dial");
        }
        // Each time another one comes by chance in 99 of 100 dials.
        let moved = false;
        for (let count = 0; count < 3 && !moved; count++) {
          await pause(3000);
          moved = (await dial("client-pod", place)) !== first;
        }
        assert.ok(moved, `v${family}: the same endpoint three times after 3 s of silence`);
      }),
    );
  });

  it("a client whose endpoint goes gets another one, and keeps that", async () => {
    const place = clusterPlace(4, 12);
    const first = await dial("client-pod", place);
    const other = await dial("outside", place);
    const left = manyEndpoints(4, MANY).filter((address) => address !== first);
    await lab.write("services.yaml", [
      ...sticky("short", { number: 10, seconds: 2, count: MANY }),
      ...sticky("long", { number: 11, seconds: 3600, count: MANY }),
      ...sticky("losing", { number: 12, seconds: 3600, count: MANY }, left),
    ]);
    await untilEndpoints(host, "default/losing", { family: 4, addresses: left });
    const second = await dial("client-pod", place);
    assert.notEqual(second, first);
    const again = await Promise.all(Array.from({ length: 20 }, () => dial("client-pod", place)));
    assert.deepEqual(new Set(again), new Set([second]));
    if (other !== first) assert.equal(await dial("outside", place), other, "nobody else moves");
  });

  it("does not lead around the policy Local", async () => {
    for (const family of FAMILIES) {
      const id = `local-${family}`;
      const cluster = { address: clusterIp(family, 13), port: 80 };
      const nodePort = { address: ADDRESSES["node-a"][family], port: NODE_PORT + 13 };
      const more = { affinitySeconds: 3600, externalLocal: true };
      const put = (names: readonly ("local-2" | "remote-pod")[]) =>
        program(host, {
          putGroups: [
            {
              id,
              endpoints: names.map((name) => ({
                address: ADDRESSES[name][family],
                ports: [{ name: "tcp", protocol: "TCP", port: LOCAL_PORT }],
                node: name === "local-2" ? "node-a" : "node-b",
              })),
            },
          ],
          putFrontends: [
            frontend(id, { ...cluster, protocol: "TCP" }, more),
            frontend(
              id,
              { address: "", port: nodePort.port, protocol: "TCP" },
              { ...more, kind: "nodePort", family },
            ),
          ],
        });
      const [local, remote] = [ADDRESSES["local-2"][family], ADDRESSES["remote-pod"][family]];
      await put(["remote-pod"]);
      assert.equal(await dial("outside", cluster), remote);
      await put(["remote-pod", "local-2"]);
      assert.equal(await dial("outside", cluster), remote, "remembered");
      for (let count = 0; count < 5; count++) {
        assert.equal(await dial("outside", nodePort), local, `v${family}: outside, eTP Local`);
      }
      assert.ok([local, remote].includes(await dial("outside", cluster)));
      assert.equal(await dial("outside", nodePort), local, `v${family}: again`);
    }
  });

  it("leads an endpoint back to itself", async () => {
    for (const family of FAMILIES) {
      const id = `itself-${family}`;
      const place = { address: clusterIp(family, 14), port: 80 };
      await program(host, {
        putGroups: [group(id, [ADDRESSES["local-2"][family]])],
        putFrontends: [frontend(id, { ...place, protocol: "TCP" }, { affinitySeconds: 60 })],
      });
      for (let count = 0; count < 3; count++) {
        const result = await lab.actor("local-2").dial(dialOf("TCP", place));
        assert.equal(result.kind, "answer");
        assert.ok(result.kind === "answer" && nodeAddresses(family).includes(result.peer));
      }
    }
  });

  it("survives kill -9 and a new host", async () => {
    const places = clients
      .filter((client) => client !== "remote-pod")
      .flatMap((client) => FAMILIES.map((family) => ({ client, place: clusterPlace(family, 11) })));
    const dialAll = () => Promise.all(places.map(({ client, place }) => dial(client, place)));
    const before = await dialAll();
    await host.process.kill("SIGKILL");
    assert.deepEqual(await dialAll(), before, "without a host");
    host = await lab.startHost();
    await untilProgrammed(host, 3);
    assert.deepEqual(await dialAll(), before, "with a new host");
  });
});

function sticky(
  name: string,
  how: { readonly number: number; readonly seconds: number; readonly count: number },
  v4 = manyEndpoints(4, how.count),
): [Service, ...EndpointSlice[]] {
  const { number, seconds, count } = how;
  const slices = FAMILIES.map(
    (family): EndpointSlice => ({
      kind: "EndpointSlice",
      metadata: {
        name: `${name}-v${family}`,
        namespace: "default",
        labels: { "kubernetes.io/service-name": name },
      },
      addressType: family === 4 ? "IPv4" : "IPv6",
      endpoints: (family === 4 ? v4 : manyEndpoints(6, count)).map((address) => ({
        addresses: [address],
        nodeName: "node-a",
      })),
      ports: [{ name: "web", protocol: "TCP", port: LOCAL_PORT }],
    }),
  );
  const service: Service = {
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: {
      type: "NodePort",
      clusterIP: clusterIp(4, number),
      clusterIPs: [clusterIp(4, number), clusterIp(6, number)],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } },
      ports: [{ name: "web", protocol: "TCP", port: 80, nodePort: NODE_PORT + number }],
    },
  };
  return [service, ...slices];
}

/** Time itself is what is tested: nothing else could be waited for. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
