import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Command } from "commander";
import type { GetStatusResponse__Output } from "../rpc/generated/patchbay/host/v1/GetStatusResponse.ts";
import type { ImportHostLocalRequest } from "../rpc/generated/patchbay/host/v1/ImportHostLocalRequest.ts";
import type { IpamLease__Output } from "../rpc/generated/patchbay/host/v1/IpamLease.ts";
import {
  FAKE_NOW_MS,
  fakeAttachment,
  fakeNetwork,
  fakePlugin,
  hostCallError,
  runCli,
} from "./fake-context.ts";
import { createProgram } from "./main.ts";
import { createOutput } from "./output.ts";
import type { WatchEventsRequest } from "../rpc/generated/patchbay/host/v1/WatchEventsRequest.ts";

const status: GetStatusResponse__Output = {
  version: "0.1.0",
  pid: 4711,
  startedMs: FAKE_NOW_MS - 3_660_000,
  ready: true,
  kubernetes: null,
  reason: "",
  running: 1,
  waiting: 2,
  networks: [fakeNetwork()],
  plugins: [fakePlugin({ name: "routed" })],
  bootId: "b",
  journalPending: 0,
  nodeName: "node1",
};

const lease: IpamLease__Output = {
  address: "10.88.0.2",
  attachmentId: "0123456789abcdef",
  containerId: "c0ffee00c0ffee00",
  ifname: "eth0",
  podUid: "u",
  sequence: 7,
  state: "held",
  coolingUntilMs: 0,
};

describe("usage", () => {
  const wrong: readonly [args: string[], message: RegExp][] = [
    [[], /Usage: patchbay/],
    [["bogus"], /unknown command 'bogus'/],
    [["statuss"], /Did you mean status/],
    [["status", "--bogus"], /unknown option '--bogus'/],
    [["status", "extra"], /too many arguments/],
    [["ipam", "release"], /missing required argument 'attachment'/],
    [["ipam", "import-host-local", "/d"], /required option '--conflist <file>'/],
    [["install", "--mtu", "67"], /It must be 68 to 65535/],
    [["install", "--mtu", "1e3"], /It must be 68 to 65535/],
    [["install", "--plugin", "macvlan"], /Allowed choices are routed, bridge/],
    [["install", "--dry-run", "--ipv4-range", "10.0.0.0/33"], /ipam\.ranges\[0\]\[0\]\.subnet/],
    [["install", "--dry-run", "--name", "a b"], /The conflist would be wrong: name/],
    [["host", "--log-level", "loud"], /Allowed choices are debug/],
    [["host", "--metrics-port", "65536"], /It must be 0 to 65535, or "off"/],
    [["host", "--kubeconfig", "k"], /--kubeconfig needs --kubernetes/],
    [["host", "--api-server", "https://192.0.2.1"], /--api-server needs --kubernetes/],
    [["host", "--kubernetes", "--manifests", "m"], /exclude each other/],
    [["host", "--kubernetes", "--api-server", "192.0.2.1:6443"], /It must be a URL/],
    [["host", "--kubernetes", "--api-server", "https:///x"], /It must be a URL/],
    [["host", "--kubernetes", "--api-server", "https://me@192.0.2.1"], /no user, query/],
    [["host", "--runtime-endpoint", "tcp://192.0.2.1:1"], /It must be a path/],
    [["host", "--runtime-endpoint", "/run/"], /It must name a socket/],
    [["install", "--kubernetes", "--ipv4-range", "none"], /--ipv4-range does not go with/],
    [["events", "--last", "many"], /It must be a number/],
  ];
  for (const [args, message] of wrong) {
    it(`exits 2 for: patchbay ${args.join(" ")}`, async () => {
      const result = await runCli(args);
      assert.match(result.stderr, message);
      assert.equal(result.exitCode, 2);
      assert.equal(result.stdout, "");
    });
  }

  it("exits 0 for --help and --version", async () => {
    for (const args of [["--help"], ["--version"], ["ipam", "import-host-local", "--help"]]) {
      const result = await runCli(args);
      assert.equal(result.exitCode, 0, args.join(" "));
      assert.notEqual(result.stdout, "");
      assert.equal(result.stderr, "");
    }
  });
});

describe("a host that cannot be reached", () => {
  const commands = ["status", "attachments", "attachments --watch", "ipam", "check", "events"];
  for (const command of [...commands, "ipam release a"]) {
    it(`exits 3 for: patchbay ${command}`, async () => {
      const result = await runCli([...command.split(" "), "--root", "/r"]);
      assert.equal(
        result.stderr,
        "patchbay: Plugin host is not running below /r: start it with `npx patchbay host --root /r`\n",
      );
      assert.equal(result.exitCode, 3);
      assert.equal(result.stdout, "");
    });
  }

  it("is said to hang when it does not answer in time", async () => {
    const deadline = hostCallError("Deadline exceeded", { unreachable: true, code: 4 });
    const result = await runCli(["status"], {
      host: { getStatus: () => Promise.reject(deadline) },
    });
    assert.match(result.stderr, /Plugin host below \/ did not answer within 10 s: see its log\n/);
    assert.equal(result.exitCode, 3);
  });

  it("is found by PATCHBAY_ROOT too", async (t) => {
    process.env["PATCHBAY_ROOT"] = "/from-environment";
    t.after(() => delete process.env["PATCHBAY_ROOT"]);
    assert.match((await runCli(["status"])).stderr, /not running below \/from-environment:/);
  });
});

describe("a refusal of the host", () => {
  it("is one line that says what failed", async () => {
    const refusal = hostCallError("its pod's\nnamespace is \u001b[1malive [IN_USE]", {
      unreachable: false,
    });
    const releaseIpam = () => Promise.reject(refusal);
    const result = await runCli(["ipam", "release", "a1"], { host: { releaseIpam } });
    assert.equal(
      result.stderr,
      "patchbay: Cannot release a1: its pod's; namespace is \\u{1b}[1malive [IN_USE]\n",
    );
    assert.equal(result.exitCode, 1);
  });
});

describe("patchbay status", () => {
  it("shows host, networks and plugins", async () => {
    const result = await runCli(["status"], { host: { getStatus: async () => status } });
    assert.equal(
      result.stdout,
      [
        "Plugin host 0.1.0, pid 4711, up 1 h 1 min: ready",
        "CNI calls: 1 running, 2 waiting",
        "",
        "NETWORK   PLUGIN  ATTACHMENTS  STATE",
        "patchbay  routed            3  ready",
        "",
        "PLUGIN  VERSION  KIND      STATE",
        "routed  0.1.0    built in  ok",
        "",
      ].join("\n"),
    );
    assert.equal(result.exitCode, 0);
  });

  it("exits 1 when a network is not ready", async () => {
    const networks = [{ ...status.networks[0]!, ready: false, reason: "no nft" }];
    const host = { getStatus: async () => ({ ...status, networks }) };
    const result = await runCli(["status"], { host });
    assert.match(result.stdout, /not ready: no nft/);
    assert.equal(result.exitCode, 1);
  });

  it("prints the message of host.v1 as JSON", async () => {
    const host = { getStatus: async () => status };
    const result = await runCli(["status", "--json"], { host });
    assert.deepEqual(JSON.parse(result.stdout), status);
  });
});

describe("patchbay attachments", () => {
  it("shows a row for each", async () => {
    const host = { listAttachments: async () => [fakeAttachment()] };
    const [titles, row] = (await runCli(["attachments"], { host })).stdout.split("\n");
    assert.match(
      titles ?? "",
      /^ATTACHMENT +POD +CONTAINER +IFNAME +NETWORK +ADDRESSES +STATE +AGE$/,
    );
    assert.match(
      row ?? "",
      /^0123456789abcdef +default\/web-1 +c0ffee00c0ff +eth0 +patchbay +10\.88\.0\.2\/32, fd00:88::2\/128 +attached +1 min 5 s$/,
    );
  });

  it("asks only for what the options name", async () => {
    const requests: unknown[] = [];
    const host = {
      listAttachments: async (request: unknown) => {
        requests.push(request);
        return [];
      },
    };
    const args = ["attachments", "--network", "n", "--pod", "a/b", "--container", "c0"];
    assert.equal(
      (await runCli([...args, "--json"], { host })).stdout,
      '{\n  "attachments": []\n}\n',
    );
    assert.deepEqual(requests, [{ network: "n", pod: "a/b", containerId: "c0" }]);
  });

  it("escapes in JSON what a terminal would act on", async () => {
    const podName = "a\u009b31m\u202e\u007f";
    const host = { listAttachments: async () => [fakeAttachment({ podName })] };
    const { stdout } = await runCli(["attachments", "--json"], { host });
    assert.doesNotMatch(stdout, /\u009b|\u202e|\u007f/);
    assert.equal(JSON.parse(stdout).attachments[0].podName, podName);
  });

  it("prints a JSON object a line for each change, and fails when the host ends", async () => {
    const host = {
      watchAttachments: async function* () {
        yield { change: "present", attachment: fakeAttachment() };
        yield { change: "removed", attachment: fakeAttachment() };
      },
    };
    const result = await runCli(["attachments", "--watch", "--json"], { host });
    const changes = result.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).change);
    assert.deepEqual(changes, ["present", "removed"]);
    assert.equal(result.exitCode, 3);
  });
});

describe("patchbay ipam", () => {
  const pool = {
    network: "patchbay",
    family: 6,
    ranges: [{ subnet: "fd00:88::/64", first: "fd00:88::2", last: "fd00:88::ff", gateway: "" }],
    capacity: "18446744073709551614",
    used: "1",
    cooling: "2",
    free: "18446744073709551611",
    leases: [lease, { ...lease, state: "cooling", coolingUntilMs: FAKE_NOW_MS + 60_000 }],
  };

  it("shows pools, and leases when asked for", async () => {
    const host = { showIpam: async () => ({ pools: [pool] }) };
    const { stdout } = await runCli(["ipam", "patchbay", "--leases"], { host });
    assert.match(stdout, /patchbay {2}IPv6 {4}fd00:88::\/64 +1 +2 +1\.84e19 +1\.84e19\n/);
    assert.match(stdout, /10\.88\.0\.2 +held +0123456789abcdef/);
    assert.match(stdout, /10\.88\.0\.2 +cooling, 1 min left/);
  });

  it("fails for a network that is not there", async () => {
    const host = { showIpam: async () => ({ pools: [] }) };
    const result = await runCli(["ipam", "nope"], { host });
    assert.match(result.stderr, /^patchbay: No network nope:/);
    assert.equal(result.exitCode, 1);
  });

  it("hands the conflist's plugin object to the host as a runtime would", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-cli-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "x.conflist");
    const plugin = { type: "patchbay", ipam: { ranges: [[{ subnet: "10.1.0.0/16" }]] } };
    writeFileSync(
      file,
      JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [{ type: "x" }, plugin] }),
    );
    const requests: ImportHostLocalRequest[] = [];
    const host = {
      importHostLocal: async (request: ImportHostLocalRequest) => {
        requests.push(request);
        return { adopted: [lease], skipped: ["10.1.0.9: outside every range"] };
      },
    };
    const args = ["ipam", "import-host-local", "rel", "--conflist", file, "--dry-run"];
    const result = await runCli(args, { host });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(
      result.stdout,
      /left alone: 10\.1\.0\.9: outside every range\n1 lease would be adopted\n$/,
    );
    const [{ configJson, ...request }] = requests as [ImportHostLocalRequest];
    assert.deepEqual(request, {
      directory: join(process.cwd(), "rel"),
      network: "n",
      dryRun: true,
    });
    assert.deepEqual(JSON.parse(configJson ?? ""), { cniVersion: "1.0.0", name: "n", ...plugin });
  });
});

describe("patchbay check", () => {
  it("exits 0 when all is as recorded", async () => {
    const host = {
      checkAttachments: async () => ({
        attachments: [{ attachment: fakeAttachment(), findings: [], repaired: [] }],
      }),
    };
    const result = await runCli(["check"], { host });
    assert.equal(result.stdout, "1 attachment checked: all as recorded\n");
    assert.equal(result.exitCode, 0);
  });

  it("exits 1 and names every difference", async () => {
    const findings = ["Route ::/0 is missing"];
    const attachments = [{ attachment: fakeAttachment(), findings, repaired: [] }];
    const host = { checkAttachments: async () => ({ attachments }) };
    const result = await runCli(["check", "0123456789abcdef"], { host });
    assert.equal(
      result.stdout,
      "0123456789abcdef (default/web-1 eth0)\n  Route ::/0 is missing\n" +
        "1 attachment checked: 0 as recorded, 1 not: try --repair, or recreate these pods\n",
    );
    assert.equal(result.exitCode, 1);
  });

  it("takes a pod as `attach` and `detach` do", async () => {
    const asked: unknown[] = [];
    const host = {
      checkAttachments: async ({ attachmentId, pod }: { attachmentId?: string; pod?: string }) => {
        asked.push([attachmentId, pod]);
        return { attachments: [] };
      },
    };
    await runCli(["check", "default/web-1"], { host });
    await runCli(["check", "--pod", "default/web-1"], { host });
    assert.deepEqual(asked, [
      ["", "default/web-1"],
      ["", "default/web-1"],
    ]);
  });
});

describe("patchbay events", () => {
  const event = { timeMs: FAKE_NOW_MS, kind: "attached", subject: "a1", message: "eth0 is up" };

  it("shows the last events and ends without --follow", async () => {
    const host = {
      watchEvents: async function* (request: WatchEventsRequest) {
        assert.deepEqual(request, { last: 50, follow: false });
        yield event;
      },
    };
    const result = await runCli(["events", "--json"], { host });
    assert.deepEqual(JSON.parse(result.stdout), event);
    assert.equal(result.exitCode, 0);
  });

  it("goes on until the host ends with --follow", async () => {
    const host = {
      watchEvents: async function* (request: WatchEventsRequest) {
        assert.equal(request.follow, true);
        yield event;
        yield event;
      },
    };
    const result = await runCli(["events", "--follow"], { host });
    assert.equal(result.stdout.match(/attached {2}a1 {2}eth0 is up\n/g)?.length, 2);
    assert.equal(result.exitCode, 3);
  });
});

describe("patchbay version", () => {
  it("works without a host", async () => {
    const { stdout, exitCode } = await runCli(["version", "--json"]);
    assert.deepEqual(Object.keys(JSON.parse(stdout)), ["version", "node", "host"]);
    assert.equal(JSON.parse(stdout).host, null);
    assert.equal(exitCode, 0);
  });
});

describe("patchbay doctor", () => {
  const args = [
    "doctor",
    "--root",
    "/nowhere",
    "--cni-bin-dir",
    "/nowhere",
    "--cni-conf-dir",
    "/nowhere",
  ];

  it("works without a host, and says so as an error", async () => {
    const result = await runCli([...args, "--json"]);
    const { findings } = JSON.parse(result.stdout) as { findings: Record<string, string>[] };
    assert.deepEqual(findings.at(-1), {
      check: "plugin-host",
      severity: "error",
      message: "Plugin host is not running below /nowhere",
      remedy: "Start it with `npx patchbay host --root /nowhere`",
    });
    for (const { severity, remedy } of findings) assert.equal(remedy === "", severity === "ok");
    assert.equal(result.exitCode, 1);
  });

  it("adds what the host found", async () => {
    const finding = { check: "drift", severity: "ok", message: "all is well", remedy: "" };
    const host = { doctor: async () => ({ findings: [finding] }) };
    const { stdout } = await runCli(args, { host });
    assert.match(stdout, /ok {7}plugin-host: The plugin host answers\nok {7}drift: all is well\n/);
  });
});

describe("docs/cli.md", () => {
  it("names every command and option", () => {
    const write = () => {};
    const context = {
      output: createOutput({ write, writeError: write, color: false }),
      connect: () => Promise.reject(new Error("unused")),
      openNode: () => assert.fail("unused"),
      now: () => 0,
      packageFolder: "/nowhere",
    };
    const page = readFileSync(join(import.meta.dirname, "../../docs/cli.md"), "utf8");
    const names = listNames(createProgram(context, () => {}));
    assert.deepEqual(
      names.filter((name) => !page.includes(`\`${name}`)),
      [],
    );
  });
});

/** "install", "--mtu", "ipam release"... */
function listNames(command: Command, prefix = ""): string[] {
  const own = command.options.map((option) => option.long ?? "");
  const below = command.commands.flatMap((child) => {
    const name = `${prefix}${child.name()}`;
    return [name, ...listNames(child, `${name} `)];
  });
  return [...new Set([...own, ...below])];
}
