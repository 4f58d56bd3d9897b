import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TamperChange } from "./fake-nfnetlink.ts";
import type { FakeSetShape } from "./fake-set.ts";
import type { ElementRun, Nfnetlink, SetPlace, TablePlace, TamperEvent } from "./nfnetlink.ts";
import { eventually } from "./suite-operations.ts";

export interface NfnetlinkSubject {
  readonly nfnetlink: Nfnetlink;
  createTable(
    table: TablePlace,
    sets: readonly FakeSetShape[],
    options?: { readonly comment?: string; readonly chains?: number },
  ): Promise<void>;
  tamper(change: TamperChange): Promise<void>;
  close(): Promise<void>;
}

/** What every table of the suite has. Sets of these shapes are all that a subject must make. */
export const suiteSets: readonly FakeSetShape[] = [
  { name: "values", keyBytes: 8, dataBytes: 4 },
  { name: "members", keyBytes: 4, dataBytes: 0, counter: true },
  { name: "ranges", keyBytes: 4, dataBytes: 4, interval: "single" },
  { name: "boxes", keyBytes: 8, dataBytes: 4, interval: "concatenated" },
];

let tables = 0;
export function freshTable(family: "ip" | "ip6" = "ip"): TablePlace {
  return { family, table: `suite${process.pid}x${tables++}` };
}

/** Bytes from hexadecimal; blanks are for the eye. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

export function run(
  kind: ElementRun["kind"],
  table: TablePlace,
  options: { readonly set: string; readonly records?: string | Uint8Array },
): ElementRun {
  const shape = suiteSets.find(({ name }) => name === options.set);
  assert.ok(shape);
  const { records = "" } = options;
  return {
    kind,
    set: { ...table, set: options.set },
    keyBytes: kind === "flush" ? 0 : shape.keyBytes,
    dataBytes: kind === "add" ? shape.dataBytes : 0,
    records: typeof records === "string" ? hex(records) : records,
    ...(shape.interval === undefined ? {} : { interval: shape.interval }),
  };
}

/** What every Nfnetlink does. Each test has a table of its own. */
export function nfnetlinkSuite(
  name: string,
  options: { setup(): Promise<NfnetlinkSubject>; readonly skip?: string | false },
): void {
  describe(name, { skip: options.skip ?? false }, () => {
    let subject: NfnetlinkSubject;
    let nfnetlink: Nfnetlink;
    before(async () => {
      subject = await options.setup();
      nfnetlink = subject.nfnetlink;
    });
    after(() => subject.close());

    const table = async (family?: "ip" | "ip6"): Promise<TablePlace> => {
      const place = freshTable(family);
      await subject.createTable(place, suiteSets, { comment: "revision 7", chains: 1 });
      return place;
    };
    const add = (place: TablePlace, set: string, records: string): ElementRun =>
      run("add", place, { set, records });
    const remove = (place: TablePlace, set: string, records: string): ElementRun =>
      run("delete", place, { set, records });
    /** Records as text, sorted: plain sets have no order. */
    const held = async (place: TablePlace, set: string): Promise<string[] | undefined> => {
      const dump = await nfnetlink.elements({ ...place, set });
      if (dump === undefined) return undefined;
      const shape = suiteSets.find(({ name }) => name === set);
      assert.equal(dump.keyBytes, shape?.keyBytes);
      assert.equal(dump.dataBytes, shape?.dataBytes);
      const step = dump.keyBytes * (shape?.interval === undefined ? 1 : 2) + dump.dataBytes;
      const text = Buffer.from(dump.records).toString("hex");
      return (text.match(new RegExp(`.{${step * 2}}`, "g")) ?? []).sort();
    };

    describe("commit()", () => {
      for (const family of ["ip", "ip6"] as const) {
        it(`adds and deletes elements of a map of family ${family}`, async () => {
          const place = await table(family);
          await nfnetlink.commit([
            add(place, "values", "0a000001 00500000 01000000 0a000002 00500000 02000000"),
          ]);
          assert.deepEqual(await held(place, "values"), [
            "0a0000010050000001000000",
            "0a0000020050000002000000",
          ]);
          await nfnetlink.commit([remove(place, "values", "0a000001 00500000")]);
          assert.deepEqual(await held(place, "values"), ["0a0000020050000002000000"]);
        });
      }

      it("takes a key again with its value, and refuses it with another", async () => {
        const place = await table();
        await nfnetlink.commit([add(place, "values", "0a000001 00500000 01000000")]);
        await nfnetlink.commit([add(place, "values", "0a000001 00500000 01000000")]);
        await assert.rejects(
          nfnetlink.commit([add(place, "values", "0a000001 00500000 02000000")]),
          {
            code: "EEXIST",
            operation: "commit-elements",
          },
        );
        assert.deepEqual(await held(place, "values"), ["0a0000010050000001000000"]);
      });

      it("replaces a value by a deletion and an addition of one commit", async () => {
        const place = await table();
        await nfnetlink.commit([add(place, "values", "0a000001 00500000 01000000")]);
        await nfnetlink.commit([
          remove(place, "values", "0a000001 00500000"),
          add(place, "values", "0a000001 00500000 02000000"),
        ]);
        assert.deepEqual(await held(place, "values"), ["0a0000010050000002000000"]);
      });

      it("adds and deletes one key in one commit", async () => {
        const place = await table();
        await nfnetlink.commit([
          add(place, "members", "0a000001 0a000002"),
          remove(place, "members", "0a000001"),
        ]);
        assert.deepEqual(await held(place, "members"), ["0a000002"]);
      });

      it("does nothing at all when one element fails, and tells which", async () => {
        const place = await table();
        await nfnetlink.commit([
          add(place, "members", "0a000001"),
          add(place, "members", "0a000002"),
        ]);
        await assert.rejects(
          nfnetlink.commit([
            run("flush", place, { set: "members" }),
            add(place, "values", "0a000001 00500000 01000000"),
            add(place, "members", ""),
            remove(place, "values", "0a000001 00500000 0a000009 00500000"),
          ]),
          {
            code: "ENOENT",
            errno: 2,
            object: `run 3 (delete ip ${place.table} values, element 1)`,
          },
        );
        assert.deepEqual(await held(place, "members"), ["0a000001", "0a000002"]);
        assert.deepEqual(await held(place, "values"), []);
      });

      it("refuses a set and a table that are not there", async () => {
        const place = await table();
        const absent = { ...run("add", place, { set: "members", records: "0a000001" }) };
        for (const set of [
          { ...place, set: "absent" },
          { ...freshTable(), set: "members" },
          { ...place, family: "ip6" as const, set: "members" },
        ]) {
          await assert.rejects(
            nfnetlink.commit([
              add(place, "members", "0a000002"),
              { ...absent, records: hex("0a000001"), set },
            ]),
            { code: "ENOENT" },
          );
        }
        assert.deepEqual(await held(place, "members"), []);
      });

      it("refuses keys of another length, and bytes that are no whole records", async () => {
        const place = await table();
        const records = hex("0a000001 00000000 01000000");
        const wrong = { ...add(place, "values", ""), keyBytes: 4, dataBytes: 8, records };
        await assert.rejects(nfnetlink.commit([wrong]), { code: "EINVAL" });
        await assert.rejects(nfnetlink.commit([add(place, "values", "0a000001 00500000 01")]), {
          code: "EINVAL",
        });
      });

      it("flushes a set, and fills it in the same commit", async () => {
        const place = await table();
        await nfnetlink.commit([
          add(place, "members", "0a000001 0a000002"),
          add(place, "ranges", "0a000000 0affffff 01000000"),
        ]);
        await nfnetlink.commit([
          run("flush", place, { set: "members" }),
          add(place, "members", "0a000003"),
          run("flush", place, { set: "ranges" }),
          add(place, "ranges", "0a000000 0a0000ff 02000000"),
        ]);
        assert.deepEqual(await held(place, "members"), ["0a000003"]);
        assert.deepEqual(await held(place, "ranges"), ["0a0000000a0000ff02000000"]);
      });

      it("does nothing for no runs and for empty ones", async () => {
        const place = await table();
        await nfnetlink.commit([]);
        await nfnetlink.commit([add(place, "members", ""), remove(place, "values", "")]);
        assert.deepEqual(await held(place, "members"), []);
      });

      it("runs commits in the order of their calls", async () => {
        const place = await table();
        const calls: Promise<void>[] = [];
        for (let round = 0; round < 20; round++) {
          calls.push(nfnetlink.commit([add(place, "values", "0a000001 00500000 01000000")]));
          calls.push(nfnetlink.commit([remove(place, "values", "0a000001 00500000")]));
        }
        await Promise.all(calls);
        assert.deepEqual(await held(place, "values"), []);
      });
    });

    describe("commit() of large runs", () => {
      const many = (count: number, byteCount: number): Uint8Array => {
        const records = new Uint8Array(count * byteCount);
        const view = new DataView(records.buffer);
        for (let index = 0; index < count; index++) {
          view.setUint32(index * byteCount, 0x0a00_0000 + index, false);
        }
        return records;
      };

      it("takes more than fits into one message, and brings it all back", async () => {
        const place = await table();
        const count = 5000;
        const expected = many(count, 12);
        await nfnetlink.commit([run("add", place, { set: "values", records: many(count, 12) })]);
        const dump = await nfnetlink.elements({ ...place, set: "values" });
        assert.equal(dump?.records.length, expected.length);
        const lines = (bytes: Uint8Array): string[] =>
          (Buffer.from(bytes).toString("hex").match(/.{24}/g) ?? []).sort();
        assert.deepEqual(lines(dump?.records ?? hex("")), lines(expected));
        await nfnetlink.commit([run("delete", place, { set: "values", records: many(count, 8) })]);
        assert.deepEqual(await held(place, "values"), []);
      });

      it("tells the first of many failures", async () => {
        const place = await table();
        const records = many(5000, 12);
        // The keys from the 2001st on are there with another value.
        await nfnetlink.commit([
          run("add", place, { set: "values", records: records.slice(2000 * 12) }),
        ]);
        records.fill(1, 2000 * 12 + 8, 2000 * 12 + 12);
        for (let at = 2001 * 12; at < records.length; at += 12) records[at + 8] = 1;
        await assert.rejects(
          nfnetlink.commit([
            add(place, "members", "0a000001"),
            run("add", place, { set: "values", records }),
          ]),
          {
            code: "EEXIST",
            object: `run 1 (add ip ${place.table} values, element 2000)`,
          },
        );
        assert.deepEqual(await held(place, "members"), []);
      });

      it("takes parts of a larger buffer, and leaves the rest to the caller", async () => {
        const place = await table();
        const buffer = many(8192, 4);
        const records = buffer.subarray(4, 12);
        await nfnetlink.commit([run("add", place, { set: "members", records })]);
        assert.deepEqual(await held(place, "members"), ["0a000001", "0a000002"]);
        assert.equal(buffer.length, 8192 * 4);
      });

      it("refuses records that were given away before", async () => {
        const place = await table();
        const records = many(8192, 4);
        await nfnetlink.commit([run("add", place, { set: "members", records })]);
        await assert.rejects(nfnetlink.commit([run("add", place, { set: "members", records })]), {
          code: "EINVAL",
        });
      });
    });

    describe("ranges of one field", () => {
      it("come back by first key, up to the last address of all", async () => {
        const place = await table();
        await nfnetlink.commit([
          add(place, "ranges", "f0000000 ffffffff 03000000 0a000000 0affffff 01000000"),
          add(place, "ranges", "0b000000 0b000000 02000000 00000000 00ffffff 04000000"),
        ]);
        const dump = await nfnetlink.elements({ ...place, set: "ranges" });
        assert.equal(
          Buffer.from(dump?.records ?? []).toString("hex"),
          "0000000000ffffff04000000" +
            "0a0000000affffff01000000" +
            "0b0000000b00000002000000" +
            "f0000000ffffffff03000000",
        );
      });

      it("are deleted by both keys", async () => {
        const place = await table();
        const ranges = "0a000000 0affffff 01000000 f0000000 ffffffff 03000000";
        await nfnetlink.commit([add(place, "ranges", ranges)]);
        await assert.rejects(nfnetlink.commit([remove(place, "ranges", "0a000000 0a00ffff")]), {
          code: "ENOENT",
        });
        await nfnetlink.commit([remove(place, "ranges", "f0000000 ffffffff 0a000000 0affffff")]);
        assert.deepEqual(await held(place, "ranges"), []);
      });

      for (const [what, range] of [
        ["inside", "0a000100 0a0001ff 01000000"],
        ["around", "09000000 0bffffff 01000000"],
        ["over its first key", "09000000 0a0000ff 01000000"],
        ["over its last key", "0a00ff00 0b000000 01000000"],
        ["from its first key", "0a000000 0a0000ff 01000000"],
        ["of another value", "0a000000 0affffff 02000000"],
      ] as const) {
        it(`refuse one ${what}`, async () => {
          const place = await table();
          await nfnetlink.commit([add(place, "ranges", "0a000000 0affffff 01000000")]);
          await assert.rejects(nfnetlink.commit([add(place, "ranges", range)]), { code: "EEXIST" });
          assert.deepEqual(await held(place, "ranges"), ["0a0000000affffff01000000"]);
        });
      }

      it("take the same one again, neighbours, and a replacement", async () => {
        const place = await table();
        await nfnetlink.commit([add(place, "ranges", "0a000000 0affffff 01000000")]);
        await nfnetlink.commit([
          add(place, "ranges", "0a000000 0affffff 01000000"),
          add(place, "ranges", "0b000000 0bffffff 01000000 09000000 09ffffff 01000000"),
        ]);
        await nfnetlink.commit([
          remove(place, "ranges", "0a000000 0affffff"),
          add(place, "ranges", "0a000000 0a00ffff 05000000"),
        ]);
        assert.deepEqual(await held(place, "ranges"), [
          "0900000009ffffff01000000",
          "0a0000000a00ffff05000000",
          "0b0000000bffffff01000000",
        ]);
      });
    });

    describe("ranges of several fields", () => {
      const box = "0a000000 00500000 0a0000ff 005a0000";

      it("are added, found, replaced and deleted", async () => {
        const place = await table();
        const set = { ...place, set: "boxes" };
        await nfnetlink.commit([add(place, "boxes", `${box} 01000000`)]);
        await nfnetlink.commit([add(place, "boxes", `${box} 01000000`)]);
        const keys = [hex("0a000007 00550000"), hex("0a000007 005b0000"), hex("0a000100 00550000")];
        assert.deepEqual(await nfnetlink.findElements(set, keys), [
          hex("01000000"),
          undefined,
          undefined,
        ]);
        await nfnetlink.commit([
          remove(place, "boxes", box),
          add(place, "boxes", `${box} 02000000 0a000000 005b0000 0a0000ff 00630000 03000000`),
        ]);
        assert.deepEqual(await held(place, "boxes"), [
          "0a000000005000000a0000ff005a000002000000",
          "0a000000005b00000a0000ff0063000003000000",
        ]);
        await nfnetlink.commit([remove(place, "boxes", box)]);
        await assert.rejects(nfnetlink.commit([remove(place, "boxes", box)]), { code: "ENOENT" });
      });

      it("refuse one that begins or ends in another, and another value", async () => {
        const place = await table();
        await nfnetlink.commit([add(place, "boxes", `${box} 01000000`)]);
        for (const other of [
          `${box} 02000000`,
          "0a000005 00550000 0b000000 00630000 01000000",
          "09000005 00000000 0a000005 00550000 01000000",
        ]) {
          await assert.rejects(nfnetlink.commit([add(place, "boxes", other)]), { code: "EEXIST" });
        }
      });
    });

    describe("elements(), findElements(), counters()", () => {
      it("know no absent set", async () => {
        const place = await table();
        for (const set of [
          { ...place, set: "absent" },
          { ...freshTable(), set: "members" },
        ]) {
          assert.equal(await nfnetlink.elements(set), undefined);
          assert.equal(await nfnetlink.counters(set), undefined);
          await assert.rejects(nfnetlink.findElements(set, [hex("0a000001")]), {
            code: "ENOENT",
            operation: "find-elements",
          });
        }
      });

      it("find the values of many keys, in order", async () => {
        const place = await table();
        const set: SetPlace = { ...place, set: "values" };
        const count = 300;
        const records = Array.from({ length: count }, (_, index) =>
          hex(
            `0a00${index.toString(16).padStart(4, "0")} 00500000 ${(index % 7).toString().padStart(2, "0")}000000`,
          ),
        );
        const odd = records.filter((_, index) => index % 2 === 1);
        const packed = new Uint8Array(Buffer.concat(odd));
        await nfnetlink.commit([run("add", place, { set: "values", records: packed })]);
        const found = await nfnetlink.findElements(
          set,
          records.map((record) => record.slice(0, 8)),
        );
        assert.deepEqual(
          found,
          records.map((record, index) => (index % 2 === 1 ? record.slice(8) : undefined)),
        );
        assert.deepEqual(await nfnetlink.findElements(set, []), []);
      });

      it("find the range that a key lies in, and no bytes for a member of a set", async () => {
        const place = await table();
        await nfnetlink.commit([
          add(place, "members", "0a000001"),
          add(place, "ranges", "0a000000 0affffff 01000000"),
        ]);
        const keys = [hex("0a000001"), hex("0b000000")];
        assert.deepEqual(await nfnetlink.findElements({ ...place, set: "members" }, keys), [
          hex(""),
          undefined,
        ]);
        assert.deepEqual(await nfnetlink.findElements({ ...place, set: "ranges" }, keys), [
          hex("01000000"),
          undefined,
        ]);
      });

      it("count nothing where no packet was, and not without counters", async () => {
        const place = await table();
        await nfnetlink.commit([add(place, "members", "0a000001")]);
        assert.deepEqual(await nfnetlink.counters({ ...place, set: "members" }), [
          { key: hex("0a000001"), packets: 0n },
        ]);
        assert.deepEqual(await nfnetlink.counters({ ...place, set: "values" }), []);
      });
    });

    describe("findTable()", () => {
      it("gives uses, the comment, and a handle that a new table does not have", async () => {
        const place = await table();
        const first = await nfnetlink.findTable(place);
        assert.equal(first?.comment, "revision 7");
        assert.equal(first?.uses, suiteSets.length + 1);
        await subject.createTable(place, suiteSets, {});
        const second = await nfnetlink.findTable(place);
        assert.equal(second?.comment, "");
        assert.equal(second?.uses, suiteSets.length);
        assert.notEqual(second?.handle, first?.handle);
      });

      it("knows no absent table, nor one of the other family", async () => {
        const place = await table();
        assert.equal(await nfnetlink.findTable({ ...place, family: "ip6" }), undefined);
        assert.equal(await nfnetlink.findTable(freshTable()), undefined);
      });

      it("refuses what is no name", async () => {
        for (const name of ["", "a\0b", "x".repeat(256)]) {
          await assert.rejects(nfnetlink.findTable({ family: "ip", table: name }), {
            code: "EINVAL",
          });
        }
      });
    });

    describe("monitor()", () => {
      const watch = async (
        ...places: TablePlace[]
      ): Promise<{ events: string[]; stop: () => Promise<void> }> => {
        const events: string[] = [];
        const stop = await nfnetlink.monitor(places, (event: TamperEvent) => {
          events.push(
            event.kind === "resync"
              ? "resync"
              : `${event.table.family} ${event.table.table} ${event.what}`,
          );
        });
        return { events, stop };
      };
      const reached = async (events: string[], expected: string[]): Promise<void> => {
        await eventually(async () => events.length >= expected.length);
        assert.deepEqual(events, expected);
      };

      it("tells what somebody else changes in the table", async () => {
        const place = await table();
        const name = `ip ${place.table}`;
        await nfnetlink.commit([add(place, "members", "0a000001 0a000002")]);
        const { events, stop } = await watch(place);
        await subject.tamper({
          kind: "elements",
          runs: [remove(place, "members", "0a000001"), add(place, "members", "0a000003")],
        });
        await reached(events, [`${name} elements`]);
        await subject.tamper({ kind: "elements", runs: [add(place, "members", "0a000004")] });
        await reached(events, [`${name} elements`, `${name} added`]);
        await subject.tamper({ kind: "flush-rules", table: place });
        await reached(events, [`${name} elements`, `${name} added`, `${name} rules`]);
        await subject.tamper({ kind: "delete-table", table: place });
        await reached(events, [
          `${name} elements`,
          `${name} added`,
          `${name} rules`,
          `${name} table`,
        ]);
        await stop();
      });

      it("tells nothing of own commits, other tables, and after its end", async () => {
        const place = await table();
        const other = await table();
        const late = await table();
        const { events, stop } = await watch(place);
        await nfnetlink.commit([add(place, "members", "0a000001")]);
        await subject.tamper({ kind: "delete-table", table: other });
        const { events: lateEvents, stop: stopLate } = await watch(late);
        await subject.tamper({ kind: "delete-table", table: late });
        // Events come in order: with this one, those before would have been there.
        await reached(lateEvents, [`ip ${late.table} table`]);
        assert.deepEqual(events, []);
        await stop();
        await subject.tamper({ kind: "delete-table", table: place });
        const again = await table();
        const { events: lastEvents, stop: stopLast } = await watch(again);
        await subject.tamper({ kind: "delete-table", table: again });
        await reached(lastEvents, [`ip ${again.table} table`]);
        assert.deepEqual(events, []);
        await stopLate();
        await stopLast();
        await stopLast();
      });

      it("tells each listener of its own tables", async () => {
        const first = await table();
        const second = await table();
        const one = await watch(first);
        const both = await watch(first, second);
        await subject.tamper({
          kind: "elements",
          runs: [add(first, "members", "0a000001"), add(second, "members", "0a000001")],
        });
        await reached(both.events, [`ip ${first.table} added`, `ip ${second.table} added`]);
        assert.deepEqual(one.events, [`ip ${first.table} added`]);
        await one.stop();
        await both.stop();
      });
    });

    describe("close()", () => {
      it("refuses later calls", async () => {
        const own = await options.setup();
        await own.close();
        await own.close();
        for (const call of [
          () => own.nfnetlink.commit([run("flush", freshTable(), { set: "members" })]),
          () => own.nfnetlink.findTable(freshTable()),
          () => own.nfnetlink.monitor([freshTable()], () => {}),
        ]) {
          await assert.rejects(call(), { code: "WORKER_GONE", errno: 0 });
        }
      });
    });
  });
}
