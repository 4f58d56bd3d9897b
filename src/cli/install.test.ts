import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fakeAttachment, type FakeWorld, runCli } from "./fake-context.ts";

describe("install and uninstall", () => {
  let folder = "";
  let shim = "";
  let conflist = "";
  let world: FakeWorld = {};

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "patchbay-install-"));
    shim = join(folder, "bin/patchbay");
    conflist = join(folder, "conf/10-patchbay.conflist");
    world = { packageFolder: join(folder, "package") };
    buildShim("first");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function buildShim(content: string): void {
    mkdirSync(join(folder, "package/build/cni"), { recursive: true });
    writeFileSync(join(folder, "package/build/cni/patchbay"), content);
  }

  function places(): string[] {
    const root = ["--root", join(folder, "root")];
    return [...root, "--cni-bin-dir", join(folder, "bin"), "--cni-conf-dir", join(folder, "conf")];
  }

  const install = (...more: string[]) => runCli(["install", ...places(), ...more], world);
  const uninstall = (host: FakeWorld["host"], ...more: string[]) =>
    runCli(["uninstall", ...places(), ...more], { ...world, ...(host && { host }) });

  describe("patchbay install", () => {
    it("--kubernetes leaves the ranges to the Node object, and replaces a conflist that has its own", async () => {
      await install();
      const result = await install("--kubernetes");
      assert.equal(result.exitCode, 0, result.stderr);
      assert.match(result.stdout, /Pods get addresses of the Node object \(spec\.podCIDRs\)\n/);
      const [plugin] = JSON.parse(readFileSync(conflist, "utf8")).plugins;
      assert.deepEqual(plugin.ipam, { ranges: "node" });
      const again = await install("--json");
      assert.deepEqual(JSON.parse(again.stdout).ranges, ["node"]);
      assert.equal(JSON.parse(again.stdout).conflistKept, true);
    });

    it("puts shim and conflist in place and says which pool is used", async () => {
      const result = await install();
      assert.equal(result.exitCode, 0, result.stderr);
      assert.match(
        result.stdout,
        /Pods get addresses of 10\.88\.0\.0\/16 and fd00:88::\/64, the default pool/,
      );
      assert.equal(readFileSync(shim, "utf8"), "first");
      assert.equal(statSync(shim).mode & 0o777, 0o755);
      assert.equal(statSync(conflist).mode & 0o777, 0o644);
      assert.deepEqual(JSON.parse(readFileSync(conflist, "utf8")), {
        cniVersion: "1.0.0",
        cniVersions: ["1.0.0", "1.1.0"],
        name: "patchbay",
        plugins: [
          {
            type: "patchbay",
            root: join(folder, "root"),
            plugin: "routed",
            ipMasq: true,
            capabilities: {
              ips: true,
              mac: true,
              portMappings: true,
              bandwidth: true,
              "io.kubernetes.cri.pod-annotations": true,
            },
            ipam: { ranges: [[{ subnet: "10.88.0.0/16" }], [{ subnet: "fd00:88::/64" }]] },
          },
        ],
      });
      assert.deepEqual(readdirSync(join(folder, "bin")), ["patchbay"]);
      assert.deepEqual(readdirSync(join(folder, "conf")), ["10-patchbay.conflist"]);
    });

    it("takes plugin, MTU, name, ranges and masquerade from the options", async () => {
      const options = ["--plugin", "bridge", "--mtu", "1450", "--name", "n", "--no-ip-masq"];
      await install(...options, "--ipv4-range", "10.1.0.0/24", "--ipv6-range", "none");
      const { name, plugins } = JSON.parse(readFileSync(conflist, "utf8"));
      assert.equal(name, "n");
      assert.equal(plugins[0].plugin, "bridge");
      assert.equal(plugins[0].mtu, 1450);
      assert.equal(plugins[0].ipMasq, false);
      assert.deepEqual(plugins[0].ipam, { ranges: [[{ subnet: "10.1.0.0/24" }]] });
    });

    it("refuses no range at all and a range of the other family", async () => {
      const table: readonly [readonly string[], RegExp][] = [
        [["--ipv4-range", "none", "--ipv6-range", "none"], /both none: give one of them/],
        [["--ipv4-range", "fd00::/64"], /--ipv4-range fd00::\/64 is IPv6/],
        [["--ipv6-range", "10.1.0.0/16"], /--ipv6-range 10\.1\.0\.0\/16 is IPv4/],
      ];
      for (const [options, message] of table) {
        const result = await install(...options);
        assert.equal(result.exitCode, 2, options.join(" "));
        assert.match(result.stderr, message);
      }
      assert.equal(existsSync(conflist), false);
    });

    it("says nothing of a root that is the node's own", async () => {
      const result = await runCli(
        ["install", "--dry-run", "--json", "--cni-conf-dir", join(folder, "conf")],
        world,
      );
      assert.equal("root" in JSON.parse(result.stdout).content.plugins[0], false);
    });

    it("changes nothing the second time", async () => {
      await install();
      const before = [shim, conflist].map((file) => statSync(file, { bigint: true }).ino);
      const result = await install();
      assert.match(result.stdout, /Kept .*10-patchbay\.conflist as it is/);
      assert.deepEqual(
        [shim, conflist].map((file) => statSync(file, { bigint: true }).ino),
        before,
      );
    });

    it("replaces the shim and keeps an edited conflist at an upgrade", async () => {
      await install();
      const edited = readFileSync(conflist, "utf8").replace("10.88.0.0/16", "10.99.0.0/16");
      writeFileSync(conflist, edited);
      buildShim("second");
      const result = await install();
      assert.equal(readFileSync(shim, "utf8"), "second");
      assert.equal(readFileSync(conflist, "utf8"), edited);
      assert.match(result.stdout, /Pods get addresses of 10\.99\.0\.0\/16 and fd00:88::\/64\n/);
    });

    it("replaces the conflist when an option describes the network", async () => {
      await install();
      await install("--mtu", "1400");
      assert.equal(JSON.parse(readFileSync(conflist, "utf8")).plugins[0].mtu, 1400);
    });

    it("replaces a conflist that is for another root", async () => {
      await install();
      const other = join(folder, "other");
      await runCli(["install", ...places().with(1, other)], world);
      assert.equal(JSON.parse(readFileSync(conflist, "utf8")).plugins[0].root, other);
    });

    it("writes the conflist last", async () => {
      mkdirSync(join(folder, "bin"));
      mkdirSync(join(folder, "conf"));
      const seen: string[] = [];
      const appeared = Promise.withResolvers<void>();
      const watchers = ["bin", "conf"].map((name) =>
        watch(join(folder, name), (_event, file) => {
          if (file === "patchbay" || file === "10-patchbay.conflist") seen.push(file);
          if (file === "10-patchbay.conflist") appeared.resolve();
        }),
      );
      // In another process, so that this one sees the folders change meanwhile.
      const script = `import { runCli } from ${JSON.stringify(join(import.meta.dirname, "fake-context.ts"))};
        const result = await runCli(${JSON.stringify(["install", ...places()])}, ${JSON.stringify(world)});
        process.exitCode = result.exitCode;`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: "inherit",
      });
      assert.deepEqual(await once(child, "close"), [0, null]);
      await appeared.promise;
      for (const watcher of watchers) watcher.close();
      assert.deepEqual([...new Set(seen)], ["patchbay", "10-patchbay.conflist"]);
    });

    it("never lets a reader see a part of a file, nor none", async () => {
      const sizes = [1 << 20, 2 << 20];
      buildShim("a".repeat(sizes[0]!));
      await install();
      const script = `const { readFileSync } = require("node:fs"); process.stdout.write("ready\\n");
        for (;;) {
          const text = readFileSync(${JSON.stringify(shim)});
          JSON.parse(readFileSync(${JSON.stringify(conflist)}));
          const letter = text[0];
          if (text.length !== ${sizes[0]} && text.length !== ${sizes[1]}) throw new Error("part: " + text.length);
          if (text.at(-1) !== letter) throw new Error("mixed");
        }`;
      const reader = spawn(process.execPath, ["-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(reader.stdout, "data");
      for (let round = 1; round <= 20; round++) {
        buildShim((round % 2 === 0 ? "a" : "b").repeat(sizes[round % 2]!));
        const result = await install("--mtu", String(1400 + round));
        assert.equal(result.exitCode, 0, result.stderr);
      }
      assert.equal(reader.exitCode, null, "the reader saw something wrong");
      reader.kill("SIGKILL");
      await once(reader, "close");
    });

    it("replaces a shim that is running", async () => {
      writeFileSync(join(folder, "package/build/cni/patchbay"), readFileSync("/bin/sleep"));
      await install();
      const running = spawn(shim, ["100"]);
      await once(running, "spawn");
      buildShim("second");
      const result = await install();
      assert.equal(result.exitCode, 0, result.stderr);
      assert.equal(readFileSync(shim, "utf8"), "second");
      assert.equal(running.exitCode, null);
      running.kill("SIGKILL");
    });

    it("removes what a killed installation left", async () => {
      mkdirSync(join(folder, "conf"));
      writeFileSync(join(folder, "conf/.10-patchbay.conflist.4194305.tmp"), "{");
      await install();
      assert.deepEqual(readdirSync(join(folder, "conf")), ["10-patchbay.conflist"]);
    });

    it("changes nothing with --dry-run, nor when something is wrong", async () => {
      assert.match((await install("--dry-run")).stdout, /^Would install .*"cniVersion"/s);
      assert.equal((await install("--ipv4-range", "10.0.0.0")).exitCode, 2);
      rmSync(join(folder, "package"), { recursive: true });
      const result = await install();
      assert.match(result.stderr, /^patchbay: No shim at .*: build it with `npm run setup`\n$/);
      assert.equal(result.exitCode, 1);
      assert.deepEqual(
        [shim, conflist].filter((file) => existsSync(file)),
        [],
      );
    });

    it("does not overwrite a conflist that it cannot read", async () => {
      mkdirSync(join(folder, "conf"));
      writeFileSync(conflist, "{");
      const result = await install();
      assert.match(result.stderr, /is not JSON: correct or remove it/);
      assert.equal(readFileSync(conflist, "utf8"), "{");
      assert.equal(existsSync(shim), false);
    });

    it("names conflists that a runtime would take first", async () => {
      mkdirSync(join(folder, "conf"));
      for (const name of ["05-other.conf", "05-note.txt", "99-last.conflist"]) {
        writeFileSync(join(folder, "conf", name), "{}");
      }
      const { stdout } = await install();
      assert.match(stdout, /Runtimes take .*05-other\.conf first/);
      assert.doesNotMatch(stdout, /note|99-last/);
    });

    it("prints its plan as JSON", async () => {
      const result = JSON.parse((await install("--json")).stdout) as Record<string, unknown>;
      const { content, ...rest } = result;
      assert.deepEqual(rest, {
        shim,
        conflist,
        conflistKept: false,
        ranges: ["10.88.0.0/16", "fd00:88::/64"],
        before: [],
        dryRun: false,
      });
      assert.deepEqual(content, JSON.parse(readFileSync(conflist, "utf8")));
    });
  });

  describe("patchbay uninstall", () => {
    const idle = { listAttachments: async () => [] };
    const busy = { listAttachments: async () => [fakeAttachment()] };

    it("removes conflist and shim; the state stays", async () => {
      await install();
      mkdirSync(join(folder, "root/var/lib/patchbay"), { recursive: true });
      const result = await uninstall(idle, "--json");
      assert.deepEqual(JSON.parse(result.stdout), { removed: [conflist, shim] });
      assert.deepEqual(
        [shim, conflist].filter((file) => existsSync(file)),
        [],
      );
      assert.ok(existsSync(join(folder, "root/var/lib/patchbay")));
    });

    it("is no error the second time", async () => {
      assert.equal((await uninstall(idle)).stdout, "Nothing to remove\n");
    });

    it("refuses while attachments exist, unless forced", async () => {
      await install();
      const result = await uninstall(busy);
      assert.match(result.stderr, /^patchbay: Cannot uninstall: 1 attachment left:/);
      assert.equal(result.exitCode, 1);
      assert.ok(existsSync(conflist));
      assert.equal((await uninstall(busy, "--force")).exitCode, 0);
      assert.equal(existsSync(conflist), false);
    });

    it("refuses when only a host could tell, and none runs", async () => {
      await install();
      mkdirSync(join(folder, "root/var/lib/patchbay"), { recursive: true });
      writeFileSync(join(folder, "root/var/lib/patchbay/state.db"), "");
      const result = await uninstall(undefined);
      assert.match(result.stderr, /Cannot tell whether attachments exist/);
      assert.equal(result.exitCode, 3);
      assert.ok(existsSync(conflist));
    });

    it("purges the state when the host has stopped", async () => {
      mkdirSync(join(folder, "root/var/lib/patchbay"), { recursive: true });
      assert.match(
        (await uninstall(idle, "--purge")).stderr,
        /the plugin host is running: stop it first/,
      );
      assert.equal((await uninstall(undefined, "--purge", "--force")).exitCode, 0);
      assert.equal(existsSync(join(folder, "root/var/lib/patchbay")), false);
    });
  });
});
