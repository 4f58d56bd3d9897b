import type { Link } from "../../src/kernel/kernel.ts";
import type { HeldAttachment } from "../../src/plugin-sdk/held-attachments.ts";
import type { HostDeviceDetail } from "./find-device.ts";

/** Links that stand on others, and may have their addresses. */
const UPPER_TYPES: ReadonlySet<string> = new Set(["bridge", "bond", "ipvlan", "macvlan", "vlan"]);

/**
 * The device among the links of its pod's namespace. A pod with NET_ADMIN has alias, name and address in its
 * hands: by what it left of them, and a card by being one, for no namespace has any of its own.
 */
export function findInPod(
  links: readonly Link[],
  by: {
    readonly known: HeldAttachment<HostDeviceDetail> | undefined;
    readonly isOwn: (link: Link) => boolean;
    /** Marked as another attachment's of the same pod. */
    readonly isOthers: (link: Link) => boolean;
  },
): Link | undefined {
  const { known, isOwn, isOthers } = by;
  const own = links.find(isOwn);
  if (own || !known) return own;
  const { ifname, mac, detail } = known;
  const named = links.find(
    (link) => link.name === ifname && link.mac === mac && link.type !== "bridge",
  );
  if (named) return named;
  const possible = links.filter((link) => {
    const isAlike = detail.isHardware ? link.type === "" : !UPPER_TYPES.has(link.type);
    return link.name !== "lo" && isAlike && !isOthers(link);
  });
  const same = possible.find((link) => link.mac === mac);
  return same ?? (detail.isHardware && possible.length === 1 ? possible[0] : undefined);
}
