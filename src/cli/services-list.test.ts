import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ListServicesRequest } from "../rpc/generated/patchbay/host/v1/ListServicesRequest.ts";
import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import { runCli } from "./fake-context.ts";
import { drop, fakeFrontend, fakeService, forward, reject } from "./fake-services.ts";

function hostWith(
  services: ServiceView__Output[],
  problems: string[] = [],
  unserved: string[] = [],
) {
  const answer = { services, problems, unserved, revision: 7, programmedRevision: 7 };
  return { listServices: async () => answer };
}

const everyShape: ServiceView__Output[] = [
  fakeService({
    frontends: [
      fakeFrontend(),
      fakeFrontend({
        ...{ address: "fd00:10:96::a", inside: reject, outside: reject },
        affinitySeconds: 10_800,
      }),
      fakeFrontend({
        ...{ kind: "nodePort", address: "192.0.2.1", port: 30_080, masquerade: "nobody" },
        outside: drop,
      }),
      fakeFrontend({
        ...{ kind: "loadBalancer", address: "198.51.100.7", masquerade: "nobody" },
        outside: forward("10.88.0.2"),
      }),
    ],
  }),
  fakeService({ service: "default/new", frontends: [fakeFrontend()], programmed: false }),
  fakeService({
    service: "kube-system/kube-dns",
    frontends: [
      fakeFrontend({ protocol: "UDP", port: 53, refused: "the kernel said ENOSPC" }),
      fakeFrontend({ kind: "externalIP", address: "203.0.113.9", shadowedBy: "default/web" }),
    ],
  }),
  fakeService({ service: "shop/empty", frontends: [] }),
];

describe("patchbay services", () => {
  it("shows a row for each frontend", async () => {
    const result = await runCli(["services"], { host: hostWith(everyShape) });
    assert.equal(
      result.stdout,
      `\
SERVICE               KIND          ADDRESS:PORT/PROTO      ENDPOINTS               MASQUERADE  AFFINITY  STATE
default/web           clusterIP     10.96.0.10:80/TCP       2                       others      -         programmed
default/web           clusterIP     [fd00:10:96::a]:80/TCP  reject                  others      3 h       programmed
default/web           nodePort      192.0.2.1:30080/TCP     2 inside, drop outside  nobody      -         programmed
default/web           loadBalancer  198.51.100.7:80/TCP     2 inside, 1 outside     nobody      -         programmed
default/new           clusterIP     10.96.0.10:80/TCP       2                       others      -         pending
kube-system/kube-dns  clusterIP     10.96.0.10:53/UDP       2                       others      -         refused: the kernel said ENOSPC
kube-system/kube-dns  externalIP    203.0.113.9:80/TCP      2                       others      -         shadowed by default/web
shop/empty            -             -                       -                       -           -         no frontend
`,
    );
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 0);
  });

  it("fits 100 columns with usual names, v4 and v6", async () => {
    const frontends = [fakeFrontend(), fakeFrontend({ address: "fd00:10:96::a" })];
    const { stdout } = await runCli(["services"], { host: hostWith([fakeService({ frontends })]) });
    for (const line of stdout.split("\n")) assert.ok(line.length <= 100, line);
  });

  it("shows both counts where inside and outside have other endpoints, as many", async () => {
    const frontends = [
      fakeFrontend({ inside: forward("10.88.0.2"), outside: forward("10.88.0.3") }),
    ];
    const { stdout } = await runCli(["services"], { host: hostWith([fakeService({ frontends })]) });
    assert.match(stdout, / 1 inside, 1 outside /);
  });

  it("shows connections where some are counted, none yet or many", async () => {
    const frontends = [
      fakeFrontend({ connections: 12_345, countsConnections: true }),
      fakeFrontend({ countsConnections: true }),
      fakeFrontend({ port: 443 }),
    ];
    const { stdout } = await runCli(["services"], { host: hostWith([fakeService({ frontends })]) });
    assert.match(
      stdout,
      /CONNECTIONS {2}STATE\n.* 12345 {2}programmed\n.* 0 {2}programmed\n.* - {2}programmed\n$/,
    );
  });

  it("prints titles only when there are none", async () => {
    const result = await runCli(["services"], { host: hostWith([]) });
    assert.equal(
      result.stdout,
      "SERVICE  KIND  ADDRESS:PORT/PROTO  ENDPOINTS  MASQUERADE  AFFINITY  STATE\n",
    );
    assert.equal(result.exitCode, 0);
  });

  it("prints problems on standard error, made harmless", async () => {
    const problem = "web.yaml:12: spec.ports[0].port is 0\u001b[1m";
    const result = await runCli(["services"], { host: hostWith([], [problem]) });
    assert.equal(result.stderr, "problem: web.yaml:12: spec.ports[0].port is 0\\u{1b}[1m\n");
    assert.equal(result.exitCode, 0);
  });

  it("asks for the Service named and fails when there is none, with and without --json", async () => {
    for (const flags of [[], ["--json"]]) {
      const requests: ListServicesRequest[] = [];
      const host = {
        listServices: async (request: ListServicesRequest) => {
          requests.push(request);
          return {
            services: [],
            problems: ["web.yaml:1: no kind"],
            unserved: [],
            revision: 0,
            programmedRevision: 0,
          };
        },
      };
      const result = await runCli(["services", "default/w", ...flags], { host });
      assert.deepEqual(requests, [{ service: "default/w" }]);
      assert.equal(result.stdout, "");
      assert.equal(
        result.stderr,
        "problem: web.yaml:1: no kind\n" +
          "patchbay: No Service is or begins with default/w: see `patchbay services` for those there are\n",
      );
      assert.equal(result.exitCode, 1);
    }
  });

  it("says of a Service that has nothing to program why", async () => {
    const host = hostWith([], [], ["default/db: it is headless"]);
    const result = await runCli(["services", "default/db"], { host });
    assert.equal(result.stdout, "Nothing to program of default/db: it is headless\n");
    assert.deepEqual([result.stderr, result.exitCode], ["", 0]);
    const map = await runCli(["services", "map", "default/db"], { host });
    assert.equal(map.stderr, "patchbay: Nothing to draw of default/db: it is headless\n");
    assert.equal(map.exitCode, 1);
  });

  it("says that names have a namespace where one has none", async () => {
    const result = await runCli(["services", "web"], { host: hostWith([]) });
    assert.equal(
      result.stderr,
      "patchbay: No Service is or begins with web: names are NAMESPACE/NAME, for example default/web\n",
    );
  });

  it("prints the message of host.v1 as JSON, problems in it", async () => {
    const result = await runCli(["services", "--json"], { host: hostWith(everyShape, ["p"]) });
    assert.deepEqual(JSON.parse(result.stdout), {
      ...{ services: everyShape, problems: ["p"], unserved: [] },
      ...{ revision: 7, programmedRevision: 7 },
    });
    assert.equal(result.stderr, "");
  });

  it("says what the host lacks when it is an older one", async () => {
    const result = await runCli(["services"], { host: {} });
    assert.equal(
      result.stderr,
      "patchbay: Cannot list the Services: the fake has no such answer\n",
    );
    assert.equal(result.exitCode, 1);
  });
});

describe("patchbay services without a host", () => {
  const lines = [
    "services",
    "services --watch",
    "services explain --from node --to 10.96.0.10:80",
    "services wait",
    "services map",
  ];
  for (const line of lines) {
    it(`exits 3 for: patchbay ${line}`, async () => {
      const result = await runCli([...line.split(" "), "--root", "/r"]);
      assert.equal(
        result.stderr,
        "patchbay: Plugin host is not running below /r: start it with `npx patchbay host --root /r`\n",
      );
      assert.equal(result.exitCode, 3);
      assert.equal(result.stdout, "");
    });
  }
});

describe("usage of patchbay services", () => {
  const wrong: readonly [args: string[], message: RegExp][] = [
    [["explain"], /required option '--from <source>'/],
    [["explain", "--from", "node"], /required option '--to <ip:port\/proto>'/],
    [["wait", "--timeout", "61"], /It must be seconds, up to 60/],
    [["wait", "--timeout", "0"], /It must be seconds, up to 60/],
    [["wait", "--revision", "-1"], /It must be a number/],
    [["apply"], /required option '-f, --file <file>'/],
    [["map", "--outp", "f"], /unknown option '--outp' \(Did you mean .*--out/],
    [["map", "--json"], /`services map` takes no --json/],
    [["map", "--watch"], /`services map` takes no --watch/],
    [["wait", "--watch"], /`services wait` takes no --watch/],
  ];
  for (const [args, message] of wrong) {
    it(`exits 2 for: patchbay services ${args.join(" ")}`, async () => {
      const result = await runCli(["services", ...args]);
      assert.match(result.stderr, message);
      assert.match(result.stderr, /^[^\n]+\n$/);
      assert.equal(result.stdout, "");
      assert.equal(result.exitCode, 2);
    });
  }

  it("has examples in every help", async () => {
    for (const name of ["", "explain", "wait", "apply", "map"]) {
      const result = await runCli(["services", ...(name === "" ? [] : [name]), "--help"]);
      assert.match(result.stdout, /Examples:\n {2}\$ /, name);
      assert.equal(result.exitCode, 0);
      assert.equal(/^ +--watch/m.test(result.stdout), name === "");
      for (const line of result.stdout.split("\n")) assert.ok(line.length <= 112, line);
    }
  });
});
