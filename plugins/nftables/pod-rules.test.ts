import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FrontendKey } from "../../src/services/model.ts";
import type { NamespacePlan } from "../../src/services/namespace-plane.ts";
import type { NetworkRoute, PlannedFrontend } from "../../src/services/plan-types.ts";
import { text } from "../../src/services/sample-objects.ts";
import { podRules } from "./pod-rules.ts";

const clear = (ip: string): string =>
  `add table ${ip} patchbay-services\ndelete table ${ip} patchbay-services\n`;

describe("podRules()", () => {
  it("of nothing takes both tables away", () => {
    assert.equal(podRules(planOf()), `${clear("ip")}\n${clear("ip6")}`);
  });

  it("writes one table for each family that has frontends, in one transaction", () => {
    const rules = podRules(planOf(frontend({ endpoints: ["10.20.0.5", "10.20.0.6"] })));
    assert.equal(
      rules,
      `${clear("ip")}table ip patchbay-services {
comment "Services on networks; written by patchbay, do not edit: changes are undone"
chain service-0 {
meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.20.0.5 . 8080, 1 : 10.20.0.6 . 8080 } comment "default/web:http"
}
chain refuse {
meta l4proto tcp reject with tcp reset
reject
}
chain discard {
drop
}
chain output {
type nat hook output priority -100; policy accept;
ip daddr . meta l4proto . th dport vmap { 10.96.0.10 . tcp . 80 : goto service-0 }
ip daddr { 10.96.0.10 } goto refuse
}
chain postrouting {
type nat hook postrouting priority 100; policy accept;
oifname { "net1" } ct status & dnat == dnat ct original ip daddr { 10.96.0.10 } masquerade
}
}

${clear("ip6")}`,
    );
  });

  it("gives weights their share", () => {
    const rules = podRules(planOf(frontend({ endpoints: ["10.20.0.5", "10.20.0.6"], weight: 3 })));
    assert.match(rules, /mod 6 map \{ 0-2 : 10\.20\.0\.5 \. 8080, 3-5 : 10\.20\.0\.6 \. 8080 \}/);
  });

  it("names one IPv6 endpoint without a draw", () => {
    const rules = podRules(planOf(frontend({ address: "fd96::10", endpoints: ["fd20::5"] })));
    assert.match(rules, /meta l4proto tcp dnat ip6 to \[fd20::5\]:8080 comment/);
  });

  it("refuses and drops where there is no endpoint", () => {
    assert.match(
      podRules(planOf(frontend({ route: { kind: "reject" } }))),
      /\ngoto refuse comment/,
    );
    assert.match(podRules(planOf(frontend({ route: { kind: "drop" } }))), /\ngoto discard comment/);
  });

  it("always leads the same client to the same endpoint where that is asked for", () => {
    const endpoints = Array.from({ length: 20 }, (_, index) => `10.20.0.${index + 1}`);
    const same = frontend({ endpoints, pick: "same" });
    const targetOf = (client: string): string =>
      /dnat ip to (\S+)/.exec(podRules({ ...planOf(same), client }))?.[1] ?? "";
    assert.equal(targetOf("default/a"), targetOf("default/a"));
    const chosen = new Map<string, string>();
    for (let number = 0; number < 200; number++) chosen.set(`p${number}`, targetOf(`p${number}`));
    assert.ok(new Set(chosen.values()).size > 15, "clients spread");
    // Who had another endpoint keeps it when one goes.
    const fewer = frontend({ endpoints: endpoints.slice(1), pick: "same" });
    for (const [client, target] of chosen) {
      const after = /dnat ip to (\S+)/.exec(podRules({ ...planOf(fewer), client }))?.[1];
      if (target !== "10.20.0.1:8080") assert.equal(after, target);
    }
  });

  it("says nothing to nft that a name of a Service or an interface could end", () => {
    const service = 'default/web" ; flush ruleset';
    const rules = podRules(planOf({ ...frontend({}), service }));
    assert.match(rules, /comment "default\/web\?\?\?\?flush\?ruleset:http"/);
    for (const ifname of ['n"', "net*", "a b", "n;x", ""]) {
      const ifnames = new Map([["default/fast", [ifname]]]);
      assert.throws(() => podRules({ ...planOf(frontend({})), ifnames }), RangeError);
    }
  });
});

function planOf(...frontends: readonly PlannedFrontend[]): NamespacePlan {
  return { frontends, ifnames: new Map([["default/fast", ["net1"]]]), client: "default/client" };
}

function frontend({
  address = "10.96.0.10",
  endpoints = ["10.20.0.5"],
  weight = 1,
  pick = "random",
  route = {
    kind: "forward",
    endpoints: endpoints.map((each) => ({ address: text(each), port: 8080, weight })),
    pick,
  },
}: {
  readonly address?: string;
  readonly endpoints?: readonly string[];
  readonly weight?: number;
  readonly pick?: "random" | "same";
  readonly route?: NetworkRoute;
}): PlannedFrontend {
  return {
    key: `${address}|TCP|80` as FrontendKey,
    family: address.includes(":") ? 6 : 4,
    address: text(address),
    protocol: "TCP",
    port: 80,
    kind: "clusterIP",
    service: "default/web",
    portName: "http",
    inside: { kind: "reject" },
    outside: { kind: "reject" },
    masquerade: "nobody",
    countConnections: false,
    onNetwork: { network: "default/fast", route, closeTcpFlows: false },
  };
}
