import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Finding } from "./doctor.ts";
import { examineKernel, examineMachine, type MachinePlaces } from "./doctor-local.ts";

it("examineKernel() refuses kernels before 5.4", () => {
  const table: readonly [string, string][] = [
    ["4.19.0-27-amd64", "error"],
    ["5.3.18", "error"],
    ["5.4.0-200-generic", "ok"],
    ["6.18.44", "ok"],
    ["10.0", "ok"],
  ];
  for (const [release, severity] of table) {
    assert.equal(examineKernel(release).severity, severity, release);
  }
});

describe("examineMachine()", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "patchbay-doctor-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(name: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text, { mode });
  }

  function installAll(): void {
    write("package/build/cni/patchbay", "shim");
    write("bin/patchbay", "shim", 0o755);
    const plugins = [{ type: "patchbay", root }];
    write("conf/10-patchbay.conflist", JSON.stringify({ name: "patchbay", plugins }));
  }

  /** "severity: message" of one check. */
  function finding(check: string): string {
    const { severity, message } = find(check);
    return `${severity}: ${message}`;
  }

  function find(check: string, more: Partial<MachinePlaces> = {}): Finding {
    const findings = examineMachine({
      root,
      cniBinDir: join(root, "bin"),
      cniConfDir: join(root, "conf"),
      packageFolder: join(root, "package"),
      ...more,
    });
    const found = findings.filter((each) => each.check === check);
    const [first] = found;
    assert.ok(
      first && found.length === 1,
      `${check} in ${findings.map((each) => each.check).join(" ")}`,
    );
    assert.equal(first.remedy === "", first.severity === "ok");
    return first;
  }

  it("finds nothing wrong with what install leaves", () => {
    installAll();
    for (const check of ["shim", "conflist", "shim-journal", "sockets", "state"]) {
      assert.match(finding(check), /^ok:/, check);
    }
  });

  it("misses shim and conflist", () => {
    assert.match(finding("shim"), /^warning: .*bin\/patchbay is not there/);
    assert.match(finding("conflist"), /^warning: .*10-patchbay\.conflist is not there/);
  });

  it("says what to do for the places that were asked about, not for the machine's own", () => {
    const install = `npx patchbay install --root ${root} --cni-bin-dir ${root}/bin --cni-conf-dir ${root}/conf`;
    const elsewhere = "or name the folder that it is in with";
    assert.equal(find("shim").remedy, `Run \`${install}\`, ${elsewhere} --cni-bin-dir`);
    assert.equal(find("conflist").remedy, `Run \`${install}\`, ${elsewhere} --cni-conf-dir`);
    mkdirSync(join(root, "run/patchbay"), { recursive: true, mode: 0o700 });
    assert.equal(find("sockets").remedy, `Start the host: \`npx patchbay host --root ${root}\``);
  });

  it("asks for the network of a cluster where the host has one, unless a conflist says of which", () => {
    const remedy = () => find("shim", { hasCluster: true }).remedy;
    assert.match(remedy(), /^Run `npx patchbay install --kubernetes --root /);
    installAll();
    rmSync(join(root, "bin/patchbay"));
    assert.match(remedy(), /^Run `npx patchbay install --root /);
  });

  it("sees a shim that is old or cannot be run", () => {
    installAll();
    write("package/build/cni/patchbay", "newer shim");
    assert.match(finding("shim"), /^warning: .*is not the shim built here/);
    chmodSync(join(root, "bin/patchbay"), 0o644);
    assert.match(finding("shim"), /^error: .*cannot be run/);
  });

  it("sees a conflist that is another root's, somebody else's, broken, or not the first", () => {
    installAll();
    const conflist = "conf/10-patchbay.conflist";
    write(conflist, '{"name":"x","plugins":[{"type":"patchbay"}]}');
    assert.match(finding("conflist"), /^error: .*is for root "\/"/);
    write(conflist, '{"name":"x","plugins":[{"type":"bridge"}]}');
    assert.match(finding("conflist"), /^error: .*is another plugin's/);
    write(conflist, "{");
    assert.match(finding("conflist"), /^error: .*is not JSON/);
    write("conf/05-other.conf", "{}");
    assert.match(finding("conflist"), /^error: Runtimes take .*05-other\.conf before/);
  });

  it("sees a run folder that is open to others", () => {
    mkdirSync(join(root, "run/patchbay"), { recursive: true });
    chmodSync(join(root, "run/patchbay"), 0o755);
    assert.match(finding("sockets"), /^error: .*is open to others \(mode 755\)/);
    chmodSync(join(root, "run/patchbay"), 0o700);
    assert.match(finding("sockets"), /^warning: .*shim\.sock and .*host\.sock not there/);
  });

  it("counts DELs that came while the host was down", () => {
    write("var/lib/patchbay/del-journal/0011223344556677", "x");
    write("var/lib/patchbay/del-journal/.half-written", "x");
    assert.match(finding("shim-journal"), /^warning: 1 DEL in/);
  });

  it("finds what a killed installation left", () => {
    write("bin/.patchbay.4194305.tmp", "x");
    assert.match(finding("abandoned-files"), /^warning: .*\.patchbay\.4194305\.tmp/);
  });
});
