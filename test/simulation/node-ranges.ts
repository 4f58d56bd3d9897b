import type { NodeView } from "../../src/plugin-host/core/ports.ts";
import type { SimNetwork } from "./networks.ts";
import type { SimNode } from "./node.ts";

/**
 * The first network's ranges as the cluster has them (ipam.ranges "node"): the configuration's own, told
 * by the Node object. They come late, go away for a while, and change with the configuration.
 */
export class SimNodeRanges implements NodeView {
  readonly name = "n1";
  readonly #network: SimNetwork;
  unready = "";
  areKnown = false;

  constructor(network: SimNetwork) {
    this.#network = network;
  }

  /** As the host's view of the cluster has it: at most one of a family. */
  get podCidrs(): readonly string[] {
    if (!this.areKnown) return [];
    const { ranges } = this.#network.config["ipam"] as { ranges: { subnet: string }[][] };
    const subnets = ranges.flat().map(({ subnet }) => subnet);
    const isFirst = (subnet: string, index: number) =>
      subnets.findIndex((other) => other.includes(":") === subnet.includes(":")) === index;
    return subnets.filter(isFirst);
  }

  /** What the runtime hands out of a network. */
  configOf(network: SimNetwork): Record<string, unknown> {
    if (network !== this.#network) return network.config;
    const ipam = network.config["ipam"] as object;
    return { ...network.config, ipam: { ...ipam, ranges: "node" } };
  }

  mend(): void {
    this.areKnown = true;
    this.unready = "";
  }
}

/** The Node object comes or loses its ranges, or the cluster has something against new pods. True when something happened. */
export function actNodeRanges(node: SimNode): boolean {
  const { ranges, rng } = node;
  if (!ranges || !rng.chance(ranges.areKnown ? 0.004 : 0.02)) return false;
  if (rng.chance(0.3)) ranges.unready = ranges.unready === "" ? "the first list is awaited" : "";
  else ranges.areKnown = !ranges.areKnown;
  node.note(() => `the node's ranges: ${ranges.podCidrs.join(" ") || "none"}; ${ranges.unready}`);
  return true;
}
