import { parsePrefix } from "../ip/address.ts";
import type { KernelOperation, NetnsPath } from "../kernel/kernel.ts";
import type { AttachRequest } from "../plugin-sdk/network-plugin.ts";
import type { Bench } from "./bench.ts";
import { Skip } from "./rule.ts";

/** Sets the pod's interface down. */
export async function breakLink(bench: Bench, pod: AttachRequest): Promise<void> {
  await change(bench, pod, [{ kind: "set-link", name: pod.ifname, up: false }]);
}

/** Takes every address from the pod's interface. */
export async function breakAddresses(bench: Bench, pod: AttachRequest): Promise<void> {
  const { addresses } = await bench.lookInside(pod);
  await change(
    bench,
    pod,
    addresses.map((text) => ({
      kind: "delete-address",
      link: pod.ifname,
      address: parsePrefix(text),
    })),
  );
}

/** Takes the routes that the order asks for. */
export async function breakRoutes(bench: Bench, pod: AttachRequest): Promise<void> {
  if (pod.routes.length === 0) throw new Skip("the order names no routes");
  await change(
    bench,
    pod,
    pod.routes.map(({ destination }) => ({
      kind: "delete-route",
      destination: parsePrefix(destination),
      link: pod.ifname,
    })),
  );
}

/** Takes the pod's interface away altogether. */
export async function removeInterface(bench: Bench, pod: AttachRequest): Promise<void> {
  await bench.kernel.removeLinks([pod.ifname], pod.netns as NetnsPath);
}

async function change(
  bench: Bench,
  { netns }: AttachRequest,
  operations: readonly KernelOperation[],
): Promise<void> {
  await bench.kernel.apply([{ netns: netns as NetnsPath, operations }]);
}
