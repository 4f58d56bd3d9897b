import type { KernelOperation, Link, NetnsBatch } from "../../src/kernel/kernel.ts";
import { formatAlias, type LinkOwner } from "../../src/plugin-sdk/link-names.ts";

/** What a device was on the node, to make it that again. */
export interface Original {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly alias: string;
  /** What a network may tune. Absent where only the alias tells of the device. */
  readonly txQueueLength?: number;
  readonly promisc?: boolean;
  readonly allMulticast?: boolean;
}

/** IFALIASZ less the closing zero, linux/if.h. */
const ALIAS_BYTES = 255;

export function originalOf(link: Link): Original {
  const { name, mac, mtu, up, alias, txQueueLength, promisc, allMulticast } = link;
  return { name, mac, mtu, up, alias, txQueueLength, promisc, allMulticast };
}

/** The alias of a device that a pod has: whose it is, and what it was. */
export function formatDeviceAlias(owner: LinkOwner, original: Original): string {
  const { name, mac, mtu, up, alias } = original;
  const plain = formatAlias(owner);
  const short = [plain, name, mac.replaceAll(":", ""), mtu, up ? "up" : "down"].join(":");
  const full = `${short}:${encodeURIComponent(alias)}`;
  // The file has it all in any case.
  return [full, short].find((each) => Buffer.byteLength(each) <= ALIAS_BYTES) ?? plain;
}

/** Undefined: the alias does not say. */
export function parseDeviceAlias(alias: string): Original | undefined {
  const [, , , , name, digits, mtu, state, own = ""] = alias.split(":");
  // The pod may have written it.
  if (!name || !/^([0-9a-f]{2})+$/.test(digits ?? "") || !/^\d{1,6}$/.test(mtu ?? ""))
    return undefined;
  const mac = digits?.match(/../g)?.join(":") ?? "";
  return { name, mac, mtu: Number(mtu), up: state === "up", alias: decodeText(own) };
}

/**
 * What makes a device that is on the node again what it was. Its alias goes last: by it the device is
 * ours. A batch each: after a rename that is refused the old name is another link's, which nothing may change.
 */
export function restoreBatches(link: Link, original: Original): NetnsBatch[] {
  const { name, mac, mtu, up, alias, txQueueLength, promisc, allMulticast } = original;
  const differs = {
    ...(link.mac === mac ? {} : { mac }),
    ...(link.mtu === mtu ? {} : { mtu }),
    ...(link.txQueueLength === (txQueueLength ?? link.txQueueLength) ? {} : { txQueueLength }),
    ...(link.promisc === (promisc ?? link.promisc) ? {} : { promisc }),
    ...(link.allMulticast === (allMulticast ?? link.allMulticast) ? {} : { allMulticast }),
  };
  const operations: KernelOperation[] = [
    ...(link.up && "mac" in differs
      ? [{ kind: "set-link" as const, name: link.name, up: false }]
      : []),
    ...(link.name === name ? [] : [{ kind: "set-link" as const, name: link.name, rename: name }]),
    ...(Object.keys(differs).length > 0 ? [{ kind: "set-link" as const, name, ...differs }] : []),
    { kind: "set-link", name, up },
    { kind: "set-link", name, alias },
  ];
  return operations.map((operation) => ({ operations: [operation] }));
}

/** Pods can write aliases: nonsense is no alias. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
