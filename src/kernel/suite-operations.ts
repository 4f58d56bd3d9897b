import assert from "node:assert/strict";
import { parseAddress, parsePrefix } from "../ip/address.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";

// What the tests of every Kernel do and check.

let names = 0;
export function freshName(): string {
  return `suite${process.pid % 1000}x${names++}`;
}

export function veth(name: string, peer: string): KernelOperation & { kind: "add-link" } {
  return { kind: "add-link", name, link: { type: "veth", peer: { name: peer } } };
}

export function vethTo(name: string, netns: NetnsPath): KernelOperation {
  const peer = { name: "eth0", netns, mac: "06:00:00:00:00:01", mtu: 1400 };
  return {
    kind: "add-link",
    name,
    mtu: 1400,
    mac: "02:00:00:00:00:01",
    link: { type: "veth", peer },
  };
}

/** What the `routed` plugin does for a pod. */
export function attachBatches(host: string, pod: NetnsPath, index = 0): NetnsBatch[] {
  const pod4 = parsePrefix(`10.77.${index}.5/32`);
  const pod6 = parsePrefix(`fd77:${index}::5/128`.replace(":0::", "::"));
  const gateway4 = parseAddress("169.254.1.1");
  const gateway6 = parseAddress("fe80::1");
  const mac = "02:00:00:00:00:01";
  const podMac = "06:00:00:00:00:01";
  const hostOperations: KernelOperation[] = [
    vethTo(host, pod),
    { kind: "set-link", name: host, up: true, alias: "pod ü", addrGenMode: 1 },
    { kind: "add-route", destination: pod4, link: host, scope: "link" },
    { kind: "add-route", destination: pod6, link: host, scope: "link" },
    { kind: "add-neighbour", link: host, address: pod4, mac: podMac },
    { kind: "add-neighbour", link: host, address: pod6, mac: podMac },
  ];
  const link = "eth0";
  const podOperations: KernelOperation[] = [
    { kind: "set-link", name: "lo", up: true },
    { kind: "set-link", name: link, up: true, addrGenMode: 1 },
    { kind: "add-address", link, address: pod4 },
    { kind: "add-address", link, address: pod6 },
    { kind: "add-address", link, address: parsePrefix("fe80::5/64"), scope: "link" },
    { kind: "add-neighbour", link, address: gateway4, mac },
    { kind: "add-neighbour", link, address: gateway6, mac },
    {
      kind: "add-route",
      destination: parsePrefix("0.0.0.0/0"),
      gateway: gateway4,
      link,
      onlink: true,
    },
    { kind: "add-route", destination: parsePrefix("::/0"), gateway: gateway6, link, onlink: true },
  ];
  return [{ operations: hostOperations }, { netns: pod, operations: podOperations }];
}

export const downSubject: readonly KernelOperation[] = [
  veth("va", "vb"),
  { kind: "set-link", name: "va", up: true, addrGenMode: 1 },
  { kind: "add-address", link: "va", address: parsePrefix("10.0.0.1/24") },
  { kind: "add-address", link: "va", address: parsePrefix("fd00::1/64") },
  { kind: "add-route", destination: parsePrefix("10.8.0.0/16"), link: "va" },
  { kind: "add-route", destination: parsePrefix("fd08::/16"), link: "va" },
  {
    kind: "add-neighbour",
    link: "va",
    address: parseAddress("10.0.0.5"),
    mac: "02:00:00:00:00:05",
  },
];

export function isKernelError(code: string, operation?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KernelError, String(error));
    assert.equal(error.code, code, error.message);
    if (operation !== undefined) assert.equal(error.operation, operation);
    return true;
  };
}

export function isHostMac(mac: string): boolean {
  return mac.startsWith("02:");
}

/** Waits for what the kernel does in its own time: carrier, freed namespaces. */
export async function eventually(
  condition: () => Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `Still not so after ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
