import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ObjectJournal } from "./object-journal.ts";

const OWNER = { nodeName: "n1" };

function file(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-journal-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "below/objects.db");
}

/** A journal of one resource with objects a and b at version 5. */
function write(path: string): void {
  const journal = ObjectJournal.open(path, OWNER);
  const objects = [
    ["a", { one: 1 }],
    ["b", { two: 2 }],
  ] as const;
  journal.write({ wallMs: 5, resource: "services", version: "5", objects });
  journal.close();
}

test("ObjectJournal reads what was written, with what came and went since", (context) => {
  const path = file(context);
  write(path);
  const journal = ObjectJournal.open(path, OWNER);
  const objects = [
    ["a", undefined],
    ["c", 3],
  ] as const;
  journal.write({ wallMs: 5, resource: "services", version: "7", objects });
  journal.close();
  const again = ObjectJournal.open(path, OWNER);
  assert.deepEqual(again.read("services"), {
    version: "7",
    writtenMs: 5,
    objects: [
      { key: "b", value: { two: 2 } },
      { key: "c", value: 3 },
    ],
  });
  assert.equal(again.read("pods"), undefined);
  again.close();
});

test("ObjectJournal says nothing of a resource that is being written anew", (context) => {
  const path = file(context);
  write(path);
  const journal = ObjectJournal.open(path, OWNER);
  journal.write({
    wallMs: 5,
    resource: "services",
    version: undefined,
    objects: [["z", 1]],
    isNew: true,
  });
  assert.equal(journal.read("services"), undefined);
  journal.write({ wallMs: 5, resource: "services", version: "9", objects: [] });
  assert.deepEqual(journal.read("services"), {
    version: "9",
    writtenMs: 5,
    objects: [{ key: "z", value: 1 }],
  });
  journal.forget();
  assert.equal(journal.read("services"), undefined);
  journal.close();
});

test("ObjectJournal takes nothing of another node", (context) => {
  const path = file(context);
  write(path);
  const journal = ObjectJournal.open(path, { nodeName: "n2" });
  assert.equal(journal.read("services"), undefined);
  journal.close();
});

test("ObjectJournal begins anew where the file is damaged, half or something else", (context) => {
  const path = file(context);
  const damages: Record<string, () => void> = {
    "no database": () => writeFileSync(path, "hello, this is no database at all"),
    empty: () => truncateSync(path, 0),
    "damaged inside": () => {
      const bytes = readFileSync(path);
      bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 4_000);
      writeFileSync(path, bytes);
    },
    half: () => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
  };
  for (const [what, damage] of Object.entries(damages)) {
    write(path);
    damage();
    const journal = ObjectJournal.open(path, OWNER);
    journal.write({ wallMs: 5, resource: "pods", version: "1", objects: [["p", what]] });
    assert.equal(journal.read("pods")?.version, "1", what);
    journal.close();
  }
});
