import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { describe, it } from "node:test";
import { lockNode } from "./node-lock.ts";

let count = 0;

/** The tests of all files share one network namespace. */
function makeName(): string {
  return `\0patchbay-test-${process.pid}-${++count}`;
}

describe("lockNode()", () => {
  it("lets one in, and tells the next one who that is", async () => {
    const name = makeName();
    const lock = await lockNode({ pid: 4711, root: "/one" }, { name });
    await assert.rejects(lockNode({ pid: 1, root: "/two" }, { name }), {
      code: "ANOTHER_HOST",
      message: "Another plugin host (pid 4711, root /one) runs on this node: stop it first",
    });
    await lock.close();
    await (await lockNode({ pid: 1, root: "/two" }, { name })).close();
  });

  for (const [what, serve] of [
    ["says something else", () => createServer((socket) => socket.end("hello"))],
    ["says too much", () => createServer((socket) => socket.end("x".repeat(1 << 20)))],
    ["hangs up", () => createServer((socket) => socket.destroy())],
  ] as [string, () => Server][]) {
    it(`refuses when whoever has the name ${what}`, async () => {
      const name = makeName();
      const server = serve();
      server.on("connection", (socket) => socket.on("error", () => {}));
      await new Promise<void>((resolve) => {
        server.listen(name, resolve);
      });
      try {
        await assert.rejects(lockNode({ pid: 1, root: "/" }, { name }), {
          code: "ANOTHER_HOST",
          message: "Another plugin host runs on this node: stop it first",
        });
      } finally {
        server.close();
      }
    });
  }
});
