import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CniConfFolder } from "./cni-conf-folder.ts";
import { LIMITS } from "./limits.ts";

describe("CniConfFolder", () => {
  let root = "";
  let folder = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "patchbay-conf-"));
    folder = join(root, "net.d");
    mkdirSync(folder);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (name: string, json: unknown) => {
    const text = typeof json === "string" ? json : JSON.stringify(json);
    writeFileSync(join(folder, name), text);
    return text;
  };

  it("finds a configuration by its name, a list rather than a single one", () => {
    const single = write("10-a.conf", { name: "a", type: "ptp" });
    const other = write("15-b.json", { name: "b", type: "ptp" });
    const conf = new CniConfFolder(folder);
    assert.deepEqual([conf.find("a"), conf.find("b"), conf.find("c")], [single, other, undefined]);
    const list = write("20-a.conflist", { name: "a", plugins: [{ type: "bridge" }] });
    assert.equal(conf.find("a"), list);
  });

  it("sees files change, come and go", () => {
    const conf = new CniConfFolder(folder);
    assert.equal(conf.find("a"), undefined);
    write("a.conf", { name: "a", type: "ptp" });
    const changed = write("a.conf", { name: "a", type: "ptp", mtu: 1400 });
    assert.equal(conf.find("a"), changed);
    rmSync(join(folder, "a.conf"));
    assert.equal(conf.find("a"), undefined);
    rmSync(folder, { recursive: true });
    assert.equal(conf.find("a"), undefined);
  });

  it("passes by what is no configuration", () => {
    write("a.conf", "{");
    write("b.conf", "null");
    write("c.conf", { type: "ptp" });
    write("d.txt", { name: "d", type: "ptp" });
    write(".e.conf", { name: "e", type: "ptp" });
    mkdirSync(join(folder, "f.conf"));
    write("g.conf", `{"name":"g"${" ".repeat(LIMITS.configBytesMax)}}`);
    const conf = new CniConfFolder(folder);
    for (const name of ["a", "b", "c", "d", "e", "f", "g", "undefined"]) {
      assert.equal(conf.find(name), undefined, name);
    }
  });

  it("follows links inside the folder, and none out of it", () => {
    mkdirSync(join(folder, "..data"));
    writeFileSync(join(folder, "..data", "in"), '{"name":"in","type":"ptp"}');
    writeFileSync(join(root, "out"), '{"name":"out","type":"ptp"}');
    symlinkSync("..data/in", join(folder, "in.conf"));
    symlinkSync("../out", join(folder, "out.conf"));
    const conf = new CniConfFolder(folder);
    assert.deepEqual([conf.find("in") !== undefined, conf.find("out")], [true, undefined]);
  });
});
