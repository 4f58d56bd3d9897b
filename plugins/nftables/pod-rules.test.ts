import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress } from "../../src/ip/address.ts";
import type { Match, Rule, RuleVerdict, TableRules } from "../../src/kernel/nf-rules.ts";
import type { FrontendKey } from "../../src/services/model.ts";
import type { NamespacePlan } from "../../src/services/namespace-plane.ts";
import type { NetworkRoute, PlannedFrontend } from "../../src/services/plan-types.ts";
import { text } from "../../src/services/sample-objects.ts";
import { dependsOnClient, ENDPOINTS_MAX, podRules } from "./pod-rules.ts";

describe("podRules()", () => {
  it("of nothing takes both tables away", () => {
    assert.deepEqual(
      podRules(planOf()).map(({ family, table, chains }) => [family, table, chains]),
      [
        ["ip", "patchbay-services", []],
        ["ip6", "patchbay-services", []],
      ],
    );
  });

  it("leads to endpoints, refuses other ports, and masquerades what leaves by the network", () => {
    const plan = planOf(frontend({ endpoints: ["10.20.0.5", "10.20.0.6", "10.20.0.7"] }));
    assert.deepEqual(print(podRules(plan)), [
      "ip refuse: protocol 6 > tcp-reset",
      "ip refuse: > port-unreachable",
      "ip service-0: protocol 6, draw 1/3 > dnat 10.20.0.5 8080 # default/web:http",
      "ip service-0: protocol 6, draw 1/2 > dnat 10.20.0.6 8080",
      "ip service-0: protocol 6 > dnat 10.20.0.7 8080",
      "ip output -100: protocol 6, to 10.96.0.10, port 80 > goto service-0",
      "ip output -100: to 10.96.0.10 > goto refuse",
      "ip postrouting 100: by net1, translated, was to 10.96.0.10 > masquerade",
    ]);
  });

  it("gives weights their share", () => {
    const plan = planOf(frontend({ endpoints: ["10.20.0.5", "10.20.0.6"], weight: 3 }));
    const rules = print(podRules(plan)).filter((line) => line.includes("dnat"));
    assert.deepEqual(rules, [
      "ip service-0: protocol 6, draw 3/6 > dnat 10.20.0.5 8080 # default/web:http",
      "ip service-0: protocol 6 > dnat 10.20.0.6 8080",
    ]);
  });

  it("keeps the families apart, and one address of several ports together", () => {
    const six = frontend({ address: "fd96::10", endpoints: ["fd20::5"] });
    const plan = planOf(frontend({}), { ...frontend({}), port: 81 }, six);
    const lines = print(podRules(plan));
    assert.equal(lines.filter((line) => line.endsWith("> masquerade")).length, 2);
    assert.equal(lines.filter((line) => line.startsWith("ip output")).length, 3);
    assert.ok(lines.includes("ip6 service-0: protocol 6 > dnat fd20::5 8080 # default/web:http"));
  });

  it("refuses and drops where there is no endpoint", () => {
    const verdictOf = (kind: "reject" | "drop") =>
      print(podRules(planOf(frontend({ route: { kind } })))).find((line) =>
        /service-0:/.test(line),
      );
    assert.equal(verdictOf("reject"), "ip service-0: > goto refuse # default/web:http");
    assert.equal(verdictOf("drop"), "ip service-0: > drop # default/web:http");
  });

  it("always leads the same client to the same endpoint where that is asked for", () => {
    const endpoints = Array.from({ length: 20 }, (_, index) => `10.20.0.${index + 1}`);
    const targetOf = (client: string, among: readonly string[]): string => {
      const plan = planOf(frontend({ endpoints: among, pick: "same" }));
      return /dnat (\S+)/.exec(print(podRules({ ...plan, client })).join())?.[1] ?? "";
    };
    const chosen = new Map<string, string>();
    for (let number = 0; number < 200; number++) {
      chosen.set(`p${number}`, targetOf(`p${number}`, endpoints));
    }
    assert.ok(new Set(chosen.values()).size > 15, "clients spread");
    for (const [client, target] of chosen) {
      assert.equal(targetOf(client, endpoints), target);
      // Who had another endpoint keeps it when one goes.
      const after = targetOf(client, endpoints.slice(1));
      if (target !== "10.20.0.1") assert.equal(after, target);
    }
  });

  it("leads each client to a choice of its own where there are many endpoints", () => {
    const endpoints = Array.from({ length: 200 }, (_, index) => `10.20.0.${index + 1}`);
    const targetsOf = (client: string): readonly string[] =>
      print(podRules({ ...planOf(frontend({ endpoints })), client })).flatMap(
        (line) => /dnat (\S+)/.exec(line)?.[1] ?? [],
      );
    const all = new Set<string>();
    for (let number = 0; number < 20; number++) {
      const targets = targetsOf(`p${number}`);
      assert.equal(new Set(targets).size, ENDPOINTS_MAX);
      for (const target of targets) all.add(target);
    }
    assert.equal(all.size, endpoints.length, "all clients together reach all");
    assert.equal(dependsOnClient(frontend({ endpoints })), true);
    assert.equal(dependsOnClient(frontend({})), false);
  });

  it("bounds comments, and takes no name that is none of an interface", () => {
    const long = { ...frontend({}), service: `default/${"w".repeat(300)}` };
    const [four] = podRules(planOf(long));
    const comments = four?.chains.flatMap(({ rules }) => rules.map(({ comment }) => comment ?? ""));
    assert.ok(comments?.every((comment) => comment.length <= 127));
    for (const ifname of ["", "a-name-of-16-byte", "n\0"]) {
      const ifnames = new Map([["default/fast", [ifname]]]);
      assert.throws(() => podRules({ ...planOf(frontend({})), ifnames }), RangeError);
    }
  });
});

function print(tables: readonly TableRules[]): readonly string[] {
  return tables.flatMap(({ family, chains }) =>
    chains.flatMap(({ name, hook, rules }) =>
      rules.map(
        (rule) => `${family} ${name}${hook ? ` ${hook.priority}` : ""}: ${printRule(rule)}`,
      ),
    ),
  );
}

function printRule({ matches, verdict, comment }: Rule): string {
  const left = matches.length === 0 ? "" : `${matches.map(printMatch).join(", ")} `;
  return `${left}> ${printVerdict(verdict)}${comment ? ` # ${comment}` : ""}`;
}

function printMatch(match: Match): string {
  switch (match.kind) {
    case "protocol":
      return `protocol ${match.protocol}`;
    case "destination":
      return `to ${formatAddress(match.address)}`;
    case "destination-port":
      return `port ${match.port}`;
    case "output-interface":
      return `by ${match.name}`;
    case "translated":
      return "translated";
    case "original-destination":
      return `was to ${formatAddress(match.address)}`;
    case "draw":
      return `draw ${match.below}/${match.modulus}`;
  }
}

function printVerdict(verdict: RuleVerdict): string {
  if (verdict.kind === "goto") return `goto ${verdict.chain}`;
  if (verdict.kind !== "dnat") return verdict.kind;
  return `dnat ${formatAddress(verdict.address)} ${verdict.port}`;
}

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
