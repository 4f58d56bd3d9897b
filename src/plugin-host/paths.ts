import { join, resolve } from "node:path";

/** Every place that the host uses on a node. */
export interface Paths {
  readonly root: string;
  readonly runDir: string;
  /** Where the shim calls. */
  readonly shimSocket: string;
  /** Where the CLI and controllers call. */
  readonly hostSocket: string;
  /** Sockets of third-party plugins. */
  readonly pluginDir: string;
  readonly stateDir: string;
  readonly database: string;
  /** What was heard of the API server last. */
  readonly objects: string;
  /** DELs that the shim wrote while the host was down. */
  readonly delJournal: string;
  /** What plugin cni-exec remembers of its attachments. */
  readonly cniExec: string;
  /** What plugins hold inside pods, a folder for each; gone after a reboot, as the links are. */
  readonly heldDir: string;
  /** Stands while a data plane may hold Services; gone after a reboot, as they are. */
  readonly servicesMarker: string;
  /** The host's configuration, where no other file is named. */
  readonly hostConfig: string;
}

/** Places below a root folder, "/" on a node. */
export function pathsBelow(root: string): Paths {
  const absolute = resolve(root);
  const runDir = join(absolute, "run/patchbay");
  const stateDir = join(absolute, "var/lib/patchbay");
  return {
    root: absolute,
    runDir,
    shimSocket: join(runDir, "shim.sock"),
    hostSocket: join(runDir, "host.sock"),
    pluginDir: join(runDir, "plugins"),
    stateDir,
    database: join(stateDir, "state.db"),
    objects: join(stateDir, "objects.db"),
    delJournal: join(stateDir, "del-journal"),
    cniExec: join(stateDir, "cni-exec"),
    heldDir: join(runDir, "held"),
    servicesMarker: join(runDir, "services"),
    hostConfig: join(absolute, "etc/patchbay/host.json"),
  };
}
