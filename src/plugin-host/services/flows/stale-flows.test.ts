import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatAddress } from "../../../ip/address.ts";
import type { Flow } from "../../../kernel/conntrack.ts";
import type { Protocol } from "../../../services/model.ts";
import { makeFlow, makeFrontend } from "./fake-flows.ts";
import { staleFlows } from "./stale-flows.ts";

const VIP = "10.96.0.10|53";
const NODE_PORT = "192.168.0.2|30053";

function looked(place: string, serving: readonly string[], protocol: Protocol = "UDP") {
  return { ...makeFrontend(place, protocol), serving: new Set(serving) };
}

const CASES: readonly {
  readonly name: string;
  readonly flow: Flow;
  readonly frontend: ReturnType<typeof looked>;
  readonly isStale: boolean;
}[] = [
  {
    name: "a flow to an endpoint that serves",
    flow: makeFlow({ to: VIP, by: "10.1.0.5|5353" }),
    frontend: looked(VIP, ["10.1.0.4|5353", "10.1.0.5|5353"]),
    isStale: false,
  },
  {
    name: "a flow to an endpoint that is gone",
    flow: makeFlow({ to: VIP, by: "10.1.0.5|5353" }),
    frontend: looked(VIP, ["10.1.0.4|5353"]),
    isStale: true,
  },
  {
    name: "a flow to another port of an endpoint that serves",
    flow: makeFlow({ to: VIP, by: "10.1.0.5|5354" }),
    frontend: looked(VIP, ["10.1.0.5|5353"]),
    isStale: true,
  },
  {
    name: "a flow to the last endpoint, which is gone",
    flow: makeFlow({ to: VIP, by: "10.1.0.5|5353" }),
    frontend: looked(VIP, []),
    isStale: true,
  },
  {
    name: "a flow that nobody translated, when the first endpoint came",
    flow: makeFlow({ to: VIP }),
    frontend: looked(VIP, ["10.1.0.5|5353"]),
    isStale: true,
  },
  {
    name: "a flow that nobody translated, of a frontend that is gone",
    flow: makeFlow({ to: VIP }),
    frontend: looked(VIP, []),
    isStale: true,
  },
  {
    name: "a flow to a NodePort, on the address that the frontend is of",
    flow: makeFlow({ to: NODE_PORT, by: "10.1.0.5|5353" }),
    frontend: looked(NODE_PORT, []),
    isStale: true,
  },
  {
    name: "a flow to the same port of another address",
    flow: makeFlow({ to: "192.168.0.3|30053", by: "10.1.0.5|5353" }),
    frontend: looked(NODE_PORT, []),
    isStale: false,
  },
  {
    name: "a flow to another port of the same address",
    flow: makeFlow({ to: "10.96.0.10|54", by: "10.1.0.5|5353" }),
    frontend: looked(VIP, []),
    isStale: false,
  },
  {
    name: "a flow of another protocol",
    flow: makeFlow({ to: VIP, by: "10.1.0.5|5353", protocol: "TCP" }),
    frontend: looked(VIP, []),
    isStale: false,
  },
  {
    name: "a TCP flow of a TCP frontend",
    flow: makeFlow({ to: VIP, by: "10.1.0.5|5353", protocol: "TCP" }),
    frontend: looked(VIP, [], "TCP"),
    isStale: true,
  },
  {
    name: "a flow over IPv6 to an endpoint that serves",
    flow: makeFlow({ to: "fd96::10|53", by: "fd10::5|5353" }),
    frontend: looked("fd96::10|53", ["fd10::5|5353"]),
    isStale: false,
  },
  {
    name: "a flow over IPv6 to an endpoint that is gone",
    flow: makeFlow({ to: "fd96::10|53", by: "fd10::5|5353" }),
    frontend: looked("fd96::10|53", ["fd10::4|5353"]),
    isStale: true,
  },
  {
    name: "a flow whose client is an endpoint that is gone",
    flow: makeFlow({ client: "10.1.0.5|5353", to: "10.1.0.4|5353" }),
    frontend: looked(VIP, []),
    isStale: false,
  },
];

const place = fc
  .tuple(
    fc.constantFrom("10.96.0.10", "10.96.0.11", "10.1.0.4", "10.1.0.5"),
    fc.constantFrom(53, 5353),
  )
  .map(([address, port]) => `${address}|${port}`);
const protocol = fc.constantFrom<Protocol>("TCP", "UDP");

describe("staleFlows()", () => {
  for (const { name, flow, frontend, isStale } of CASES) {
    it(`${isStale ? "names" : "leaves"} ${name}`, () => {
      assert.deepEqual(
        staleFlows([flow], [frontend], () => frontend.serving),
        isStale ? [flow] : [],
      );
    });
  }

  it("names a flow exactly when the rule does", () => {
    const flow = fc.record({ to: place, by: place, client: place, protocol });
    // Without serving endpoints: gone.
    const serving = fc.option(fc.array(place), { nil: undefined });
    const frontend = fc.record({ place, protocol, serving });
    const frontends = fc.uniqueArray(frontend, {
      selector: (one) => `${one.place} ${one.protocol}`,
    });
    fc.assert(
      fc.property(fc.array(flow), frontends, (fields, frontends) => {
        const flows = fields.map((one) => makeFlow(one));
        const named = frontends.map((one) => makeFrontend(one.place, one.protocol));
        const known = new Map(named.map(({ key }, index) => [key, frontends[index]?.serving]));
        const found = new Set(
          staleFlows(flows, named, (key) => {
            assert.ok(known.has(key));
            const serving = known.get(key);
            return serving && new Set(serving);
          }),
        );
        for (const flow of flows) {
          const to = `${formatAddress(flow.original.destination)}|${flow.original.destinationPort}`;
          const by = `${formatAddress(flow.reply.source)}|${flow.reply.sourcePort}`;
          const rule = frontends.some(
            (one) =>
              one.place === to && one.protocol === flow.protocol && !one.serving?.includes(by),
          );
          assert.equal(found.has(flow), rule, `${to} answered by ${by}`);
        }
      }),
    );
  });
});
