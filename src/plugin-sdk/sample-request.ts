/** An order as the host gives one, for tests, and operations about it. */
import { formatAddress, formatPrefix } from "../ip/address.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "../kernel/kernel.ts";
import { linkNamesOf } from "./link-names.ts";
import { type AttachRequest, NO_WISHES } from "./network-plugin.ts";

/** An order for a pod with an address of each family. */
export function attachRequest(change: Partial<AttachRequest> = {}): AttachRequest {
  return {
    attachmentId: "0123456789abcdef0123456789abcdef",
    pod: { namespace: "default", name: "web-0", uid: "u1", labels: {} },
    sandboxId: "c1",
    netns: "/run/netns/c1",
    ifname: "eth0",
    network: "net",
    configJson: '{"name":"net"}',
    addresses: [
      { address: "10.1.0.5/24", gateway: "10.1.0.1" },
      { address: "fd00:1::5/64", gateway: "fd00:1::1" },
    ],
    routes: [],
    mac: "",
    mtu: 0,
    device: null,
    masquerade: null,
    ...NO_WISHES,
    ...change,
  };
}

/** Operations as lines that a table can hold: "add-address link=eth0 address=10.1.0.5/24". */
export function textOf(batches: readonly NetnsBatch[]): string[] {
  return batches.flatMap(({ netns, operations }) => [
    netns ? `in ${netns}:` : "on the node:",
    ...operations.map(({ kind, ...fields }) => `  ${[kind, ...fieldTexts(fields)].join(" ")}`),
  ]);
}

function fieldTexts(fields: object): string[] {
  return Object.entries(fields).map(([key, value]) => `${key}=${valueText(value)}`);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.join(".");
  if (typeof value !== "object" || value === null) return String(value);
  if (!("family" in value)) return `(${fieldTexts(value).join(" ")})`;
  return "prefixLength" in value ? formatPrefix(value as never) : formatAddress(value as never);
}

/** Operations in the pod's namespace. */
export function inPod(request: AttachRequest, ...operations: KernelOperation[]): NetnsBatch[] {
  return [{ netns: request.netns as NetnsPath, operations }];
}

/** Operations on the node. */
export function onNode(...operations: KernelOperation[]): NetnsBatch[] {
  return [{ operations }];
}

/** The node's end. */
export function hostOf({ attachmentId }: AttachRequest): string {
  return linkNamesOf(attachmentId).hostIfname;
}
