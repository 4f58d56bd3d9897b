import { findBinaries } from "../../scripts/kubernetes-binaries.ts";
import { SetupError } from "../../scripts/setup/step.js";
import { findSkipReason } from "../../test/kubernetes/cluster/cluster.ts";
import type { BenchRow } from "../rows.ts";
import { benchClusterServices } from "./cluster-services.ts";
import type { Options } from "./options.ts";
import { benchPodsAtOnce } from "./pods-at-once.ts";

/** A real Kubernetes with Patchbay, and the same one with the usual peers in its place. */
export async function benchKubernetes(options: Options): Promise<BenchRow[]> {
  return [...(await benchPodsAtOnce(options)), ...(await benchClusterServices(options))];
}

/** Why it cannot be measured here; undefined when it can. */
export function findKubernetesObstacle(): string | undefined {
  try {
    findBinaries();
    return findSkipReason();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    // Not from here: a private node has no way to the modules.
    return `${error.message} (9 minutes; needs the network)`;
  }
}
