import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { shimProto } from "../rpc/services.ts";
import { FolderDelJournal } from "./del-journal.ts";
import { delJournalSuite, entryName, makeDel, type OpenedJournal } from "./del-journal-suite.ts";
import { FakeDelJournal } from "./fake-del-journal.ts";
import { LIMITS } from "./limits.ts";

delJournalSuite("FakeDelJournal", () => {
  const journal = new FakeDelJournal();
  return {
    journal,
    write: (name, writtenWallMs, request) => journal.write(name, writtenWallMs, request),
    aside: () => [...journal.aside],
    [Symbol.asyncDispose]: async () => {},
  };
});

delJournalSuite("FolderDelJournal", openFolder);

test("a folder that is not there has no entries", async () => {
  const journal = new FolderDelJournal("/nowhere/del-journal");
  assert.deepEqual(await journal.read(), []);
  await journal.remove(entryName(1));
});

test("read() passes over names that the shim does not give", async () => {
  await using opened = openFolder();
  for (const name of [
    ".0000000000000001.del",
    "README",
    "1.del",
    "0000000000000001.del~",
    "X".repeat(16),
  ]) {
    writeFileSync(join(opened.folder, name), "x");
  }
  mkdirSync(join(opened.folder, "unreadable"));
  assert.deepEqual(await opened.journal.read(), []);
});

test("read() reads at most a batch", async () => {
  await using opened = openFolder();
  for (let number = 0; number < LIMITS.journalBatchMax + 5; number++) {
    opened.write(entryName(number), 1000, makeDel("a"));
  }
  assert.equal((await opened.journal.read()).length, LIMITS.journalBatchMax);
});

const BAD: readonly [what: string, make: (path: string) => void][] = [
  ["an empty file", (path) => writeFileSync(path, "")],
  ["text", (path) => writeFileSync(path, "not a request")],
  [
    "a request that ends in its configuration",
    (path) => writeFileSync(path, encode("a").subarray(0, 40)),
  ],
  [
    "more bytes than an entry may have",
    (path) => writeFileSync(path, Buffer.alloc(LIMITS.journalEntryBytesMax + 1)),
  ],
  ["a folder", (path) => mkdirSync(path)],
  ["a FIFO that nobody writes to", (path) => execFileSync("mkfifo", [path])],
];

for (const [what, make] of BAD) {
  test(`read() is not stopped by ${what}, and setAside() moves it`, async () => {
    await using opened = openFolder();
    opened.write(entryName(2), 2000, makeDel("b"));
    make(join(opened.folder, entryName(1)));
    const entries = await opened.journal.read();
    const found = entries
      .map(({ name, request }) => [name, request !== undefined] as const)
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
    assert.deepEqual(found, [
      [entryName(1), false],
      [entryName(2), true],
    ]);
    await opened.journal.setAside(entryName(1));
    assert.deepEqual(opened.aside(), [entryName(1)]);
    assert.equal((await opened.journal.read()).length, 1);
  });
}

function openFolder(): OpenedJournal & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "pb-journal-"));
  return {
    folder,
    journal: new FolderDelJournal(folder),
    write(name, writtenWallMs, request) {
      const path = join(folder, name);
      writeFileSync(path, request ? encode(request.containerId) : "garbage");
      utimesSync(path, writtenWallMs / 1000, writtenWallMs / 1000);
    },
    aside: () => readdirSync(join(folder, "unreadable")),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

function encode(containerId: string): Buffer {
  return shimProto.Shim.service.Invoke.requestSerialize(makeDel(containerId));
}
