import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { identify, readFile } from "./read-file.ts";

describe("readFile()", () => {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-read-"));
  after(() => rmSync(folder, { recursive: true }));
  const options = { bytesMax: 10 };

  function written(name: string, content: string | Uint8Array): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  function refusal(path: string): string {
    const file = readFile(path, options);
    return file.kind === "refused" ? file.message : file.kind;
  }

  it("reads text up to its bound, without a byte order mark", () => {
    const path = written("a", "\ufeffé: 1");
    const file = readFile(path, options);
    assert.ok(file.kind === "text");
    assert.equal(file.text, "é: 1");
    assert.equal(file.bytes, 8);
    assert.equal(file.identity, identify(path));
    assert.equal(readFile(written("b", "0123456789"), options).kind, "text");
  });

  it("refuses what is too long, no text or no plain file", () => {
    assert.equal(refusal(written("c", "01234567890")), "has 11 bytes, expected at most 10");
    assert.equal(refusal(written("d", new Uint8Array([0xff, 0xfe]))), "is not UTF-8 text");
    mkdirSync(join(folder, "e"));
    assert.equal(refusal(join(folder, "e")), "is not a plain file");
    assert.equal(refusal("/dev/null"), "is not a plain file");
    symlinkSync("loop", join(folder, "loop"));
    assert.equal(refusal(join(folder, "loop")), "cannot be read: ELOOP");
  });

  it("does not wait for the writer of a FIFO", () => {
    const path = join(folder, "f");
    execFileSync("mkfifo", [path]);
    assert.equal(refusal(path), "is not a plain file");
  });

  it("calls absent what is not there, links to nowhere among it", () => {
    symlinkSync("nowhere", join(folder, "g"));
    for (const path of [join(folder, "none"), join(folder, "g"), join(folder, "a", "b")]) {
      assert.equal(readFile(path, options).kind, "absent");
    }
    assert.equal(identify(join(folder, "none")), undefined);
  });
});
