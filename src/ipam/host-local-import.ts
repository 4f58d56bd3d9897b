import { type IpAddress, parseAddress } from "../ip/address.ts";

/** A file of host-local's folder of one network: dataDir/<network>/<name>. */
export interface HostLocalFile {
  readonly name: string;
  readonly content: string;
}

/** An address that a running pod has by host-local. */
export interface HostLocalLease {
  readonly address: IpAddress;
  readonly containerId: string;
  readonly ifname: string;
}

/** What a folder of host-local says. */
export interface HostLocalImport {
  readonly adopt: readonly HostLocalLease[];
  /** Files that name no lease, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** The address that each range set gave last. */
  readonly cursors: readonly { readonly rangeSet: number; readonly address: IpAddress }[];
}

/** The interface of records of host-local before 0.8, which name none. */
const DEFAULT_IFNAME = "eth0";
const CURSOR_NAME = /^last_reserved_ip\.(\d{1,9})$/;

/**
 * Reads the records of host-local (plugins/ipam/host-local/backend/disk): a file per address, named
 * by it, with the container id and, on a second line, the interface. Files that cannot be read so
 * are named in `skipped`, never guessed at. The order of the files is kept.
 */
export function parseHostLocalFolder(files: Iterable<HostLocalFile>): HostLocalImport {
  const adopt: HostLocalLease[] = [];
  const skipped: { name: string; reason: string }[] = [];
  const cursors: { rangeSet: number; address: IpAddress }[] = [];
  const seen = new Set<string>();
  for (const { name, content } of files) {
    if (name === "lock") continue;
    const rangeSet = CURSOR_NAME.exec(name)?.[1];
    const address = findAddress(rangeSet === undefined ? name : content.trim());
    const lines = content.split(/\r?\n/).map((line) => line.trim());
    const [containerId = "", ifname = ""] = lines;
    if (address === undefined) {
      const what = rangeSet === undefined ? "its name" : "its content";
      skipped.push({ name, reason: `${what} is not an address` });
    } else if (rangeSet !== undefined) {
      cursors.push({ rangeSet: Number(rangeSet), address });
    } else if (containerId === "") {
      skipped.push({ name, reason: "it names no container" });
    } else if (seen.has(keyOf(address))) {
      skipped.push({ name, reason: "another file has the same address" });
    } else {
      seen.add(keyOf(address));
      adopt.push({ address, containerId, ifname: ifname === "" ? DEFAULT_IFNAME : ifname });
    }
  }
  return { adopt, skipped, cursors };
}

/** Where a colon may not stand in a file name, host-local writes "_". */
function findAddress(text: string): IpAddress | undefined {
  try {
    return parseAddress(text.replaceAll("_", ":"));
  } catch {
    return undefined;
  }
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}
