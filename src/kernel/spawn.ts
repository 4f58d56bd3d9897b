import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import koffi from "koffi";
import { errno, errnoCode } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";

/** A program to start. */
export interface SpawnOrder {
  readonly file: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its standard input, whole: a file in memory, so that nobody has to write while it reads. */
  readonly stdin: string;
}

/** A process that leads a session and a process group of its own. */
export interface SpawnedProcess {
  readonly pid: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly exited: Promise<ProcessEnd>;
}

export interface ProcessEnd {
  /** null: a signal ended it, or nobody knows. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * Starts a program by posix_spawn(3). node:child_process forks, which copies the page tables of the
 * whole host, 2 to 5 ms in which nothing else runs; this shares them until the program is loaded
 * (CLONE_VFORK), 0.1 ms. What is no program is refused (ENOEXEC) and not handed to a shell. Throws
 * KernelError.
 */
export function spawnProcess({ file, env, stdin }: SpawnOrder): SpawnedProcess {
  const pairs = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  // C ends a text there.
  if ([file, ...pairs].some((text) => text.includes("\0"))) throw spawnError(file, errno.EINVAL);
  const opened: number[] = [];
  const give = (fd: number): number => {
    opened.splice(opened.indexOf(fd), 1);
    return fd;
  };
  try {
    const input = openInput(file, stdin, opened);
    const [outRead, outWrite] = openPipe(file, opened);
    const [errRead, errWrite] = openPipe(file, opened);
    const pid = start(file, pairs, [input, outWrite, errWrite]);
    const exited = waitFor(pid);
    const stdout = new Socket({ fd: give(outRead), readable: true, writable: false });
    const stderr = new Socket({ fd: give(errRead), readable: true, writable: false });
    return { pid, stdout, stderr, exited };
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

const library = koffi.load(null);
const posixSpawn: (
  pid: Int32Array,
  path: string,
  actions: Uint8Array,
  attributes: Uint8Array,
  argv: readonly (string | null)[],
  envp: readonly (string | null)[],
) => number = library.func(
  "int posix_spawn(void *pid, const char *path, const void *actions, const void *attributes, const char **argv, const char **envp)",
);
const initActions: (actions: Uint8Array) => number = library.func(
  "int posix_spawn_file_actions_init(void *actions)",
);
const addDup2: (actions: Uint8Array, fd: number, newFd: number) => number = library.func(
  "int posix_spawn_file_actions_adddup2(void *actions, int fd, int newFd)",
);
const destroyActions: (actions: Uint8Array) => number = library.func(
  "int posix_spawn_file_actions_destroy(void *actions)",
);
const initAttributes: (attributes: Uint8Array) => number = library.func(
  "int posix_spawnattr_init(void *attributes)",
);
const setFlags: (attributes: Uint8Array, flags: number) => number = library.func(
  "int posix_spawnattr_setflags(void *attributes, short flags)",
);
const setDefaultSignals: (attributes: Uint8Array, signals: Uint8Array) => number = library.func(
  "int posix_spawnattr_setsigdefault(void *attributes, const void *signals)",
);
const pipe2: (fds: Int32Array, flags: number) => number = library.func(
  "int pipe2(void *fds, int flags)",
);
const createMemfd: (name: string, flags: number) => number = library.func(
  "int memfd_create(const char *name, unsigned int flags)",
);
const waitpid: (pid: number, status: Int32Array, options: number) => number = library.func(
  "int waitpid(int pid, void *status, int options)",
);

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** linux/memfd.h */
const MFD_CLOEXEC = 1;
/** linux/wait.h */
const WNOHANG = 1;
/** spawn.h: default action for ignored signals, no signal blocked, setsid(). */
const SPAWN_FLAGS = 0x04 | 0x08 | 0x80;
/** More than posix_spawn_file_actions_t and posix_spawnattr_t have in glibc (80, 336) and musl. */
const STRUCT_BYTES = 1_024;

function start(file: string, env: readonly string[], stdio: readonly number[]): number {
  const actions = new Uint8Array(STRUCT_BYTES);
  const attributes = new Uint8Array(STRUCT_BYTES);
  initActions(actions);
  initAttributes(attributes);
  try {
    // The copies are open across exec; the originals are not.
    for (const [target, fd] of stdio.entries()) addDup2(actions, fd, target);
    setDefaultSignals(attributes, signalSet([constants.signals.SIGPIPE]));
    setFlags(attributes, SPAWN_FLAGS);
    const pid = new Int32Array(1);
    const code = posixSpawn(pid, file, actions, attributes, [file, null], [...env, null]);
    if (code !== 0) throw spawnError(file, code);
    return pid[0] as number;
  } finally {
    destroyActions(actions);
  }
}

/** sigset_t: a bit for each signal, from 1. */
function signalSet(signals: readonly number[]): Uint8Array {
  const set = new Uint8Array(128);
  for (const signal of signals) {
    const byte = (signal - 1) >> 3;
    set[byte] = (set[byte] ?? 0) | (1 << ((signal - 1) & 7));
  }
  return set;
}

function openInput(file: string, text: string, opened: number[]): number {
  const fd = createMemfd("stdin", MFD_CLOEXEC);
  if (fd < 0) throw spawnError(file, koffi.errno());
  opened.push(fd);
  const bytes = Buffer.from(text);
  // pwrite: the reader begins at 0.
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
  return fd;
}

function openPipe(file: string, opened: number[]): [read: number, write: number] {
  const fds = new Int32Array(2);
  if (pipe2(fds, O_CLOEXEC) !== 0) throw spawnError(file, koffi.errno());
  const [read = -1, write = -1] = fds;
  opened.push(read, write);
  return [read, write];
}

const waiting = new Map<number, (end: ProcessEnd) => void>();
let isListening = false;

/** libuv waits for processes of its own by their numbers, and takes nobody else's end away. */
function waitFor(pid: number): Promise<ProcessEnd> {
  if (!isListening) process.on("SIGCHLD", reap);
  isListening = true;
  return new Promise((resolve) => {
    waiting.set(pid, resolve);
    reap();
  });
}

/** One signal may stand for many ends. */
function reap(): void {
  const status = new Int32Array(1);
  for (const [pid, resolve] of waiting) {
    const answer = waitpid(pid, status, WNOHANG);
    if (answer === 0) continue;
    waiting.delete(pid);
    resolve(answer === pid ? readStatus(status[0] ?? 0) : { exitCode: null, signal: null });
  }
}

/** bits/waitstatus.h */
function readStatus(status: number): ProcessEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff, signal: null };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { exitCode: null, signal: name ?? `signal ${signal}` };
}

function spawnError(file: string, code: number): KernelError {
  return new KernelError({
    errno: code,
    code: errnoCode(code),
    operation: "execute",
    object: file,
  });
}
