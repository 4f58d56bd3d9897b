import { parsePrefix } from "../ip/address.ts";
import type { AttachRequest, AttachResponse, Finding } from "./network-plugin.ts";

/** What every host holds an answer of Attach against. Throws Error that names the field. */
export function expectAttachAnswer(order: AttachRequest, answer: AttachResponse): void {
  const { interfaces, addresses } = answer;
  const { ifname, netns } = order;
  expect(
    interfaces.some(({ name, sandbox }) => name === ifname && sandbox === netns),
    `interfaces must have ${ifname} with sandbox ${netns} among them`,
  );
  const set = new Set<string>();
  for (const [index, { address, interfaceIndex }] of addresses.entries()) {
    expect(
      interfaceIndex < interfaces.length,
      `addresses[${index}].interface_index must be less than ${interfaces.length}`,
    );
    set.add(keyOf(address, `addresses[${index}].address`));
  }
  for (const { address } of order.addresses) {
    const isThere = set.has(keyOf(address, "the order's address"));
    expect(isThere, `addresses must have ${address} among them: the host allocated it`);
  }
  for (const [index, { destination }] of answer.routes.entries()) {
    keyOf(destination, `routes[${index}].destination`);
  }
}

/** The same of Check and RepairNetwork. */
export function expectFindings(findings: readonly Finding[]): void {
  for (const [index, { kind }] of findings.entries()) {
    const isWord = /^[a-z][a-z0-9-]{0,62}$/.test(kind);
    expect(isWord, `findings[${index}].kind must be a word like "link-missing"`);
  }
}

/** An address without its prefix length, which is the plugin's affair. */
function keyOf(text: string, field: string): string {
  try {
    const { family, value } = parsePrefix(text);
    return `${family} ${value}`;
  } catch (cause) {
    throw new Error(`A host would refuse this answer: ${field} must be in CIDR notation`, {
      cause,
    });
  }
}

function expect(holds: boolean, message: string): void {
  if (!holds) throw new Error(`A host would refuse this answer: ${message}`);
}
