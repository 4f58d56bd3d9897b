import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FrontendView__Output } from "../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { ServiceChange__Output } from "../rpc/generated/patchbay/host/v1/ServiceChange.ts";
import { runCli } from "./fake-context.ts";
import { drop, fakeFrontend, fakeService, forward, reject } from "./fake-services.ts";
import { describeDifference } from "./services-watch.ts";

const hostDown =
  "patchbay: Plugin host is not running below /: start it with `npx patchbay host`\n";

function hostThatSends(changes: readonly ServiceChange__Output[]) {
  return {
    watchServices: async function* () {
      yield* changes;
    },
  };
}

describe("patchbay services --watch", () => {
  const changes: ServiceChange__Output[] = [
    { change: "present", service: fakeService() },
    {
      change: "changed",
      service: fakeService({
        revision: 8,
        programmed: false,
        frontends: [both(forward("10.88.0.2", "10.88.0.4"))],
      }),
    },
    { change: "programmed", service: fakeService({ revision: 8 }) },
    { change: "changed", service: fakeService({ service: "default/new", programmed: false }) },
    { change: "removed", service: fakeService({ service: "default/new" }) },
    { change: "changed", service: fakeService({ service: "default/\u001b[1m" }) },
  ];

  it("prints a line for each change, and fails when the host ends", async () => {
    const result = await runCli(["services", "--watch"], { host: hostThatSends(changes) });
    assert.equal(
      result.stdout,
      `\
present     default/web  1 frontend, 2 endpoints, programmed
changed     default/web  endpoints +10.88.0.4:8080 -10.88.1.3:8080 (2 in all)
programmed  default/web  revision 8
changed     default/new  1 frontend, 2 endpoints, pending
removed     default/new
changed     default/\\u{1b}[1m  1 frontend, 2 endpoints, programmed
`,
    );
    assert.equal(result.stderr, hostDown);
    assert.equal(result.exitCode, 3);
  });

  it("prints a JSON object a line with --json", async () => {
    const host = hostThatSends(changes.slice(0, 2));
    const { stdout } = await runCli(["services", "default/", "--watch", "--json"], { host });
    const lines = stdout.trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      changes.slice(0, 2),
    );
  });
});

describe("describeDifference()", () => {
  const table: readonly [
    name: string,
    before: FrontendView__Output[],
    after: FrontendView__Output[],
    expected: string[],
  ][] = [
    ["nothing", [fakeFrontend()], [fakeFrontend()], []],
    [
      "endpoints once for all frontends that use them",
      [both(forward("10.88.0.2")), { ...both(forward("10.88.0.2")), port: 443 }],
      [both(forward("10.88.0.3")), { ...both(forward("10.88.0.3")), port: 443 }],
      ["endpoints +10.88.0.3:8080 -10.88.0.2:8080 (1 in all)"],
    ],
    [
      "a list that the Service has elsewhere at its frontend",
      [fakeFrontend({ outside: forward("10.88.0.2") })],
      [fakeFrontend({ outside: forward("10.88.1.3") })],
      ["clusterIP 10.96.0.10:80/TCP outside +10.88.1.3:8080 -10.88.0.2:8080"],
    ],
    [
      "the last endpoint",
      [both(forward("10.88.0.2"))],
      [both(reject)],
      ["endpoints -10.88.0.2:8080 (0 in all)", "clusterIP 10.96.0.10:80/TCP forward -> reject"],
    ],
    [
      "one side's verdict",
      [fakeFrontend({ outside: drop })],
      [fakeFrontend()],
      ["clusterIP 10.96.0.10:80/TCP outside drop -> forward +10.88.0.2:8080 +10.88.1.3:8080"],
    ],
    [
      "frontends",
      [fakeFrontend()],
      [fakeFrontend(), fakeFrontend({ address: "fd00::a" })],
      ["frontends +clusterIP [fd00::a]:80/TCP"],
    ],
    [
      "policies and states",
      [fakeFrontend({ refused: "no room" })],
      [fakeFrontend({ masquerade: "everyone", affinitySeconds: 60, shadowedBy: "a/b" })],
      [
        "clusterIP 10.96.0.10:80/TCP masquerade others -> everyone, affinity none -> 1 min, shadowed by a/b",
      ],
    ],
    [
      "the end of a refusal",
      [fakeFrontend({ refused: "no room" })],
      [fakeFrontend()],
      ["clusterIP 10.96.0.10:80/TCP not refused any more"],
    ],
    [
      "weights",
      [both(forward("10.88.0.2"))],
      [both(withWeight(3))],
      ["endpoints 10.88.0.2:8080 weight 3 (1 in all)"],
    ],
    [
      "eight names and a count of the rest",
      [both(reject)],
      [
        both(
          forward(
            ...Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`),
          ),
        ),
      ],
      [
        "endpoints +10.1.0.0:8080 +10.1.0.1:8080 +10.1.0.2:8080 +10.1.0.3:8080 +10.1.0.4:8080 " +
          "+10.1.0.5:8080 +10.1.0.6:8080 +10.1.0.7:8080 and 992 more (1000 in all)",
        "clusterIP 10.96.0.10:80/TCP reject -> forward",
      ],
    ],
  ];
  for (const [name, before, after, expected] of table) {
    it(`says ${name}`, () => {
      const differences = describeDifference(
        fakeService({ frontends: before }),
        fakeService({ frontends: after }),
      );
      assert.deepEqual(differences, expected);
    });
  }
});

function both(route: NonNullable<FrontendView__Output["inside"]>): FrontendView__Output {
  return fakeFrontend({ inside: route, outside: route });
}

function withWeight(weight: number): ReturnType<typeof forward> {
  const route = forward("10.88.0.2");
  return { ...route, endpoints: route.endpoints.map((endpoint) => ({ ...endpoint, weight })) };
}
