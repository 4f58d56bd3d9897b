import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { FakeSetShape } from "./fake-set.ts";
import { type Netfilter, openNetfilter } from "./nf-netfilter.ts";
import { enterOwnNetns } from "./nf-test-node.ts";
import {
  freshTable,
  hex,
  type NfnetlinkSubject,
  nfnetlinkSuite,
  run,
  suiteSets,
} from "./nfnetlink-suite.ts";
import type { TablePlace, TamperEvent } from "./nfnetlink.ts";
import { loadRuleset } from "./nftables.ts";
import { privateNodeSkip } from "./private-node-skip.ts";
import { eventually } from "./suite-operations.ts";

if (privateNodeSkip === false) enterOwnNetns();

/** The shapes of the suite in nft's words. */
function tableText(
  { family, table }: TablePlace,
  sets: readonly FakeSetShape[],
  options: { readonly comment?: string; readonly chains?: number } = {},
): string {
  const lines = [`table ${family} ${table}`, `delete table ${family} ${table}`];
  lines.push(`table ${family} ${table} {`);
  if (options.comment) lines.push(`comment "${options.comment}"`);
  for (const { name, keyBytes, dataBytes, interval, counter } of sets) {
    const type = keyBytes === 8 ? "ipv4_addr . inet_service" : "ipv4_addr";
    lines.push(`${dataBytes > 0 ? "map" : "set"} ${name} {`);
    lines.push(`type ${type}${dataBytes > 0 ? " : mark" : ""}`);
    if (interval) lines.push("flags interval");
    if (counter) lines.push("counter");
    lines.push("}");
  }
  for (let chain = 0; chain < (options.chains ?? 0); chain++) {
    lines.push(`chain c${chain} {`, "counter", "}");
  }
  return [...lines, "}", ""].join("\n");
}

async function openSubject(): Promise<NfnetlinkSubject> {
  const own = await openNetfilter();
  // Another socket, though of this process: to the monitor it is somebody else.
  const other = await openNetfilter();
  return {
    nfnetlink: own.nfnetlink,
    createTable: (table, sets, options) => loadRuleset(tableText(table, sets, options)),
    tamper: async (change) => {
      switch (change.kind) {
        case "elements":
          return other.nfnetlink.commit(change.runs);
        case "delete-table":
          return loadRuleset(`delete table ${change.table.family} ${change.table.table}`);
        case "flush-rules":
          return loadRuleset(`flush table ${change.table.family} ${change.table.table}`);
        case "resync":
          throw new Error("The kernel resyncs when it likes");
      }
    },
    close: async () => {
      await own.close();
      await other.close();
    },
  };
}

nfnetlinkSuite("KernelNfnetlink", { skip: privateNodeSkip, setup: openSubject });

describe("openNetfilter()", { skip: privateNodeSkip }, () => {
  let netfilter: Netfilter;
  before(async () => {
    netfilter = await openNetfilter();
  });
  after(() => netfilter.close());

  const nft = (command: string): void => {
    execFileSync("nft", command.split(" "));
  };
  const make = async (): Promise<TablePlace> => {
    const place = freshTable();
    await loadRuleset(tableText(place, suiteSets, { chains: 1 }));
    return place;
  };
  const manyKeys = (count: number): Uint8Array => {
    const records = new Uint8Array(count * 4);
    const view = new DataView(records.buffer);
    for (let index = 0; index < count; index++) {
      view.setUint32(index * 4, 0x0a00_0000 + index, false);
    }
    return records;
  };

  const padTo12 = (keys: Uint8Array): Uint8Array => {
    const records = new Uint8Array(keys.length * 3);
    for (let at = 0; at < keys.length; at += 4) records.set(keys.subarray(at, at + 4), at * 3);
    return records;
  };

  for (const [command, what] of [
    ["delete element ip TABLE members { 10.0.0.1 }", "elements"],
    ["flush set ip TABLE members", "elements"],
    ["add element ip TABLE members { 10.0.0.9 }", "added"],
    ["flush table ip TABLE", "rules"],
    ["flush chain ip TABLE c0", "rules"],
    ["insert rule ip TABLE c0 drop", "rules"],
    ["delete table ip TABLE", "table"],
    ["flush ruleset", "table"],
  ] as const) {
    it(`tells of \`nft ${command}\` and of the process behind`, async () => {
      const place = await make();
      const { nfnetlink } = netfilter;
      await nfnetlink.commit([run("add", place, { set: "members", records: "0a000001 0a000002" })]);
      const events: TamperEvent[] = [];
      const stop = await nfnetlink.monitor([place], (event) => events.push(event));
      nft(command.replace("TABLE", place.table));
      await eventually(async () => events.length > 0);
      await stop();
      assert.equal(events.length, 1);
      const [event] = events;
      assert.ok(event?.kind === "changed");
      assert.deepEqual(event.table, place);
      assert.equal(event.what, what);
      assert.equal(event.processName, "nft");
      assert.ok(event.processId > 0);
    });
  }

  it("hears of no own element, however many", async () => {
    const place = await make();
    const { nfnetlink } = netfilter;
    const events: TamperEvent[] = [];
    const stop = await nfnetlink.monitor([place], (event) => events.push(event));
    // Events of so many elements are far more than the monitor's buffer takes.
    for (let round = 0; round < 4; round++) {
      await nfnetlink.commit([run("add", place, { set: "members", records: manyKeys(20_000) })]);
      await nfnetlink.commit([run("flush", place, { set: "members" })]);
    }
    nft(`delete table ip ${place.table}`);
    await eventually(async () => events.length > 0);
    await stop();
    assert.deepEqual(
      events.map((event) => (event.kind === "changed" ? event.what : event.kind)),
      ["table"],
    );
  });

  it("ruleDigest() sees every change of flags, chains and rules, and no other", async () => {
    const place = await make();
    const name = `ip ${place.table}`;
    const digest = () => netfilter.nfnetlink.ruleDigest(place);
    nft(`add chain ${name} hooked { type filter hook output priority 50 ; policy accept ; }`);
    nft(`add rule ${name} hooked counter`);
    const first = await digest();
    assert.match(first ?? "", /^[0-9a-f]{64}$/);
    await netfilter.nfnetlink.commit([
      run("add", place, { set: "values", records: padTo12(manyKeys(3)) }),
    ]);
    nft("add table ip somebody-else");
    assert.equal(await digest(), first, "elements and other tables do not count");
    const seen = new Set([first]);
    for (const change of [
      `chain ${name} hooked { policy drop ; }`,
      `add table ${name} { flags dormant ; }`,
      `add chain ${name} stranger`,
      `add rule ${name} hooked accept`,
      `insert rule ${name} hooked accept`,
      `flush chain ${name} hooked`,
    ]) {
      nft(change);
      const now = await digest();
      assert.ok(!seen.has(now), change);
      seen.add(now);
    }
    assert.ok((await netfilter.nfnetlink.chains(place))?.includes("stranger"));
    nft(`delete table ${name}`);
    assert.equal(await digest(), undefined);
    assert.equal(await netfilter.nfnetlink.chains(place), undefined);
  });

  it("tells a resync when more came from others than the buffer takes", async (t) => {
    const place = await make();
    const own = await openNetfilter({ monitorReceiveBufferBytes: 65_536 });
    t.after(() => own.close());
    const events = new Set<string>();
    const stop = await own.nfnetlink.monitor([place], ({ kind }) => events.add(kind));
    // Three times: it goes on afterwards.
    for (let round = 0; round < 3; round++) {
      events.clear();
      // With two processors the reader may keep up with a flood: then comes the next one.
      for (let flood = 0; flood < 50 && !events.has("resync"); flood++) {
        events.clear();
        await netfilter.nfnetlink.commit([
          run("flush", place, { set: "values" }),
          run("add", place, { set: "values", records: padTo12(manyKeys(50_000)) }),
        ]);
        await eventually(async () => events.size > 0);
      }
      assert.ok(events.has("resync"));
      events.clear();
      nft(`insert rule ip ${place.table} c0 drop`);
      // What is left of the flood may push this event out as well: then it says so once more.
      await eventually(async () => events.size > 0);
    }
    await stop();
  });

  it("makes a dump again that commits of others interrupt", async (t) => {
    const place = await make();
    const other = await openNetfilter();
    t.after(() => other.close());
    const count = 10_000;
    const load = (first: number): Promise<void> => {
      const records = new Uint8Array(count * 12);
      const view = new DataView(records.buffer);
      for (let index = 0; index < count; index++) view.setUint32(index * 12, first + index, false);
      return other.nfnetlink.commit([
        run("flush", place, { set: "values" }),
        run("add", place, { set: "values", records }),
      ]);
    };
    await load(0x0a00_0000);
    let rounds = 0;
    const disturbed = (async () => {
      for (; rounds < 12; rounds++) await load(rounds % 2 === 0 ? 0x0b00_0000 : 0x0a00_0000);
    })();
    for (let dumps = 0; dumps < 4 || rounds < 12; dumps++) {
      const dump = await netfilter.nfnetlink.elements({ ...place, set: "values" });
      const keys =
        Buffer.from(dump?.records ?? [])
          .toString("hex")
          .match(/.{24}/g) ?? [];
      // All of one commit, or all of the next.
      assert.equal(new Set(keys.map((key) => key.slice(0, 2))).size, 1);
      assert.equal(new Set(keys).size, count);
      assert.equal(keys.length, count);
    }
    await disturbed;
  });

  it("leaves the main thread to others while it commits", async () => {
    const place = await make();
    let turns = 0;
    const turn = (): void => {
      turns++;
      if (turns < 1_000_000) timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    const records = manyKeys(100_000);
    await netfilter.nfnetlink.commit([run("add", place, { set: "members", records })]);
    clearImmediate(timer);
    assert.equal(records.length, 0, "handed over, not copied");
    assert.ok(turns > 10, `${turns} turns`);
  });

  it("reads counters that packets moved", async () => {
    const place = freshTable();
    await loadRuleset(`table ip ${place.table} {
  set members {
    type ipv4_addr
    counter
    elements = { 127.0.0.9 }
  }
  chain out {
    type filter hook output priority 0
    ip daddr @members
  }
}
`);
    await promisify(execFile)("ping", ["-c", "2", "-i", "0.01", "-W", "2", "127.0.0.9"]).catch(
      () => {
        // Without a ping program a connection counts as well.
        execFileSync("bash", ["-c", "exec 3>/dev/udp/127.0.0.9/9; echo x >&3; echo x >&3"]);
      },
    );
    const counters = await netfilter.nfnetlink.counters({ ...place, set: "members" });
    assert.deepEqual(counters, [{ key: hex("7f000009"), packets: 2n }]);
  });

  it("finishes calls under way on close()", async () => {
    const place = await make();
    const own = await openNetfilter();
    const calls = [
      own.nfnetlink.commit([run("add", place, { set: "members", records: manyKeys(1000) })]),
      own.nfnetlink.elements({ ...place, set: "members" }),
    ] as const;
    await own.close();
    await calls[0];
    assert.equal((await calls[1])?.records.length, 4000);
  });

  it("rejects calls under way and later ones when the worker dies", async () => {
    const place = await make();
    const own = await openNetfilter();
    const kinds: string[] = [];
    const stop = await own.nfnetlink.monitor([place], ({ kind }) => kinds.push(kind));
    const stopOther = await own.nfnetlink.monitor([place], () => {});
    // Long enough to be under way when the worker ends.
    const records = padTo12(manyKeys(100_000));
    const call = own.nfnetlink.commit([run("add", place, { set: "values", records })]);
    const rejected = assert.rejects(call, { code: "WORKER_GONE", name: "KernelError" });
    await own.terminate();
    await rejected;
    assert.deepEqual(kinds, ["resync"]);
    await stop();
    await stopOther();
    await assert.rejects(own.nfnetlink.findTable(place), { code: "WORKER_GONE" });
    await assert.rejects(own.conntrack.flows({ family: 4, protocol: "UDP" }), {
      code: "WORKER_GONE",
    });
    await own.close();
  });
});
