import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeNftables } from "./fake-nftables.ts";
import { KernelError } from "./kernel-error.ts";
import { type Nftables, openNftables } from "./nftables.ts";
import { privateNodeSkip } from "./private-node-skip.ts";

function nftablesSuite(name: string, open: () => Nftables, skip: string | false): void {
  describe(name, { skip }, () => {
    const table = "inet patchbay_test";
    const ruleset = (chain: string): string =>
      `table ${table}\ndelete table ${table}\ntable ${table} {\n  chain ${chain} {\n  }\n}\n`;

    it("load() replaces a table, list() shows it", async () => {
      const nftables = open();
      await nftables.load(ruleset("first"));
      await nftables.load(ruleset("second"));
      const text = await nftables.list(table);
      assert.match(text ?? "", /chain second/);
      assert.doesNotMatch(text ?? "", /chain first/);
      await nftables.load(`delete table ${table}`);
      assert.equal(await nftables.list(table), undefined);
    });

    it("load() changes nothing when a statement fails", async () => {
      const nftables = open();
      const failing = `${ruleset("first")}delete table inet patchbay_absent\n`;
      await assert.rejects(nftables.load(failing), (error: unknown) => {
        assert.ok(error instanceof KernelError);
        assert.equal(error.code, "ENOENT");
        assert.match(error.extendedAck, /No such file or directory/);
        return true;
      });
      assert.equal(await nftables.list(table), undefined);
    });

    it("load() refuses text that is no ruleset", async () => {
      await assert.rejects(open().load("table inet x {"), { code: "EINVAL" });
    });
  });
}

nftablesSuite("FakeNftables", () => new FakeNftables(), false);
nftablesSuite("openNftables()", openNftables, privateNodeSkip);

describe("openNftables()", () => {
  it("says which package is missing where there is no nft", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "/nonexistent";
    try {
      await assert.rejects(openNftables().load(""), (error: KernelError) => {
        assert.equal(error.code, "ENOENT");
        assert.match(error.message, /nft not found: install the package nftables/);
        return true;
      });
    } finally {
      process.env["PATH"] = path;
    }
  });
});
