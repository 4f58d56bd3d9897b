import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { runInNetns } from "../e2e/harness.ts";
import { dialOf, type Lab, type LabHost, openLab, program, skipLab } from "./lab.ts";
import { clusterObjects } from "./objects.ts";
import { clusterIp, frontend, group } from "./requests.ts";
import { ADDRESSES, FAMILIES, REMOTE_PORT } from "./topology.ts";

/** Bits of somebody else; ours is one that kube-proxy has as well. */
const THEIR_MARK = 0x0abc_0001;
const THEIR_MARK_TEXT = "0x0abc0001";

/**
 * Marks of packets as they leave the node, after all of ours: a table of the test's own, behind every
 * other one, counts them.
 */
describe("packet marks", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;

  before(async () => {
    lab = await openLab(["client-pod", "remote-1", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
    for (const family of FAMILIES) {
      const id = `mark-${family}`;
      await program(host, {
        putGroups: [remoteGroup(id, family)],
        putFrontends: (["TCP", "UDP"] as const).flatMap((protocol) => [
          frontend(id, { address: clusterIp(family, 40), port: 80, protocol }),
          frontend(id, { address: "", port: 31_900, protocol }, { kind: "nodePort", family }),
        ]),
      });
    }
    const rules = `
      table inet lab-marks {
        counter theirs {}
        counter none {}
        counter others {}
        counter leaving {}
        chain marked {
          type filter hook prerouting priority -300;
        }
        chain last {
          type filter hook postrouting priority 10000;
          oifname "up" th dport ${REMOTE_PORT} jump count
        }
        chain count {
          meta l4proto { tcp, udp } counter name leaving
          meta mark ${THEIR_MARK_TEXT} counter name theirs return
          meta mark 0 counter name none return
          counter name others
        }
      }`;
    const { exitCode, stderr } = await lab.node.run(["nft", rules]);
    assert.equal(exitCode, 0, stderr);
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const count = async (name: string): Promise<number> => {
    const argv = ["nft", "list", "counter", "inet", "lab-marks", name];
    const { stdout } = await runInNetns(lab.node.netns, argv);
    return Number(/packets (\d+)/.exec(stdout)?.[1]);
  };
  const reset = () => runInNetns(lab.node.netns, ["nft", "reset", "counters"]);
  const places = FAMILIES.flatMap((family) => [
    { address: clusterIp(family, 40), port: 80 },
    { address: ADDRESSES["node-a"][family], port: 31_900 },
  ]);

  it("SO_MARK of a process of the node stays on its packets", async () => {
    await reset();
    for (const place of places) {
      for (const transport of ["TCP", "UDP"] as const) {
        const dial = { ...dialOf(transport, place), mark: THEIR_MARK };
        const result = await lab.actor("node-a").dial(dial);
        assert.equal(result.kind, "answer", JSON.stringify({ place, transport, result }));
      }
    }
    assert.ok((await count("leaving")) >= places.length * 2);
    assert.equal(await count("none"), 0);
    assert.equal(await count("others"), 0);
  });

  it("our bit does not leave the node", async () => {
    await reset();
    for (const from of ["client-pod", "node-a", "outside"] as const) {
      for (const place of places) {
        for (const transport of ["TCP", "UDP"] as const) {
          const result = await lab.actor(from).dial(dialOf(transport, place));
          assert.equal(result.kind, "answer", JSON.stringify({ from, place, transport, result }));
        }
      }
    }
    assert.ok((await count("leaving")) >= 3 * places.length * 2);
    assert.equal(await count("none"), await count("leaving"));
  });

  it("a mark that others give to packets of pods stays on them", async () => {
    const rules = `table inet lab-marks { chain marked { th dport { 80, 31900 } meta mark set ${THEIR_MARK_TEXT}; }; }`;
    const { exitCode, stderr } = await lab.node.run(["nft", rules]);
    assert.equal(exitCode, 0, stderr);
    await reset();
    for (const from of ["client-pod", "outside"] as const) {
      for (const place of places) {
        const result = await lab.actor(from).dial(dialOf("UDP", place));
        assert.equal(result.kind, "answer", JSON.stringify({ from, place, result }));
      }
    }
    assert.ok((await count("leaving")) >= 2 * places.length);
    assert.equal(await count("theirs"), await count("leaving"));
  });
});

function remoteGroup(id: string, family: 4 | 6) {
  const made = group(id, [ADDRESSES["remote-1"][family]]);
  return {
    ...made,
    endpoints: (made.endpoints ?? []).map((endpoint) => ({
      ...endpoint,
      node: "node-b",
      ports: (["TCP", "UDP"] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: REMOTE_PORT,
      })),
    })),
  };
}
