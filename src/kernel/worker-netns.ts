import { closeSync, fstatSync, lstatSync, openSync, unlinkSync } from "node:fs";
import { errno } from "./errno.ts";
import {
  abort,
  close,
  fstatfs,
  ioctl,
  lastErrno,
  mount,
  open,
  setns,
  umount2,
  unshare,
} from "./libc.ts";
import {
  CLONE_NEWNET,
  MNT_DETACH,
  MS_BIND,
  NS_GET_NSTYPE,
  NSFS_MAGIC,
  O_CLOEXEC,
  O_NONBLOCK,
} from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

/** The namespace that this process was started in; open for ever, the way back from every other. */
const nodeNetns = openNode();

function openNode(): number {
  const fd = open("/proc/thread-self/ns/net", O_CLOEXEC, 0);
  if (fd < 0) throw new WorkerFault(lastErrno(), "Cannot open /proc/thread-self/ns/net");
  return fd;
}

/** Opens a path that must hold a network namespace. The caller closes. */
export function openNetns(path: string): number {
  // Nonblocking: a path may turn out to be a FIFO, and the open would wait for its writer.
  const fd = open(path, O_CLOEXEC | O_NONBLOCK, 0);
  if (fd < 0) throw new WorkerFault(lastErrno(), "", path);
  if (!isNetns(fd)) {
    close(fd);
    throw new WorkerFault(errno.EINVAL, "Not a network namespace", path);
  }
  return fd;
}

/**
 * Runs a synchronous function inside a namespace. Nothing in it may start a thread or a process:
 * they would stay there. Without a way back every later change would go to the wrong namespace, so
 * the process ends then.
 */
export function inNetns<Result>(fd: number, run: () => Result): Result {
  if (setns(fd, CLONE_NEWNET) !== 0) throw new WorkerFault(lastErrno(), "setns");
  try {
    return run();
  } finally {
    if (setns(nodeNetns, CLONE_NEWNET) !== 0) abort();
  }
}

export function netnsIdentity(path: string): { device: bigint; inode: bigint } | undefined {
  let fd: number;
  try {
    fd = openNetns(path);
  } catch (error) {
    if (error instanceof WorkerFault && isAbsent(error.errno)) return undefined;
    throw error;
  }
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return { device: dev, inode: ino };
  } finally {
    close(fd);
  }
}

export function createNetns(path: string): void {
  let isNewFile = true;
  try {
    closeSync(openSync(path, "wx", 0o444));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    isNewFile = false;
    if (netnsIdentity(path) !== undefined) throw new WorkerFault(errno.EEXIST, "", path);
  }
  if (unshare(CLONE_NEWNET) !== 0) {
    const fault = new WorkerFault(lastErrno(), "unshare", path);
    if (isNewFile) unlinkSync(path);
    throw fault;
  }
  const failed = mount("/proc/thread-self/ns/net", path, "none", MS_BIND, null) !== 0;
  const mountErrno = lastErrno();
  if (setns(nodeNetns, CLONE_NEWNET) !== 0) abort();
  if (!failed) return;
  if (isNewFile) unlinkSync(path);
  throw new WorkerFault(mountErrno, "mount", path);
}

export function deleteNetns(path: string): void {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (netnsIdentity(path) !== undefined) {
    if (umount2(path, MNT_DETACH) !== 0) throw new WorkerFault(lastErrno(), "umount", path);
  } else if (!stat.isFile() || stat.size !== 0) {
    // An empty file is what a crash between making the file and mounting leaves.
    throw new WorkerFault(errno.EINVAL, "Not a network namespace", path);
  }
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function isNetns(fd: number): boolean {
  if (fstatfs(fd, statfs) !== 0) return false;
  if (new DataView(statfs.buffer).getUint32(0, true) !== NSFS_MAGIC) return false;
  return ioctl(fd, NS_GET_NSTYPE, 0) === CLONE_NEWNET;
}

/** struct statfs has 120 bytes on 64 bits; f_type comes first. */
const statfs = new Uint8Array(256);

const ABSENT: ReadonlySet<number> = new Set([
  errno.ENOENT,
  errno.ENOTDIR,
  errno.EINVAL,
  errno.ELOOP,
  errno.ENAMETOOLONG,
  // A socket, or a FIFO without a reader.
  errno.ENXIO,
]);

function isAbsent(value: number): boolean {
  return ABSENT.has(value);
}
