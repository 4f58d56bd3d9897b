import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { runInNetns } from "../e2e/harness.ts";
import { dialOf, type Lab, openLab, skipLab } from "./lab.ts";
import { type ActorName, ADDRESSES, FAMILIES, LOCAL_PORT, manyAddress, PODS } from "./topology.ts";

describe("topology", { skip: skipLab }, () => {
  let lab: Lab;
  const dialers: readonly ActorName[] = [...PODS, "node-a", "outside"];

  before(async () => {
    lab = await openLab(dialers);
  });
  after(() => lab?.[Symbol.asyncDispose]());

  it("every actor reaches every pod, and is seen by its own address", async () => {
    const wrong: string[] = [];
    for (const from of dialers) {
      await Promise.all(
        PODS.flatMap((to) =>
          FAMILIES.flatMap((family) =>
            (["TCP", "UDP"] as const).map(async (transport) => {
              const place = { address: ADDRESSES[to][family], port: LOCAL_PORT };
              const result = await lab.actor(from).dial(dialOf(transport, place));
              const seen =
                result.kind === "answer" ? `${result.own} ${result.ownPort}` : result.kind;
              const expected = `${place.address} ${LOCAL_PORT}`;
              if (seen !== expected) wrong.push(`${from} -> ${to} ${transport}: ${seen}`);
              if (result.kind !== "answer" || from === to || from === "node-a") return;
              if (result.peer !== ADDRESSES[from][family]) wrong.push(`${from}: ${result.peer}`);
            }),
          ),
        ),
      );
    }
    assert.deepEqual(wrong, []);
  });

  it("endpoints by the hundred are local-2", async () => {
    for (const family of FAMILIES) {
      const address = manyAddress(family, 500);
      const result = await lab
        .actor("client-pod")
        .dial(dialOf("TCP", { address, port: LOCAL_PORT }));
      assert.equal(result.kind, "answer");
      assert.equal(result.kind === "answer" && result.own, address);
    }
  });

  it("a port where nobody listens is refused", async () => {
    for (const transport of ["TCP", "UDP"] as const) {
      const place = { address: ADDRESSES["local-1"][4], port: 4 };
      const result = await lab.actor("outside").dial(dialOf(transport, place));
      assert.equal(result.kind, "refused");
    }
  });

  it("an INIT chunk arrives with its ports, and one to a refused port is refused", async () => {
    for (const family of FAMILIES) {
      await lab.actor("local-1").call("watchInits", { family });
      const address = ADDRESSES["local-1"][family];
      const chunk = { address, port: 36412, sourcePort: 1000, waitMs: 100 };
      await lab.actor("client-pod").call("sendInit", chunk);
      assert.deepEqual((await lab.actor("local-1").call("takeInits", {})).inits, [
        { source: ADDRESSES["client-pod"][family], sourcePort: 1000, port: 36412 },
      ]);
    }
    const rules =
      "table inet t { chain c { type filter hook input priority 0; meta l4proto sctp reject; }; }";
    await runInNetns(lab.namespaces["local-2"], ["nft", rules]);
    for (const family of FAMILIES) {
      const address = ADDRESSES["local-2"][family];
      const chunk = { address, port: 36412, sourcePort: 1000, waitMs: 2000 };
      const { kind } = await lab.actor("client-pod").call("sendInit", chunk);
      assert.equal(kind, "refused");
    }
  });

  it("a marked socket carries its mark", async () => {
    const rules =
      "table inet t { chain c { type filter hook output priority 0; meta mark 0x10 counter; }; }";
    await runInNetns(lab.node.netns, ["nft", rules]);
    for (const transport of ["TCP", "UDP"] as const) {
      const place = { address: ADDRESSES["local-1"][4], port: LOCAL_PORT };
      const result = await lab.actor("node-a").dial({ ...dialOf(transport, place), mark: 0x10 });
      assert.equal(result.kind, "answer", JSON.stringify(result));
      const { stdout } = await lab.node.run(["nft", "list", "table", "inet", "t"]);
      assert.doesNotMatch(stdout, /packets 0 /);
    }
  });
});
