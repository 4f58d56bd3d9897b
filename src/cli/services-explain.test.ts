import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExplainRequest } from "../rpc/generated/patchbay/host/v1/ExplainRequest.ts";
import type { ExplainResponse__Output } from "../rpc/generated/patchbay/host/v1/ExplainResponse.ts";
import { runCli } from "./fake-context.ts";
import { fakeEndpoint } from "./fake-services.ts";
import { parseDestination, parseSource } from "./services-destination.ts";

const forwarded: ExplainResponse__Output = {
  verdict: "forward",
  endpoints: [
    fakeEndpoint({ pod: "default/web-1", zone: "a" }),
    fakeEndpoint({ address: "10.88.1.3", weight: 3 }),
    fakeEndpoint({ address: "10.88.2.9", node: "" }),
  ],
  masquerade: false,
  masqueradeReason: "pods keep their address on the way to a cluster IP",
  service: "default/web:http",
  frontendKind: "clusterIP",
  sourceKind: "pod",
  sourceReason: "10.88.0.9 is attached by this host",
  rule: "cluster-ip",
  ruleText: "Packets to a cluster IP go to any ready endpoint.",
  unused: ["10.88.1.4:8080: not ready", "10.88.1.5:8080: terminating"],
  kernelDifferences: [],
  kernelChecked: true,
  affinitySeconds: 0,
  pick: "random",
  shadowed: [],
};

const explain = (answer: Partial<ExplainResponse__Output>, ...args: string[]) =>
  runCli(["services", "explain", ...args], {
    host: { explain: async () => ({ ...forwarded, ...answer }) },
  });
const fromPod = ["--from", "default/client", "--to", "10.96.0.10:80"];

describe("patchbay services explain", () => {
  it("says the verdict first, then everything that led to it", async () => {
    const result = await explain({}, ...fromPod);
    assert.equal(
      result.stdout,
      `\
Packets from default/client to 10.96.0.10:80/TCP go to one of 3 endpoints, which sees the address of the source.

Service     default/web:http (clusterIP)
Source      pod: 10.88.0.9 is attached by this host
Endpoints   10.88.0.2:8080  pod default/web-1, node node-a (this one), zone a
            10.88.1.3:8080  node node-b, weight 3
            10.88.2.9:8080
Masquerade  no: pods keep their address on the way to a cluster IP
Rule        cluster-ip: Packets to a cluster IP go to any ready endpoint.
Not used    10.88.1.4:8080: not ready
            10.88.1.5:8080: terminating
Kernel      holds the same
`,
    );
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 0);
  });

  it("says how an endpoint is picked where not each time at random, and whom the frontend shadows", async () => {
    const [hashed, stays, both] = await Promise.all(
      [
        { pick: "consistent-hash", shadowed: ["default/b", "default/c"] },
        { affinitySeconds: 10_800 },
        { pick: "consistent-hash", affinitySeconds: 60 },
      ].map((answer) => explain(answer, ...fromPod)),
    );
    assert.match(hashed?.stdout ?? "", /^Pick {8}consistent hash of the client's address$/m);
    assert.match(hashed?.stdout ?? "", /^Shadowed {4}default\/b, default\/c, with the same /m);
    assert.match(
      stays?.stdout ?? "",
      /^Pick {8}at random; a client stays with its endpoint for 3 h$/m,
    );
    assert.match(both?.stdout ?? "", /^Pick {8}consistent hash .*; a client stays .* for 1 min$/m);
  });

  it("exits 4 with every difference when the kernel differs", async () => {
    const kernelDifferences = ["10.88.1.3:8080 is missing", "the list has 2 slots, not 3"];
    const result = await explain({ kernelDifferences, unused: [] }, ...fromPod);
    assert.match(
      result.stdout,
      /\nKernel {6}holds something else:\n {12}10\.88\.1\.3:8080 is missing\n {12}the list has 2 slots, not 3\n$/,
    );
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 4);
    const json = await explain({ kernelDifferences }, ...fromPod, "--json");
    assert.deepEqual(JSON.parse(json.stdout).kernelDifferences, kernelDifferences);
    assert.equal(json.exitCode, 4);
  });

  it("says when the kernel was not asked, and why", async () => {
    const result = await explain({ kernelChecked: false }, ...fromPod);
    assert.match(result.stdout, /\nKernel {6}not checked\n$/);
    assert.equal(result.exitCode, 0);
    const kernelDifferences = ["The kernel cannot be read: EPERM"];
    const failed = await explain({ kernelChecked: false, kernelDifferences }, ...fromPod);
    assert.match(
      failed.stdout,
      /\nKernel {6}not checked\n {12}The kernel cannot be read: EPERM\n$/,
    );
    assert.equal(failed.exitCode, 0);
  });

  const nothing = { endpoints: [], unused: [], service: "", frontendKind: "" };
  const verdicts: readonly [Partial<ExplainResponse__Output>, to: string, sentence: string][] = [
    [
      { endpoints: [fakeEndpoint()], masquerade: true },
      "10.96.0.10:80",
      "Packets from this node to 10.96.0.10:80/TCP go to 10.88.0.2:8080, which sees the node's address.",
    ],
    [
      { verdict: "reject", endpoints: [] },
      "10.96.0.10:80/tcp",
      "Packets from this node to 10.96.0.10:80/TCP are refused with a TCP reset.",
    ],
    [
      { verdict: "reject", endpoints: [] },
      "[fd00:96::A]:53/udp",
      "Packets from this node to [fd00:96::a]:53/UDP are refused with ICMP port unreachable.",
    ],
    [
      { verdict: "drop", endpoints: [] },
      "10.96.0.10:132/sctp",
      "Packets from this node to 10.96.0.10:132/SCTP are dropped without an answer.",
    ],
    [
      { verdict: "no-service", ...nothing },
      "192.0.2.1:443",
      "Packets from this node to 192.0.2.1:443/TCP go on as they are: no Service is there.",
    ],
  ];
  for (const [answer, to, sentence] of verdicts) {
    it(`begins with: ${sentence}`, async () => {
      const { stdout } = await explain(answer, "--from", "node", "--to", to);
      assert.equal(stdout.split("\n")[0], sentence);
      assert.equal(stdout.includes("Masquerade"), answer.verdict === undefined);
    });
  }

  it("leaves out what there is not", async () => {
    const { stdout } = await explain(
      { verdict: "no-service", ...nothing, rule: "no-frontend", ruleText: "" },
      ...["--from", "192.0.2.7", "--to", "192.0.2.1:443"],
    );
    assert.equal(
      stdout,
      `\
Packets from 192.0.2.7 to 192.0.2.1:443/TCP go on as they are: no Service is there.

Service     none
Source      pod: 10.88.0.9 is attached by this host
Rule        no-frontend
Kernel      holds the same
`,
    );
  });

  it("asks the host in its words, and prints its answer as JSON", async () => {
    const requests: ExplainRequest[] = [];
    const host = {
      explain: async (request: ExplainRequest) => {
        requests.push(request);
        return forwarded;
      },
    };
    const args = ["services", "explain", "--from", "FD00::7", "--to", "[FD00:96::0:A]:53/uDp"];
    const result = await runCli([...args, "--json"], { host });
    assert.deepEqual(requests, [
      { from: "fd00::7", address: "fd00:96::a", port: 53, protocol: "UDP" },
    ]);
    assert.deepEqual(JSON.parse(result.stdout), forwarded);
  });

  it("makes control characters of names harmless", async () => {
    const { stdout } = await explain({ ruleText: "\u001b[2J", unused: ["\u202e"] }, ...fromPod);
    // oxlint-disable-next-line no-control-regex -- they must not come through
    assert.doesNotMatch(stdout, /\u001b|\u202e/);
  });
});

describe("parseDestination()", () => {
  const right: readonly [text: string, expected: ReturnType<typeof parseDestination>][] = [
    ["10.96.0.10:80", { address: "10.96.0.10", port: 80, protocol: "TCP" }],
    ["10.96.0.10:65535/UDP", { address: "10.96.0.10", port: 65_535, protocol: "UDP" }],
    ["[fd00::1]:80/tcp", { address: "fd00::1", port: 80, protocol: "TCP" }],
    ["[FD00:0:0::1]:1/Sctp", { address: "fd00::1", port: 1, protocol: "SCTP" }],
  ];
  for (const [text, expected] of right) {
    it(`reads ${text}`, () => assert.deepEqual(parseDestination(text), expected));
  }

  const form =
    /It must be IP:PORT\/PROTO, for example 10\.96\.0\.10:80\/tcp or \[fd00::1\]:53\/udp/;
  const wrong: readonly [text: string, message: RegExp][] = [
    ["", form],
    ["10.96.0.10", form],
    ["web:80", form],
    ["010.0.0.1:80", form],
    ["fd00::1:80", form],
    ["[10.0.0.1]:80", form],
    ["[fe80::1%eth0]:80", form],
    ["10.0.0.1:80:90", form],
    ["10.0.0.1:", /The port must be 1 to 65535/],
    ["10.0.0.1:0", /The port must be 1 to 65535/],
    ["10.0.0.1:65536", /The port must be 1 to 65535/],
    ["10.0.0.1:8e1", /The port must be 1 to 65535/],
    ["10.0.0.1:http", /The port must be 1 to 65535/],
    ["10.0.0.1:80/", /The protocol must be tcp, udp or sctp/],
    ["10.0.0.1:80/icmp", /The protocol must be tcp, udp or sctp/],
  ];
  for (const [text, message] of wrong) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      assert.throws(() => parseDestination(text), message);
      const result = await runCli(["services", "explain", "--from", "node", "--to", text]);
      assert.match(result.stderr, message);
      assert.equal(result.exitCode, 2);
    });
  }
});

describe("parseSource()", () => {
  it("reads pods, addresses and the node", () => {
    const texts = ["default/web-1", "10.0.0.1", "FD00::0:1", "[fd00::2]", "Node"];
    assert.deepEqual(texts.map(parseSource), [
      ...["default/web-1", "10.0.0.1", "fd00::1", "fd00::2", "node"],
    ]);
  });

  it("refuses everything else", () => {
    for (const text of ["", "web-1", "a/b/c", "/b", "a/", "10.0.0.1/24", "a b/c"]) {
      assert.throws(() => parseSource(text), /It must be NAMESPACE\/POD/, text);
    }
  });
});
