import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errno } from "./errno.ts";
import { FakeNfnetlink } from "./fake-nfnetlink.ts";
import { hex, nfnetlinkSuite, run, suiteSets } from "./nfnetlink-suite.ts";

nfnetlinkSuite("FakeNfnetlink", {
  setup: async () => {
    const nfnetlink = new FakeNfnetlink();
    return {
      nfnetlink,
      createTable: async (table, sets, options) => nfnetlink.createTable(table, sets, options),
      tamper: async (change) => nfnetlink.tamper(change),
      close: () => nfnetlink.close(),
    };
  },
});

describe("FakeNfnetlink", () => {
  const table = { family: "ip", table: "t" } as const;

  it("prints tables, sets and elements, sorted", async () => {
    const nfnetlink = new FakeNfnetlink();
    nfnetlink.createTable({ family: "ip6", table: "t" }, []);
    nfnetlink.createTable(table, suiteSets.slice(0, 3), { comment: "revision 7" });
    await nfnetlink.commit([
      run("add", table, { set: "values", records: "0a000002 00500000 02000000" }),
      run("add", table, { set: "values", records: "0a000001 00500000 01000000" }),
      run("add", table, { set: "ranges", records: "0a000000 0affffff 01000000" }),
    ]);
    assert.equal(
      String(nfnetlink),
      `table ip t "revision 7"
  members
  ranges
    0a000000 - 0affffff : 01000000
  values
    0a000001 00500000 : 01000000
    0a000002 00500000 : 02000000
table ip6 t
`,
    );
  });

  it("fails a call as it is told to", async () => {
    const nfnetlink = new FakeNfnetlink({
      failCall: ({ method }) => (method === "commit" ? errno.ENOMEM : undefined),
    });
    nfnetlink.createTable(table, suiteSets);
    const flush = run("flush", table, { set: "members" });
    await assert.rejects(nfnetlink.commit([flush]), { code: "ENOMEM" });
    assert.equal((await nfnetlink.elements({ ...table, set: "members" }))?.records.length, 0);
  });

  it("detaches records that were given away, and sees boxes around others", async () => {
    const nfnetlink = new FakeNfnetlink();
    nfnetlink.createTable(table, suiteSets);
    const records = hex("0a000000 00500000 0a0000ff 005a0000 01000000");
    await nfnetlink.commit([run("add", table, { set: "boxes", records })]);
    assert.equal(records.length, 0);
    const around = "09000000 00000000 0b000000 00ff0000 01000000";
    await assert.rejects(nfnetlink.commit([run("add", table, { set: "boxes", records: around })]), {
      code: "EEXIST",
    });
  });

  it("counts packets, and tells a resync", async () => {
    const nfnetlink = new FakeNfnetlink();
    nfnetlink.createTable(table, suiteSets);
    const set = { ...table, set: "members" };
    await nfnetlink.commit([run("add", table, { set: "members", records: "0a000001" })]);
    nfnetlink.countPackets(set, hex("0a000001"), 3n);
    assert.equal((await nfnetlink.counters(set))?.[0]?.packets, 3n);
    const kinds: string[] = [];
    await nfnetlink.monitor([table], ({ kind }) => kinds.push(kind));
    nfnetlink.tamper({ kind: "resync" });
    assert.deepEqual(kinds, ["resync"]);
  });
});
