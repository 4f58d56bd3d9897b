import type { NetnsBatch } from "../../src/kernel/kernel.ts";
import {
  type BridgedPod,
  bridgeOperations,
  planBridgedPod,
} from "../../src/plugin-sdk/bridged-pod.ts";
import type { AttachRequest } from "../../src/plugin-sdk/network-plugin.ts";
import { readBridgeConfig } from "./config.ts";

/** Reads a request. Throws RangeError for what is no address. */
export function planBridge(
  request: AttachRequest,
  defaultMtu: number,
  options: { readonly holder?: string } = {},
): BridgedPod {
  const port = readBridgeConfig(request.configJson);
  return planBridgedPod(request, { port, defaultMtu, holder: options.holder ?? "bridge" });
}

/**
 * What the network needs of the node before its first pod: the bridge with the gateway addresses,
 * and forwarding. With a VLAN the network is layer 2 only: the gateway is somewhere else on it.
 */
export function networkBatches(request: AttachRequest): NetnsBatch[] {
  const port = readBridgeConfig(request.configJson);
  return [{ operations: bridgeOperations(request, { port, holdsGateways: port.vlan === 0 }) }];
}
