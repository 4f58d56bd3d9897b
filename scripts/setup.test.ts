import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

/** What stands for the machine's programs: each writes down its call, and leaves what the real one would. */
const programs = {
  npm: `mkdir -p node_modules/node/bin
    cp package-lock.json node_modules/.package-lock.json
    printf '#!/bin/sh\\necho v26.10.0\\n' > node_modules/node/bin/node
    chmod 755 node_modules/node/bin/node`,
  rustc: `echo "release: \${FAKE_RUST:-1.90.0}"; echo "host: x86_64-unknown-linux-gnu"`,
  cargo: `[ "$1" = build ] || exit 0
    [ -z "$FAKE_CARGO_FAILS" ] || { echo "error: it does not compile" >&2; exit 101; }
    mkdir -p target && echo built > target/patchbay
    echo '{"reason":"compiler-artifact","target":{"name":"patchbay"},"executable":"'$PWD'/target/patchbay"}'`,
};

describe("setup.js", () => {
  let checkout = "";
  let env: NodeJS.ProcessEnv = {};

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), "patchbay-setup-"));
    cpSync(import.meta.dirname, join(checkout, "scripts"), { recursive: true });
    writeIn("package.json", '{"type":"module","devDependencies":{"node":"26.10.0"}}');
    writeIn("package-lock.json", '{"packages":{"":{},"node_modules/a":{"version":"1.0.0"}}}');
    writeIn("src/cni-shim/Cargo.toml", '[package]\nrust-version = "1.85"\n');
    writeIn("src/cni-shim/src/main.rs", "fn main() {}\n");
    for (const [name, script] of Object.entries(programs)) {
      // Calls that only ask are not written down.
      const call = `case "$1" in -vV|--version) ;; *) echo "${name} $1" >> "${checkout}/calls";; esac`;
      writeIn(`machine/${name}`, `#!/bin/sh\n${call}\n${script}\n`);
      chmodSync(join(checkout, "machine", name), 0o755);
    }
    env = {
      ...process.env,
      HOME: checkout,
      PATH: `${checkout}/machine:/usr/sbin:/usr/bin:/sbin:/bin`,
    };
  });
  afterEach(() => rmSync(checkout, { recursive: true, force: true }));

  function writeIn(name: string, text: string): void {
    mkdirSync(dirname(join(checkout, name)), { recursive: true });
    writeFileSync(join(checkout, name), text);
  }

  const setUp = (...args: string[]) =>
    spawnSync(process.execPath, [join(checkout, "scripts/setup.js"), ...args], {
      env,
      encoding: "utf8",
    });

  /** Programs called since the last time. */
  function calls(): string[] {
    const file = join(checkout, "calls");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    rmSync(file, { force: true });
    return lines;
  }

  it("says what it does, and does and says nothing the second time", () => {
    const first = setUp();
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /npm ci[^]*cargo build --release[^]*Ready after/);
    assert.deepEqual(calls(), ["npm ci", "cargo build"]);
    assert.equal(readFileSync(join(checkout, "build/cni/patchbay"), "utf8"), "built\n");
    const second = setUp();
    assert.equal(second.stdout + second.stderr, "");
    assert.equal(second.status, 0);
    assert.deepEqual(calls(), []);
  });

  it("does only what a change needs", () => {
    setUp();
    calls();
    appendFileSync(join(checkout, "src/cni-shim/src/main.rs"), "// changed\n");
    assert.equal(setUp().status, 0);
    assert.deepEqual(calls(), ["cargo build"]);
    writeIn("package-lock.json", '{"packages":{"":{},"node_modules/a":{"version":"1.0.1"}}}');
    assert.equal(setUp().status, 0);
    assert.ok(calls().includes("npm ci"));
    rmSync(join(checkout, "build/cni/patchbay"));
    assert.equal(setUp().status, 0);
    assert.deepEqual(calls(), ["cargo build"]);
  });

  it("takes node_modules as it is when it matches the lock", () => {
    spawnSync("sh", ["-c", programs.npm], { cwd: checkout });
    assert.equal(setUp().status, 0);
    assert.deepEqual(calls(), ["cargo build"]);
  });

  it("changes nothing with --check, and exits 1 when something is missing", () => {
    const before = setUp("--check");
    assert.equal(before.status, 1);
    assert.match(
      before.stdout,
      /node_modules is not as package-lock\.json says[^]*shim is not built/,
    );
    assert.deepEqual(calls(), []);
    setUp("--quiet");
    assert.equal(setUp("--check").status, 0);
  });

  it("says nothing with --quiet", () => {
    assert.equal(setUp("--quiet").stdout, "");
    assert.ok(existsSync(join(checkout, "build/cni/patchbay")));
  });

  it("names the command that failed, what it said, and what to do", () => {
    env = { ...env, FAKE_CARGO_FAILS: "1" };
    const result = setUp();
    assert.equal(result.status, 1);
    assert.match(
      result.stderr,
      /^setup: cargo build .*exit code 101\nerror: it does not compile\n\nWhat to do: /s,
    );
    env = { ...env, FAKE_CARGO_FAILS: "" };
    assert.equal(setUp().status, 0);
  });

  it("builds an example once, and again when its sources change", () => {
    writeIn("machine/go", '#!/bin/sh\necho "go version go1.26.0 linux/amd64"\n');
    chmodSync(join(checkout, "machine/go"), 0o755);
    const script = `mkdir -p "$1" && echo "example go" >> "${checkout}/calls"`;
    writeIn("examples/go/build.sh", script);
    const first = setUp();
    assert.match(first.stdout, /Building examples\/go\n[^]*Built examples\/go/);
    assert.deepEqual(calls(), ["npm ci", "cargo build", "example go"]);
    assert.equal(setUp().stdout, "");
    writeIn("examples/go/plugin.go", "package main\n");
    assert.match(setUp("--check").stdout, /Examples are not built: go/);
    setUp();
    assert.ok(calls().includes("example go"));
    assert.equal(setUp("--check").status, 0);
  });

  it("goes on without an example that cannot be built, says so aloud, and tries again", () => {
    writeIn("machine/go", '#!/bin/sh\necho "go version go1.26.0 linux/amd64"\n');
    chmodSync(join(checkout, "machine/go"), 0o755);
    writeIn("examples/go/build.sh", "echo no network >&2; exit 1");
    const failed = setUp();
    assert.equal(failed.status, 0, failed.stderr);
    assert.match(failed.stdout, /GOING ON WITHOUT examples\/go[^]*no network[^]*What to do: /);
    const stamp = readFileSync(join(checkout, "build/examples/go.json"), "utf8");
    assert.match((JSON.parse(stamp) as { reason: string }).reason, /build\.sh .*exit code 1/);
    writeIn("examples/go/build.sh", 'mkdir -p "$1"');
    setUp();
    assert.match(readFileSync(join(checkout, "build/examples/go.json"), "utf8"), /"reason":""/);
  });

  it("says which Node is there when it is not the pinned one", () => {
    writeIn("package.json", '{"type":"module","devDependencies":{"node":"26.11.0"}}');
    const result = setUp();
    assert.equal(result.status, 1);
    assert.match(result.stderr, /is v26\.10\.0, not v26\.11\.0: remove node_modules/);
  });

  it("refuses unknown arguments", () => {
    assert.equal(setUp("--bogus").status, 2);
    assert.equal(setUp("--help").status, 0);
  });

  it("does the work once when several run at the same time", async () => {
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, [join(checkout, "scripts/setup.js")], { env, stdio: "ignore" }),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
    assert.deepEqual(codes, [0, 0, 0]);
    assert.deepEqual(calls(), ["npm ci", "cargo build"]);
  });
});
