import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ADDRESSES } from "../cluster/addresses.ts";
import { fromOutside, inPod, type Lane, onNode, type Place } from "../lane.ts";
import { deployment, pod, PORTS, service, type ServiceOptions } from "../objects.ts";

const protocols = ["tcp", "udp"] as const;

export function servicesSuite(lane: () => Lane): void {
  describe("Services", () => {
    let namespace = "";
    let client: Place;

    /** Makes a Service of the pods "web" and returns its addresses and node ports. */
    const create = async (name: string, options: ServiceOptions = {}) => {
      await lane().cluster.apply(service(name, namespace, { app: "web", ...options }));
      const made = await lane().service(namespace, name);
      for (const address of made.addresses) {
        await lane().untilAnswered(onNode, { address, port: 80 });
      }
      return made;
    };

    before(async () => {
      namespace = await lane().createNamespace("services");
      client = inPod(namespace, "client");
      await lane().cluster.apply(
        deployment("web", namespace, { replicas: 3 }),
        pod("client", namespace, { args: ["serve"] }),
      );
      await lane().untilAvailable(namespace, "web");
      await lane().untilPodReady(namespace, "client");
    });

    after(async () => {
      await lane().emptyNamespace(namespace);
    });

    test("a dual-stack Service whose targetPorts are names answers pods and the node", async () => {
      const { addresses } = await create("dual");
      assert.equal(addresses.length, 2);
      for (const address of addresses) {
        for (const protocol of protocols) {
          for (const place of [client, onNode]) {
            const target = { protocol, address, port: 80, times: 24 };
            const answers = await lane().dial(place, target);
            // 24 tries that all miss one of three: one in 5,000 runs, for each of these.
            const servers = new Set(answers.map(({ server }) => server));
            assert.ok(servers.size >= 2, `${protocol} ${address}: ${[...servers].join(" ")}`);
          }
        }
      }
    });

    for (const families of ["IPv4", "IPv6"] as const) {
      test(`a Service of ${families} alone answers pods and the node`, async () => {
        const { addresses } = await create(families.toLowerCase(), { families });
        assert.equal(addresses.length, 1);
        for (const protocol of protocols) {
          const target = { protocol, address: addresses[0] ?? "", port: 80 };
          for (const place of [client, onNode]) await lane().dial(place, target);
        }
      });
    }

    test("a NodePort answers from outside the node, the node and pods", async () => {
      const { nodePorts } = await create("node-port", { spec: { type: "NodePort" } });
      for (const address of ADDRESSES.node) {
        for (const protocol of protocols) {
          const target = { protocol, address, port: nodePorts[protocol] ?? 0 };
          for (const place of [fromOutside, onNode, client]) await lane().dial(place, target);
        }
      }
    });

    test("externalTrafficPolicy Local: the server sees the client's own address", async () => {
      const spec = { type: "NodePort", externalTrafficPolicy: "Local" };
      const { nodePorts } = await create("local", { spec });
      for (const [index, address] of ADDRESSES.node.entries()) {
        for (const protocol of protocols) {
          const target = { protocol, address, port: nodePorts[protocol] ?? 0 };
          const [answer] = await lane().dial(fromOutside, target);
          assert.equal(answer?.client, ADDRESSES.outside[index]);
        }
      }
    });

    test("sessionAffinity ClientIP: a client stays with its server", async () => {
      const { addresses } = await create("sticky", { spec: { sessionAffinity: "ClientIP" } });
      for (const address of addresses) {
        const answers = await lane().dial(client, { address, port: 80, times: 20 });
        const servers = new Set(answers.map(({ server }) => server));
        assert.equal(servers.size, 1, [...servers].join(" "));
      }
    });

    test("hostPorts answer from outside and on the node, and are gone with their pod", async () => {
      const hostPorts = { tcp: 18_080, udp: 18_081 };
      await lane().cluster.apply(pod("host-port", namespace, { hostPorts }));
      await lane().untilPodReady(namespace, "host-port");
      for (const address of ADDRESSES.node) {
        for (const protocol of protocols) {
          const target = { protocol, address, port: hostPorts[protocol] };
          for (const place of [fromOutside, onNode, client]) {
            const [answer] = await lane().dial(place, target);
            assert.equal(answer?.server, "host-port");
          }
        }
      }
      await lane().cluster.kubectl(["delete", "pod", "host-port", "--namespace", namespace]);
      const target = { address: ADDRESSES.node[0], port: hostPorts.tcp };
      await assert.rejects(lane().dial(fromOutside, target), /refused/);
    });

    test("a Service without endpoints refuses, and answers when they come", async () => {
      await lane().cluster.apply(service("later", namespace));
      const { addresses } = await lane().service(namespace, "later");
      for (const address of addresses) {
        await lane().cluster.until("a refusal", 10_000, async () => {
          const refused = lane().dial(client, { address, port: 80 });
          return await refused.then(
            () => false,
            (error: unknown) => /refused/.test(String(error)),
          );
        });
      }
      await lane().cluster.apply(pod("later", namespace));
      for (const address of addresses) {
        const { server } = await lane().untilAnswered(client, { address, port: 80 });
        assert.equal(server, "later");
      }
    });

    test("a pod reaches itself through its own Service", async () => {
      await lane().cluster.apply(pod("self", namespace), service("self", namespace));
      await lane().untilPodReady(namespace, "self");
      const { addresses } = await lane().service(namespace, "self");
      for (const address of addresses) {
        const { server } = await lane().untilAnswered(inPod(namespace, "self"), {
          address,
          port: 80,
        });
        assert.equal(server, "self");
      }
      assert.ok(PORTS.tcp);
    });
  });
}
