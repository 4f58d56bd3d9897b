import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conntrackSuite, parseTuple, turned } from "./conntrack-suite.ts";
import { errno } from "./errno.ts";
import { FakeConntrack } from "./fake-conntrack.ts";

conntrackSuite("FakeConntrack", {
  setup: async () => {
    const conntrack = new FakeConntrack();
    return {
      conntrack,
      addFlow: async (filter, original) => {
        conntrack.addFlow({ ...filter, original, reply: turned(original) });
      },
      close: () => conntrack.close(),
    };
  },
});

describe("FakeConntrack", () => {
  const original = parseTuple("10.0.0.1 4000 > 10.96.0.10 53");
  const reply = parseTuple("10.1.0.5 5353 > 10.0.0.1 4000");
  const flow = { family: 4, protocol: "UDP", original, reply } as const;

  it("prints flows, sorted", () => {
    const conntrack = new FakeConntrack();
    conntrack.addFlow({ ...flow, zone: 7 });
    conntrack.addFlow(flow);
    assert.equal(
      String(conntrack),
      `UDP 10.0.0.1 4000 > 10.96.0.10 53 reply 10.1.0.5 5353 > 10.0.0.1 4000
UDP zone 7 10.0.0.1 4000 > 10.96.0.10 53 reply 10.1.0.5 5353 > 10.0.0.1 4000
`,
    );
  });

  it("fails a call as it is told to", async () => {
    const conntrack = new FakeConntrack({
      failCall: (method) => (method === "remove" ? errno.EPERM : undefined),
    });
    const made = conntrack.addFlow(flow);
    await assert.rejects(conntrack.remove([made]), { name: "KernelError", code: "EPERM" });
    assert.deepEqual(await conntrack.flows({ family: 4, protocol: "UDP" }), [made]);
  });
});
