import type { KubernetesStatus } from "../../rpc/generated/patchbay/host/v1/KubernetesStatus.ts";
import type { KubernetesView, WatchState } from "./view.ts";

/** The view as host.v1 tells of it; `unready` is why pods should not come yet. */
export function toKubernetesStatus(view: KubernetesView, unready: string): KubernetesStatus {
  return {
    server: view.server,
    nodeName: view.node?.name ?? "",
    podCidrs: [...(view.node?.podCidrs ?? [])],
    watches: view.watches.map((watch: WatchState) => ({ ...watch })),
    unready,
  };
}
