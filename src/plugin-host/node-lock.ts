import { connect, createServer, type Server } from "node:net";
import { PatchbayError } from "./errors.ts";

/**
 * An abstract unix socket (unix(7)): its name belongs to the network namespace, as links and
 * nftables do, and is free the moment the process is gone, however it went.
 */
const LOCK_NAME = "\0patchbay-host";
/** A living host answers at once. */
const ANSWER_MS = 1_000;
const ANSWER_BYTES_MAX = 8_192;
/** Of a host that dies while it is asked. */
const ATTEMPTS = 3;

/** Who holds a node. */
export interface NodeHolder {
  readonly pid: number;
  readonly root: string;
}

/** The right to be this node's only plugin host, until it is closed. */
export interface NodeLock {
  close(): Promise<void>;
}

/** Takes the lock. Throws PatchbayError ANOTHER_HOST that says who has it. */
export async function lockNode(
  self: NodeHolder,
  options: { readonly name?: string } = {},
): Promise<NodeLock> {
  const name = options.name ?? LOCK_NAME;
  for (let attempt = 1; ; attempt++) {
    const server = await listen(name, self);
    if (server) return { close: () => close(server) };
    const holder = await askHolder(name);
    if (holder === "gone" && attempt < ATTEMPTS) continue;
    const who = typeof holder === "string" ? "" : ` (pid ${holder.pid}, root ${holder.root})`;
    const message = `Another plugin host${who} runs on this node: stop it first`;
    throw new PatchbayError("ANOTHER_HOST", message);
  }
}

/** Undefined: somebody has the name. */
function listen(name: string, self: NodeHolder): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(JSON.stringify(self));
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}

/** Whoever it is may send anything, or nothing. */
function askHolder(name: string): Promise<NodeHolder | "gone" | "silent"> {
  return new Promise((resolve) => {
    const socket = connect(name);
    let text = "";
    const settle = (holder: NodeHolder | "gone" | "silent") => {
      socket.destroy();
      resolve(holder);
    };
    socket.setTimeout(ANSWER_MS, () => settle("silent"));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > ANSWER_BYTES_MAX) settle("silent");
    });
    socket.once("end", () => settle(parseHolder(text) ?? "silent"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      settle(code === "ECONNREFUSED" ? "gone" : "silent"),
    );
  });
}

function parseHolder(text: string): NodeHolder | undefined {
  try {
    const { pid, root } = JSON.parse(text) as Partial<NodeHolder>;
    if (Number.isInteger(pid) && typeof root === "string") return { pid: pid as number, root };
  } catch {
    // No host of ours.
  }
  return undefined;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
