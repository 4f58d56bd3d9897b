import { parsePrefix } from "../ip/address.ts";
import type { KernelOperation, NetnsBatch } from "../kernel/kernel.ts";
import type { AttachRequest } from "./network-plugin.ts";
import { hostOf, inPod, onNode } from "./sample-request.ts";

/** Something that somebody does to an attachment behind the plugin's back. */
export interface Damage {
  readonly what: string;
  /** Kinds of findings that must be among those of check(). */
  readonly kinds: readonly string[];
  readonly batches: (request: AttachRequest) => readonly NetnsBatch[];
}

/** The suite takes the pair away itself. */
export const LINK_GONE = "a link that is gone";

/** What may happen to any pair. */
export const VETH_DAMAGES: readonly Damage[] = [
  { what: LINK_GONE, kinds: ["link-missing"], batches: () => [] },
  {
    what: "an interface that was renamed",
    kinds: ["link-missing"],
    batches: (request) =>
      inPod(
        request,
        { kind: "set-link", name: "eth0", up: false },
        { kind: "set-link", name: "eth0", rename: "mine" },
      ),
  },
  {
    what: "an interface that is down",
    kinds: ["link-down", "address-missing", "route-missing"],
    batches: (request) => inPod(request, { kind: "set-link", name: "eth0", up: false }),
  },
  {
    what: "a node's end that is down",
    kinds: ["link-down"],
    batches: (request) => onNode({ kind: "set-link", name: hostOf(request), up: false }),
  },
  {
    what: "another MAC address",
    kinds: ["mac"],
    batches: (request) =>
      inPod(request, { kind: "set-link", name: "eth0", mac: "02:00:00:00:aa:99" }),
  },
  {
    what: "another MAC address of the node's end",
    kinds: ["mac"],
    batches: (request) =>
      onNode({ kind: "set-link", name: hostOf(request), mac: "02:00:00:00:aa:98" }),
  },
  {
    what: "another MTU at both ends",
    kinds: ["mtu"],
    batches: (request) => [
      ...inPod(request, { kind: "set-link", name: "eth0", mtu: 1300 }),
      ...onNode({ kind: "set-link", name: hostOf(request), mtu: 1300 }),
    ],
  },
  {
    what: "default routes that are gone",
    kinds: ["route-missing"],
    batches: (request) =>
      inPod(
        request,
        ...(["0.0.0.0/0", "::/0"] as const).map(
          (destination): KernelOperation => ({
            kind: "delete-route",
            destination: parsePrefix(destination),
          }),
        ),
      ),
  },
];
