import assert from "node:assert/strict";
import { test } from "node:test";
import { openNftables } from "../kernel/nftables.ts";
import { privateNodeSkip } from "../kernel/private-node-skip.ts";
import { masqueradeTableName, planMasquerade, removeMasquerade } from "./masquerade.ts";

const NAME = "patchbay_masq_6c270ef2f251";

test("masqueradeTableName() is an identifier of nft for any network", () => {
  assert.equal(masqueradeTableName("net1"), NAME);
  for (const network of ["a.b-c", "x".repeat(253)]) {
    assert.match(masqueradeTableName(network), /^patchbay_masq_[0-9a-f]{12}$/);
  }
  assert.notEqual(masqueradeTableName("a"), masqueradeTableName("b"));
});

test("planMasquerade() for both families", () => {
  const { name, ruleset } = planMasquerade("net1", ["10.1.0.0/24", "10.2.0.0/24", "fd00:1::/64"]);
  assert.equal(name, NAME);
  assert.equal(
    ruleset,
    `table inet ${NAME}
delete table inet ${NAME}
table inet ${NAME} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr { 10.1.0.0/24, 10.2.0.0/24 } ip daddr != { 10.1.0.0/24, 10.2.0.0/24, 224.0.0.0/4 } masquerade
    ip6 saddr { fd00:1::/64 } ip6 daddr != { fd00:1::/64, ff00::/8 } masquerade
  }
}
`,
  );
});

for (const [subnet, family] of [
  ["10.1.0.0/24", "ip "],
  ["fd00:1::/64", "ip6 "],
] as const) {
  test(`planMasquerade() of ${subnet} alone has one rule`, () => {
    const rules = planMasquerade("net1", [subnet])
      .ruleset.split("\n")
      .filter((line) => line.includes("masquerade"));
    assert.equal(rules.length, 1);
    assert.ok(rules[0]?.trim().startsWith(family));
  });
}

test("nft takes the text, a second time as well, and the text that removes it", {
  skip: privateNodeSkip,
}, async () => {
  const network = `masquerade-test-${process.pid}`;
  const nftables = openNftables();
  const { name, ruleset } = planMasquerade(network, ["10.1.0.0/24", "fd00:1::/64"]);
  await nftables.load(ruleset);
  await nftables.load(ruleset);
  const table = (await nftables.list(`inet ${name}`)) ?? "";
  assert.equal(table.split("\n").filter((line) => line.includes("masquerade")).length, 2);
  await nftables.load(removeMasquerade(network));
  await nftables.load(removeMasquerade(network));
  assert.equal(await nftables.list(`inet ${name}`), undefined);
});
