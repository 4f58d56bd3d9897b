import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AttachmentFile } from "../../plugins/cni-exec/records.ts";
import { parseHostLocalFolder } from "../ipam/host-local-import.ts";

export interface LeaseFolders {
  /** host-local's: a folder for each CNI network. */
  readonly hostLocal: string;
  /** Records of cni-exec, whose delegates may use host-local themselves. */
  readonly cniExec: string;
}

/** CNI networks of which host-local holds leases that no attachment of cni-exec has. What cannot be read holds none. */
export function findForeignLeases({ hostLocal, cniExec }: LeaseFolders): string[] {
  const networks = listIfThere(hostLocal);
  if (networks.length === 0) return [];
  const own = new Set(listIfThere(cniExec).map((name) => ownerOf(join(cniExec, name))));
  return networks.filter((network) => {
    const folder = join(hostLocal, network);
    const files = listIfThere(folder).map((name) => ({
      name,
      content: readSmall(join(folder, name)),
    }));
    const { adopt } = parseHostLocalFolder(files);
    return adopt.some(({ containerId }) => !own.has(`${network} ${containerId}`));
  });
}

/** "network container" of a record of cni-exec; undefined: it is none. */
function ownerOf(file: string): string | undefined {
  try {
    const { cniName, args } = JSON.parse(readFileSync(file, "utf8")) as AttachmentFile;
    return `${cniName} ${args.sandboxId}`;
  } catch {
    return undefined;
  }
}

/** host-local writes two short lines. */
const FILE_BYTES_MAX = 4096;

/** Not through symbolic links: host-local makes none. */
function readSmall(file: string): string {
  try {
    const stat = lstatSync(file);
    return stat.isFile() && stat.size <= FILE_BYTES_MAX ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}

function listIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
