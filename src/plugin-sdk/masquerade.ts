import { createHash } from "node:crypto";

/** The nftables table that masquerades a network, and the text that loads it. */
export interface MasqueradeTable {
  readonly name: string;
  /** For `nft -f`: replaces the table in one transaction. */
  readonly ruleset: string;
}

/**
 * Traffic from the subnets to anywhere else leaves with the node's address. One table for each
 * network, static: no rule is added or removed when pods come and go.
 */
export function planMasquerade(network: string, subnets: readonly string[]): MasqueradeTable {
  const name = masqueradeTableName(network);
  const rules = [
    ...familyRule(
      "ip",
      subnets.filter((subnet) => !subnet.includes(":")),
      "224.0.0.0/4",
    ),
    ...familyRule(
      "ip6",
      subnets.filter((subnet) => subnet.includes(":")),
      "ff00::/8",
    ),
  ];
  const ruleset = [
    `table inet ${name}`,
    `delete table inet ${name}`,
    `table inet ${name} {`,
    "  chain postrouting {",
    "    type nat hook postrouting priority srcnat; policy accept;",
    ...rules.map((rule) => `    ${rule}`),
    "  }",
    "}",
    "",
  ].join("\n");
  return { name, ruleset };
}

/** The text that removes the table of a network, where it is or not. */
export function removeMasquerade(network: string): string {
  const name = masqueradeTableName(network);
  return `table inet ${name}\ndelete table inet ${name}\n`;
}

/** A network's name may have characters that nft's identifiers do not: a hash stands for it. */
export function masqueradeTableName(network: string): string {
  return `patchbay_masq_${createHash("sha256").update(network).digest("hex").slice(0, 12)}`;
}

function familyRule(family: "ip" | "ip6", subnets: readonly string[], multicast: string): string[] {
  if (subnets.length === 0) return [];
  const own = `{ ${subnets.join(", ")} }`;
  return [
    `${family} saddr ${own} ${family} daddr != { ${[...subnets, multicast].join(", ")} } masquerade`,
  ];
}
