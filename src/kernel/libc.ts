import koffi from "koffi";

// Structures are passed as bytes: every one here is flat and small.
const library = koffi.load(null);
type Buffer = Uint8Array;

export const socket: (domain: number, type: number, protocol: number) => number = library.func(
  "int socket(int domain, int type, int protocol)",
);
export const bind: (fd: number, address: Buffer, length: number) => number = library.func(
  "int bind(int fd, const void *address, unsigned int length)",
);
/** `length` is 4 bytes, in and out. */
export const getsockname: (fd: number, address: Buffer, length: Buffer) => number = library.func(
  "int getsockname(int fd, void *address, void *length)",
);
export const setsockopt: (
  fd: number,
  level: number,
  option: number,
  value: Buffer,
  length: number,
) => number = library.func(
  "int setsockopt(int fd, int level, int option, const void *value, unsigned int length)",
);
// struct sock_fprog of linux/filter.h: the one structure here with a pointer in it.
koffi.struct("sock_fprog", { len: "uint16_t", filter: "const void *" });
const setFilter: (
  fd: number,
  level: number,
  option: number,
  value: { len: number; filter: Buffer },
  length: number,
) => number = library.func(
  "int setsockopt(int fd, int level, int option, const sock_fprog *value, unsigned int length)",
);
/** setsockopt() with a classic BPF program, 8 bytes an instruction (struct sock_filter). */
export function setSocketFilter(
  fd: number,
  option: { readonly level: number; readonly name: number },
  program: Buffer,
): number {
  const value = { len: program.length / 8, filter: program };
  return setFilter(fd, option.level, option.name, value, koffi.sizeof("sock_fprog"));
}
/** `send.async` runs on a libuv pool thread; errno is lost there. */
export const send: ((fd: number, bytes: Buffer, length: number, flags: number) => number) & {
  async(
    fd: number,
    bytes: Buffer,
    length: number,
    flags: number,
    done: (error: Error | null, sent: number) => void,
  ): void;
} = library.func("long send(int fd, const void *bytes, unsigned long length, int flags)");
export const recv: (fd: number, bytes: Buffer, length: number, flags: number) => number =
  library.func("long recv(int fd, void *bytes, unsigned long length, int flags)");
export const close: (fd: number) => number = library.func("int close(int fd)");
// open and ioctl are variadic in C; with integers only, the calling conventions of Linux agree.
export const open: (path: string, flags: number, mode: number) => number = library.func(
  "int open(const char *path, int flags, unsigned int mode)",
);
export const ioctl: (fd: number, request: number, argument: number) => number = library.func(
  "int ioctl(int fd, unsigned long request, unsigned long argument)",
);
export const fstatfs: (fd: number, result: Buffer) => number = library.func(
  "int fstatfs(int fd, void *result)",
);
export const setns: (fd: number, type: number) => number = library.func(
  "int setns(int fd, int type)",
);
export const unshare: (flags: number) => number = library.func("int unshare(int flags)");
export const mount: (
  source: string,
  target: string,
  type: string,
  flags: number,
  data: null,
) => number = library.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)",
);
export const umount2: (target: string, flags: number) => number = library.func(
  "int umount2(const char *target, int flags)",
);
/** process.abort() is not there in a worker thread. */
export const abort: () => void = library.func("void abort()");

/** Of the last call on this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Calls back whenever the descriptor is readable, from the thread's own event loop (epoll). */
export function watchReadable(fd: number, callback: () => void): { close(): void } {
  let handle: { close(): void } | undefined;
  const watch = (): void => {
    // koffi hands the status over first, unlike its types.
    handle = koffi.node.poll(fd, { readable: true }, (status: unknown) => {
      // An error of the socket (ENOBUFS: events were dropped) ends libuv's poll, though not the socket.
      if (typeof status === "number" && status < 0) {
        handle?.close();
        watch();
      }
      callback();
    });
  };
  watch();
  return {
    close() {
      handle?.close();
      handle = undefined;
    },
  };
}
