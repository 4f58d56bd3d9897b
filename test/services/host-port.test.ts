import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Pod } from "../e2e/harness.ts";
import { add, addressesOf, addOk, bare, delOk, makeNetwork } from "../e2e/runtime.ts";
import { Actor } from "./actors.ts";
import { describeResult, dialOf, type Lab, type LabHost, openLab, skipLab } from "./lab.ts";
import { clusterObjects, HOST_PORT, placeOf } from "./objects.ts";
import { describeCell, expectationOf, testedCells } from "./semantics.ts";
import { ADDRESSES, FAMILIES, LOCAL_PORT, nodeAddresses } from "./topology.ts";

/** The hostPort cells of semantics.ts: their pod is attached by the host, by CNI portMappings. */
describe("hostPort", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  let pod: Pod;
  let inside: Actor;
  const own = { 4: "", 6: "" };
  /** Of the pod's network, on the node: the first address of each range. */
  const gateways = { 4: "10.244.2.1", 6: "fd00:244:1:0:2::1" };
  const mappings = (["tcp", "udp"] as const).map((protocol) => ({
    hostPort: HOST_PORT,
    containerPort: LOCAL_PORT,
    protocol,
  }));
  const network = makeNetwork("routed", {
    capabilities: { portMappings: true },
    // Inside node-a's podCIDRs, so that the router finds them.
    ipam: { ranges: [[{ subnet: "10.244.2.0/24" }], [{ subnet: "fd00:244:1:0:2::/80" }]] },
  });
  const withPorts = { ...network, runtimeConfig: { portMappings: mappings } };

  before(async () => {
    lab = await openLab(["client-pod", "remote-pod", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
    pod = await lab.node.createPod();
    const result = await addOk(lab.node, pod, withPorts);
    for (const address of addressesOf(result).map(bare)) {
      own[address.includes(":") ? 6 : 4] = address;
    }
    inside = new Actor("hosted", pod.netns);
    await inside.call("listen", {
      places: [
        { transport: "TCP", address: "0.0.0.0", port: LOCAL_PORT },
        { transport: "TCP", address: "::", port: LOCAL_PORT },
        ...FAMILIES.map((family) => ({
          transport: "UDP" as const,
          address: own[family],
          port: LOCAL_PORT,
        })),
      ],
    });
  });
  after(async () => {
    await inside?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  const cells = testedCells().filter(
    ({ frontend, protocol }) => frontend === "hostPort" && protocol !== "SCTP",
  );
  const findWrong = async (): Promise<string[]> => {
    const wrong: string[] = [];
    for (const cell of cells) {
      const { source, family } = cell;
      const [actor, address] =
        source === "endpoint-pod"
          ? [inside, own[family]]
          : source === "node-process"
            ? [lab.actor("node-a"), ADDRESSES["node-a"][family]]
            : [lab.actor(source), ADDRESSES[source][family]];
      const result = await actor.dial(dialOf(cell.protocol as "TCP" | "UDP", placeOf(cell)));
      const expected = expectationOf(cell);
      const peer = expected.kind === "forward" ? expected.endpoints[0]?.peer : undefined;
      const peers = peer === "node" ? [...nodeAddresses(family), gateways[family]] : [address];
      const isRight =
        result.kind === "answer" && result.own === own[family] && peers.includes(result.peer);
      if (!isRight) wrong.push(`${describeCell(cell)}: ${describeResult(result)}`);
    }
    return wrong;
  };

  it(`forwards as the table says: ${cells.length} cells`, async () => {
    assert.deepEqual(await findWrong(), []);
  });

  it("is there again after kill -9 and a new host", async () => {
    await host.process.kill("SIGKILL");
    assert.deepEqual(await findWrong(), [], "without a host");
    host = await lab.startHost();
    await host.client.waitProgrammed({ timeoutMs: 10_000 });
    assert.deepEqual(await findWrong(), [], "with a new host");
  });

  it("a host port that a pod has is not given to a second one", async () => {
    const second = await lab.node.createPod();
    const answer = await add(lab.node, second, withPorts);
    assert.notEqual(answer.exitCode, 0, answer.stdout);
    assert.deepEqual(await findWrong(), [], "the first one keeps it");
    await delOk(lab.node, second, withPorts);
    assert.deepEqual(await findWrong(), [], "also after the second one's DEL");
  });

  it("is gone after DEL: the port is the host's own again", async () => {
    await delOk(lab.node, pod, withPorts);
    for (const family of FAMILIES) {
      for (const transport of ["TCP", "UDP"] as const) {
        const place = { address: ADDRESSES["node-a"][family], port: HOST_PORT };
        const result = await lab.actor("outside").dial(dialOf(transport, place));
        assert.equal(result.kind, "refused", `v${family} ${transport}`);
      }
    }
  });
});
