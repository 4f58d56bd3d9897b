import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type HeldAttachment, HeldAttachments } from "./held-attachments.ts";

function openFolder(): Disposable & { readonly path: string } {
  const parent = mkdtempSync(join(tmpdir(), "patchbay-held-"));
  return {
    path: join(parent, "held/macvlan"),
    [Symbol.dispose]: () => rmSync(parent, { recursive: true }),
  };
}

function heldAs(attachmentId: string): HeldAttachment<{ readonly master: string }> {
  return {
    attachmentId,
    network: "prod/lan",
    netns: "/run/netns/c1",
    netnsIdentity: "4:4026531840",
    ifname: "net1",
    mac: "02:00:00:00:00:01",
    detail: { master: "eth1" },
  };
}

test("write() is seen by another process, whatever the id is made of", () => {
  using folder = openFolder();
  const held = new HeldAttachments<{ readonly master: string }>(folder.path);
  assert.deepEqual(held.list(), []);
  assert.equal(held.find("a"), undefined);
  const ids = ["a", "../../../etc/passwd", "prod/lan c1 net1", "x".repeat(64)];
  for (const id of ids) held.write(heldAs(id));
  const other = new HeldAttachments<{ readonly master: string }>(folder.path);
  for (const id of ids) assert.deepEqual(other.find(id), heldAs(id));
  assert.deepEqual(
    other
      .list()
      .map(({ attachmentId }) => attachmentId)
      .sort(),
    [...ids].sort(),
  );
  assert.equal(readdirSync(folder.path).length, ids.length);
});

test("write() takes the place of what was written before, for root alone", () => {
  using folder = openFolder();
  const held = new HeldAttachments<{ readonly master: string }>(folder.path);
  held.write(heldAs("a"));
  held.write({ ...heldAs("a"), ifname: "net2" });
  assert.deepEqual(
    held.list().map(({ ifname }) => ifname),
    ["net2"],
  );
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  for (const name of readdirSync(folder.path)) {
    assert.equal(statSync(join(folder.path, name)).mode & 0o777, 0o600);
  }
});

test("write() makes its folder again when somebody took it away", () => {
  using folder = openFolder();
  const held = new HeldAttachments<{ readonly master: string }>(folder.path);
  held.write(heldAs("a"));
  rmSync(folder.path, { recursive: true });
  assert.deepEqual(held.list(), []);
  held.write(heldAs("b"));
  assert.equal(held.list().length, 1);
});

test("remove() of what is not there is success", () => {
  using folder = openFolder();
  const held = new HeldAttachments<{ readonly master: string }>(folder.path);
  held.remove("a");
  held.write(heldAs("a"));
  held.remove("a");
  held.remove("a");
  assert.deepEqual(held.list(), []);
});

test("list() passes by what a killed write() and other people left", () => {
  using folder = openFolder();
  const held = new HeldAttachments<{ readonly master: string }>(folder.path);
  held.write(heldAs("a"));
  writeFileSync(join(folder.path, "0123.json.new"), '{"attachmentId":"half');
  writeFileSync(join(folder.path, "empty.json"), "");
  writeFileSync(join(folder.path, "null.json"), "null");
  writeFileSync(join(folder.path, "other.json"), '{"attachmentId":7}');
  writeFileSync(join(folder.path, "notes.txt"), "hello");
  assert.deepEqual(held.list(), [heldAs("a")]);
});
