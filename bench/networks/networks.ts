import type { BenchRow } from "../rows.ts";
import { benchDelegate } from "./delegate.ts";
import { benchFourNetworks } from "./four-networks.ts";
import { benchGoPlugin } from "./go-plugin.ts";
import { benchMemoryBound } from "./memory-bound.ts";
import type { Options } from "./options.ts";

/** Several networks for a pod, third parties' plugins, and CNI plugins as networks. */
export async function benchNetworks(options: Options): Promise<BenchRow[]> {
  return [
    ...(await benchFourNetworks(options)),
    ...(await benchGoPlugin(options)),
    ...(await benchDelegate(options)),
    ...(await benchMemoryBound(options)),
  ];
}
