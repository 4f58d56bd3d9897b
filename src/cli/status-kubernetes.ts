import type { KubernetesStatus__Output } from "../rpc/generated/patchbay/host/v1/KubernetesStatus.ts";
import type { KubernetesWatch__Output } from "../rpc/generated/patchbay/host/v1/KubernetesWatch.ts";
import type { CliContext } from "./context.ts";
import { formatDuration, formatNumber } from "./format.ts";
import { sanitize } from "./output.ts";
import { printTable } from "./table.ts";

/** How the host stands with the cluster: two lines, and the watches where one of them is not as it should be. */
export function printKubernetes(
  { output, now }: CliContext,
  { server, nodeName, podCidrs, watches, unready }: KubernetesStatus__Output,
): void {
  const ranges = podCidrs.join(" and ") || "no address ranges yet";
  const node = nodeName === "" ? "Node object not known" : `node ${nodeName}, ${ranges}`;
  const served = watches.filter(({ phase }) => phase !== "absent");
  const objects = served.reduce((sum, watch) => sum + watch.objects, 0);
  const troubles = new Set(served.map(({ trouble }) => trouble));
  const [trouble = ""] = troubles;
  const isSame = troubles.size === 1 && trouble !== "";
  const isWell = served.every(({ phase, trouble }) => phase === "watching" && trouble === "");
  const kinds = formatNumber(served.length, "resource");
  const state = isWell
    ? output.style("green", `${kinds}, ${formatNumber(objects, "object")}`)
    : output.style("red", isSame ? "nothing is followed" : "not all is followed");
  output.line(`Kubernetes: ${sanitize(node)}, from ${sanitize(server)}: ${state}`);
  if (unready !== "") {
    output.line(output.style("red", `No pods should come yet: ${sanitize(unready)}`));
  }
  if (isWell) return;
  if (isSame) {
    // Pods are kept away for this very reason, which was said.
    if (unready.includes(trouble)) return;
    const heardMs = Math.max(...served.map((watch) => watch.heardMs));
    const last =
      heardMs === 0 ? "not heard of since the start" : `last heard of ${heard(heardMs, now())}`;
    output.line(output.style("red", `${sanitize(trouble)}; ${last}, what is known stays in force`));
    return;
  }
  output.line();
  printTable(
    output,
    [
      { title: "WATCH", value: (watch) => watch.resource },
      { title: "OBJECTS", value: (watch) => String(watch.objects), align: "right" },
      { title: "HEARD", value: (watch) => heard(watch.heardMs, now()), align: "right" },
      {
        title: "STATE",
        value: ({ phase, trouble }) => (trouble === "" ? phase : `${phase}: ${trouble}`),
        style: (watch) => styleOf(watch),
      },
    ],
    watches,
  );
}

function heard(heardMs: number, nowMs: number): string {
  return heardMs === 0 ? "never" : `${formatDuration(Math.max(0, nowMs - heardMs))} ago`;
}

function styleOf({ phase, trouble }: KubernetesWatch__Output): "green" | "red" | "yellow" {
  if (trouble !== "") return "red";
  return phase === "watching" || phase === "absent" ? "green" : "yellow";
}
