import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InvokeRequest__Output } from "../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import type { DelJournal } from "./core/ports.ts";

/** A journal of a test, and the shim's hand that writes into it. */
export interface OpenedJournal extends AsyncDisposable {
  readonly journal: DelJournal;
  /** Undefined: bytes that are no request. The same name replaces. */
  write(name: string, writtenWallMs: number, request: InvokeRequest__Output | undefined): void;
  /** Names that were put aside. */
  aside(): readonly string[];
}

/** What every DEL journal must do. */
export function delJournalSuite(name: string, open: () => OpenedJournal): void {
  describe(`DEL journal: ${name}`, () => {
    test("read() of an empty journal finds nothing", async () => {
      await using opened = open();
      assert.deepEqual(await opened.journal.read(), []);
    });

    test("read() gives requests as they were written, oldest first, and keeps them", async () => {
      await using opened = open();
      opened.write(entryName(1), 3000, makeDel("young"));
      opened.write(entryName(2), 1000, makeDel("old"));
      opened.write(entryName(3), 2000, makeDel("middle"));
      const entries = await opened.journal.read();
      assert.deepEqual(
        entries.map(({ name, request }) => [name, request]),
        [
          [entryName(2), makeDel("old")],
          [entryName(3), makeDel("middle")],
          [entryName(1), makeDel("young")],
        ],
      );
      for (const [index, expected] of [1000, 2000, 3000].entries()) {
        const written = entries[index]?.writtenWallMs ?? 0;
        // Never earlier than it was, and a clock's tick later at most.
        assert.ok(written >= expected && written <= expected + 10, `${written}`);
      }
      assert.deepEqual(await opened.journal.read(), entries);
    });

    test("a repeat of the same DEL replaces the first", async () => {
      await using opened = open();
      opened.write(entryName(1), 1000, makeDel("a"));
      opened.write(entryName(1), 2000, makeDel("a"));
      const entries = await opened.journal.read();
      assert.equal(entries.length, 1);
      assert.ok((entries[0]?.writtenWallMs ?? 0) >= 2000);
    });

    test("remove() forgets one entry; what is not there is removed already", async () => {
      await using opened = open();
      opened.write(entryName(1), 1000, makeDel("a"));
      opened.write(entryName(2), 2000, makeDel("b"));
      await opened.journal.remove(entryName(1));
      await opened.journal.remove(entryName(1));
      const [left, ...more] = await opened.journal.read();
      assert.equal(left?.name, entryName(2));
      assert.deepEqual(more, []);
    });

    test("what is no request is told as such, and put aside it is not read again", async () => {
      await using opened = open();
      opened.write(entryName(1), 1000, undefined);
      opened.write(entryName(2), 2000, makeDel("b"));
      const bad = (await opened.journal.read()).filter(({ request }) => request === undefined);
      assert.deepEqual(
        bad.map((entry) => entry.name),
        [entryName(1)],
      );
      await opened.journal.setAside(entryName(1));
      assert.deepEqual(opened.aside(), [entryName(1)]);
      const left = await opened.journal.read();
      assert.deepEqual(
        left.map((entry) => entry.name),
        [entryName(2)],
      );
    });
  });
}

/** A name as the shim gives one. */
export function entryName(number: number): string {
  return `${number.toString(16).padStart(16, "0")}.del`;
}

export function makeDel(containerId: string): InvokeRequest__Output {
  return {
    command: "COMMAND_DEL",
    containerId,
    netns: "",
    ifname: "eth0",
    args: "",
    path: "/opt/cni/bin",
    configJson: Buffer.from('{"cniVersion":"1.1.0","name":"net"}'),
    trace: null,
    shimVersion: "0.1.0",
  };
}
