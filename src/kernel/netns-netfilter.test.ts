import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { parseAddress } from "../ip/address.ts";
import type { NetnsPath } from "./kernel.ts";
import { type NetnsNetfilter, type NetnsPlace, openNetnsNetfilter } from "./netns-netfilter.ts";
import { encodeTables } from "./nf-rule-messages.ts";
import type { ChainRules, Rule, TableRules } from "./nf-rules.ts";
import { enterOwnNetns } from "./nf-test-node.ts";
import { privateNodeSkip } from "./private-node-skip.ts";

if (privateNodeSkip === false) enterOwnNetns();

const table = { family: "ip", table: "inside-test" } as const;
const dropping: Rule = { matches: [{ kind: "protocol", protocol: 6 }], verdict: { kind: "drop" } };
const rules: TableRules = {
  ...table,
  comment: "for a test",
  chains: [{ name: "c", hook: { type: "nat", hook: "output", priority: -100 }, rules: [dropping] }],
};

describe("openNetnsNetfilter()", { skip: privateNodeSkip }, () => {
  const name = `inside-${process.pid}`;
  let netfilter: NetnsNetfilter;
  let place: NetnsPlace;
  const replace = (netns: NetnsPlace, tables: readonly TableRules[]) =>
    netfilter.replaceTables(netns, encodeTables(tables));

  before(async () => {
    execFileSync("ip", ["netns", "add", name]);
    const path = `/run/netns/${name}` as NetnsPath;
    const { dev, ino } = statSync(path, { bigint: true });
    place = { path, identity: `${dev}:${ino}` };
    netfilter = await openNetnsNetfilter();
  });
  after(async () => {
    await netfilter.close();
    execFileSync("ip", ["netns", "delete", name]);
  });

  it("replaceTables() writes there and nowhere else, what nft reads as it is meant", async () => {
    for (const [family, own] of Object.entries({
      ip: [4, "10.96.0.10", "10.20.0.5"],
      ip6: [6, "fd96::10", "fd20::5"],
    })) {
      const [, service, endpoint] = own.map(String);
      const address = parseAddress(service ?? "");
      const chains: ChainRules[] = [
        {
          name: "service",
          rules: [
            {
              matches: [
                { kind: "protocol", protocol: 17 },
                { kind: "draw", modulus: 4, below: 3 },
              ],
              verdict: { kind: "dnat", address: parseAddress(endpoint ?? ""), port: 8080 },
              comment: "default/web:dns",
            },
            { matches: [{ kind: "protocol", protocol: 6 }], verdict: { kind: "tcp-reset" } },
            { matches: [], verdict: { kind: "port-unreachable" } },
          ],
        },
        {
          name: "output",
          hook: { type: "nat", hook: "output", priority: -100 },
          rules: [
            {
              matches: [
                { kind: "protocol", protocol: 17 },
                { kind: "destination", address },
                { kind: "destination-port", port: 53 },
              ],
              verdict: { kind: "goto", chain: "service" },
            },
            { matches: [{ kind: "destination", address }], verdict: { kind: "drop" } },
          ],
        },
        {
          name: "postrouting",
          hook: { type: "nat", hook: "postrouting", priority: 100 },
          rules: [
            {
              matches: [
                { kind: "output-interface", name: "net1" },
                { kind: "translated" },
                { kind: "original-destination", address },
              ],
              verdict: { kind: "masquerade" },
            },
          ],
        },
      ];
      const place4 = { family: family as "ip" | "ip6", table: "inside-test" };
      await replace(place, [{ ...place4, comment: "for a test", chains }]);
      const host = family === "ip" ? endpoint : `[${endpoint}]`;
      assert.equal(
        nft(["netns", "exec", name, "nft", "list", "table", family, "inside-test"]),
        `table ${family} inside-test {
\tcomment "for a test"
\tchain service {
\t\tmeta l4proto udp numgen random mod 4 < 3 dnat to ${host}:8080 comment "default/web:dns"
\t\treject with tcp reset
\t\treject
\t}

\tchain output {
\t\ttype nat hook output priority -100; policy accept;
\t\t${family} daddr ${service} udp dport 53 goto service
\t\t${family} daddr ${service} drop
\t}

\tchain postrouting {
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\toifname "net1" ct status dnat ct original ${family} daddr ${service} masquerade
\t}
}
`,
      );
      assert.equal(execFileSync("nft", ["list", "tables"], { encoding: "utf8" }), "");
      // Again and again: what there was goes in the same transaction.
      await replace(place, [{ ...place4, comment: "again", chains }]);
      await replace(place, [{ ...place4, comment: "", chains: [] }]);
      assert.equal(nft(["netns", "exec", name, "nft", "list", "ruleset"]), "");
      await replace(place, [{ ...place4, comment: "", chains: [] }]);
    }
  });

  it("ruleDigest() is another one when a rule is, and when the table is gone", async () => {
    const whole = await replace(place, [rules]);
    assert.equal(await netfilter.ruleDigest(place, [table]), whole);
    assert.equal(await replace(place, [rules]), whole);
    nft(["netns", "exec", name, "nft", "add", "rule", "ip", "inside-test", "c", "drop"]);
    const more = await netfilter.ruleDigest(place, [table]);
    assert.notEqual(more, whole);
    nft(["netns", "exec", name, "nft", "flush", "ruleset"]);
    assert.equal(await netfilter.ruleDigest(place, [table]), "");
  });

  it("replaceTables() is all or nothing, and says what the kernel says", async () => {
    const whole = await replace(place, [rules]);
    const wrong: Rule = { matches: [], verdict: { kind: "goto", chain: "nowhere" } };
    const broken = { ...rules, chains: [{ name: "c", rules: [wrong] }] };
    await assert.rejects(replace(place, [broken]), {
      code: "ENOENT",
      operation: "replace-tables",
    });
    assert.equal(await netfilter.ruleDigest(place, [table]), whole);
  });

  it("replaceTables() writes thousands of rules", async () => {
    const same = Array.from({ length: 20_000 }, () => dropping);
    const many = { ...rules, chains: [{ name: "c", rules: same }] };
    const digest = await replace(place, [many]);
    assert.notEqual(digest, "");
    assert.equal(await replace(place, [{ ...rules, chains: [] }]), "");
  });

  it("a namespace that is gone, or another one by now, is ENOENT", async () => {
    const gone = { ...place, path: `${place.path}-gone` as NetnsPath };
    await assert.rejects(replace(gone, [rules]), { code: "ENOENT" });
    const other = { ...place, identity: "1:2" };
    await assert.rejects(replace(other, [rules]), { code: "ENOENT" });
    await assert.rejects(netfilter.ruleDigest(other, [table]), { code: "ENOENT" });
  });

  it("conntrack() lists and removes flows there", async () => {
    const tracking =
      "add table ip t; add chain ip t c { type filter hook output priority 0; }; add rule ip t c ct state new accept";
    nft(["netns", "exec", name, "nft", tracking]);
    const udp =
      'import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.sendto(b"x",("127.0.0.1",5300))';
    nft(["-n", name, "link", "set", "lo", "up"]);
    nft(["netns", "exec", name, "python3", "-c", udp]);
    const conntrack = netfilter.conntrack(place);
    const flows = await conntrack.flows(
      { family: 4, protocol: "UDP" },
      ({ original }) => original.destinationPort === 5300,
    );
    assert.equal(flows.length, 1);
    assert.equal(await conntrack.remove(flows), 1);
    assert.deepEqual(await conntrack.flows({ family: 4, protocol: "UDP" }), []);
  });
});

function nft(args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8" });
}
