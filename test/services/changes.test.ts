import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Node, ServicesObject } from "../../src/services/objects.ts";
import { until } from "../e2e/harness.ts";
import { addOk, addressesOf, bare, makeNetwork } from "../e2e/runtime.ts";
import { Actor } from "./actors.ts";
import {
  describeResult,
  dialOf,
  type Lab,
  type LabHost,
  openLab,
  program,
  skipLab,
} from "./lab.ts";
import { clusterObjects } from "./objects.ts";
import { clusterIp, frontend, group, localEndpoints } from "./requests.ts";
import {
  type ActorName,
  ADDRESSES,
  FAMILIES,
  nodeAddresses,
  SECOND_NODE_ADDRESS,
} from "./topology.ts";

const MOVE_MS = 5000;

/** What a node knows changes, while Services stay; and Services that change places. */
describe("changes", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const stay = (family: 4 | 6) => ({ address: clusterIp(family, 70), port: 80 });
  const NODE_PORT = 31_400;

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
    for (const family of FAMILIES) {
      const id = `stay-${family}`;
      await program(host, {
        putGroups: [group(id, localEndpoints(family, ["local-1"]))],
        putFrontends: [
          frontend(id, { ...stay(family), protocol: "TCP" }),
          frontend(
            id,
            { address: "", port: NODE_PORT, protocol: "TCP" },
            { kind: "nodePort", family },
          ),
        ],
      });
    }
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const dial = async (from: ActorName | Actor, place: { address: string; port: number }) => {
    const actor = from instanceof Actor ? from : lab.actor(from);
    return await actor.dial(dialOf("TCP", place));
  };
  const peerOf = async (from: ActorName, place: { address: string; port: number }) => {
    const result = await dial(from, place);
    return result.kind === "answer" ? result.peer : describeResult(result);
  };
  const withNodeA = (change: (node: Node) => Node): ServicesObject[] =>
    clusterObjects().map((object) =>
      object.kind === "Node" && object.metadata.name === "node-a" ? change(object) : object,
    );

  it("podCIDRs that go make strangers of pods, and come back", async () => {
    await lab.write(
      "cluster.yaml",
      withNodeA((node) => ({ ...node, spec: {} })),
    );
    for (const family of FAMILIES) {
      await until("the node to hide client-pod", MOVE_MS, async () =>
        nodeAddresses(family).includes(await peerOf("client-pod", stay(family))),
      );
    }
    await lab.write("cluster.yaml", clusterObjects());
    for (const family of FAMILIES) {
      await until("client-pod to be itself", MOVE_MS, async () => {
        return (await peerOf("client-pod", stay(family))) === ADDRESSES["client-pod"][family];
      });
    }
  });

  it("NodePorts move with the node's address", async () => {
    await lab.write(
      "cluster.yaml",
      withNodeA((node) => ({
        ...node,
        status: {
          addresses: FAMILIES.map((family) => ({
            type: "InternalIP",
            address: SECOND_NODE_ADDRESS[family],
          })),
        },
      })),
    );
    for (const family of FAMILIES) {
      const at = (address: string) => dial("outside", { address, port: NODE_PORT });
      await until("the new address to serve", MOVE_MS, async () => {
        return (await at(SECOND_NODE_ADDRESS[family])).kind === "answer";
      });
      assert.equal((await at(ADDRESSES["node-a"][family])).kind, "refused");
    }
    await lab.write("cluster.yaml", clusterObjects());
    await until("the old address to serve", MOVE_MS, async () => {
      const place = { address: ADDRESSES["node-a"][4], port: NODE_PORT };
      return (await dial("outside", place)).kind === "answer";
    });
  });

  it("two Services exchange their addresses in one step", async () => {
    const [first = "", second = ""] = localEndpoints(4, ["local-1", "local-2"]);
    const places = [71, 72].map((number) => ({ address: clusterIp(4, number), port: 80 }));
    const put = async (order: readonly string[]) =>
      program(host, {
        putGroups: [group("left", [first]), group("right", [second])],
        putFrontends: order.map((groupId, index) => {
          const place = places[index] ?? { address: "", port: 0 };
          // By id the frontend stays, and its group changes.
          return { ...frontend(groupId, { ...place, protocol: "TCP" }), id: `exchange-${index}` };
        }),
      });
    for (const order of [
      ["left", "right"],
      ["right", "left"],
      ["left", "right"],
    ]) {
      await put(order);
      for (const [index, place] of places.entries()) {
        const result = await dial("client-pod", place);
        const wanted = order[index] === "left" ? first : second;
        assert.equal(result.kind === "answer" ? result.own : result.kind, wanted);
      }
    }
    await program(host, { removeFrontends: ["exchange-0", "exchange-1"] });
    for (const place of places) {
      const result = await lab
        .actor("client-pod")
        .dial({ ...dialOf("TCP", place), timeoutMs: 400 });
      assert.equal(result.kind, "timeout", "an address in the Service range that nobody has");
    }
  });

  it("a pod that the host attached is a pod, wherever its address lies", async () => {
    const pod = await lab.node.createPod();
    const ranges = [[{ subnet: "10.77.0.0/24" }], [{ subnet: "fd00:77::/64" }]];
    const result = await addOk(lab.node, pod, makeNetwork("routed", { ipam: { ranges } }));
    const addresses = new Set(addressesOf(result).map(bare));
    await using inside = new Actor("attached", pod.netns);
    for (const family of FAMILIES) {
      const seen = await dial(inside, stay(family));
      assert.equal(seen.kind, "answer");
      assert.ok(seen.kind === "answer" && addresses.has(seen.peer), describeResult(seen));
    }
  });
});
