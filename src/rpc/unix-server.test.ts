import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectHost, type HostClient } from "./client.ts";
import { HostCallError } from "./host-call.ts";
import type { HostHandlers } from "./generated/patchbay/host/v1/Host.ts";
import { hostProto } from "./services.ts";
import { grpcError } from "./status.ts";
import {
  type ServedService,
  serveUnix,
  shortenSocketPath,
  type UnixServer,
} from "./unix-server.ts";

/** A service that answers GetStatus when `gate` lets it. */
function statusService(gate: () => Promise<void> = async () => {}): ServedService {
  const handlers: Partial<HostHandlers> = {
    GetStatus(_call, done) {
      gate().then(
        () => done(null, { version: "1.2.3", ready: true }),
        () => done(grpcError("UNKNOWN", "the gate")),
      );
    },
  };
  return { definition: hostProto.Host.service, handlers: handlers as HostHandlers };
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pb-rpc-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withServer(
  path: string,
  work: (server: UnixServer, client: HostClient) => Promise<void>,
  gate?: () => Promise<void>,
): Promise<void> {
  const server = await serveUnix(path, [statusService(gate)]);
  const client = connectHost(path, { timeoutMs: 10_000 });
  try {
    await work(server, client);
  } finally {
    client.close();
    await server.stop(0);
  }
}

test("serveUnix() makes folder and socket for the owner alone, and takes the socket away", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "run/patchbay/host.sock");
    await withServer(path, async (_server, client) => {
      assert.equal(statSync(join(folder, "run/patchbay")).mode & 0o777, 0o700);
      const socket = lstatSync(path);
      assert.ok(socket.isSocket());
      assert.equal(socket.mode & 0o777, 0o600);
      assert.equal((await client.getStatus()).version, "1.2.3");
    });
    assert.equal(existsSync(path), false);
  });
});

test("serveUnix() narrows a folder that was open to others", async () => {
  await withFolder(async (folder) => {
    mkdirSync(join(folder, "run"), { mode: 0o777 });
    await withServer(join(folder, "run/host.sock"), async () => {
      assert.equal(statSync(join(folder, "run")).mode & 0o777, 0o700);
    });
  });
});

for (const length of [107, 108, 300, 2000]) {
  test(`serveUnix() and connectHost() meet on a path of ${length} bytes`, async () => {
    await withFolder(async (folder) => {
      const path = pathOfLength(folder, length);
      await withServer(path, async (_server, client) => {
        assert.equal((await client.getStatus()).ready, true);
        assert.ok(lstatSync(path).isSocket());
      });
      assert.equal(existsSync(path), false);
    });
  });
}

test("shortenSocketPath() counts bytes, and gives back what it opened", async () => {
  await withFolder(async (folder) => {
    const wide = join(folder, "é".repeat(60), "s");
    mkdirSync(join(folder, "é".repeat(60)));
    const short = shortenSocketPath(wide);
    assert.match(short.path, /^\/proc\/self\/fd\/\d+\/s$/);
    const descriptor = short.path.slice(0, -2);
    assert.ok(existsSync(descriptor));
    short.close();
    assert.equal(existsSync(descriptor), false);
    assert.equal(shortenSocketPath("/run/x.sock").path, "/run/x.sock");
  });
});

test("serveUnix() replaces the socket of a dead server", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "host.sock");
    const script = `
      require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"));
    `;
    spawnSync(process.execPath, ["-e", script, path]);
    assert.ok(lstatSync(path).isSocket(), "kill -9 leaves the socket");
    await withServer(path, async (_server, client) => {
      assert.equal((await client.getStatus()).ready, true);
    });
  });
});

test("serveUnix() replaces a file that is no socket", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "host.sock");
    writeFileSync(path, "");
    await withServer(path, async (_server, client) => {
      assert.equal((await client.getStatus()).ready, true);
    });
  });
});

test("serveUnix() leaves a living server alone", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "host.sock");
    await withServer(path, async (_server, client) => {
      await assert.rejects(
        serveUnix(path, [statusService()]),
        (error: NodeJS.ErrnoException) =>
          error.code === "EADDRINUSE" && error.message === `Another process serves ${path}`,
      );
      assert.equal((await client.getStatus()).ready, true);
    });
  });
});

test("stop() lets a running call finish, and refuses new ones", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "host.sock");
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const wait = async () => {
      arrived.resolve();
      await gate.promise;
    };
    await withServer(
      path,
      async (server, client) => {
        const running = client.getStatus();
        await arrived.promise;
        const stopped = server.stop(60_000);
        gate.resolve();
        assert.equal((await running).ready, true);
        await stopped;
        const late = connectHost(path, { timeoutMs: 10_000 });
        await assert.rejects(late.getStatus(), isUnreachable);
        late.close();
      },
      wait,
    );
  });
});

test("stop() ends what does not finish in time", async () => {
  await withFolder(async (folder) => {
    const arrived = Promise.withResolvers<void>();
    const never = async () => {
      arrived.resolve();
      await new Promise(() => {});
    };
    await withServer(
      join(folder, "host.sock"),
      async (server, client) => {
        const running = client.getStatus();
        await arrived.promise;
        await Promise.all([server.stop(20), assert.rejects(running, HostCallError)]);
      },
      never,
    );
  });
});

test("connectHost() tells a host that is not there from one that refuses", async () => {
  await withFolder(async (folder) => {
    for (const path of [join(folder, "host.sock"), join(folder, "nowhere/host.sock")]) {
      const absent = connectHost(path, { timeoutMs: 10_000 });
      await assert.rejects(absent.getStatus(), isUnreachable);
      absent.close();
    }
    await withServer(join(folder, "host.sock"), async (_server, client) => {
      await assert.rejects(
        client.doctor(),
        (error) => error instanceof HostCallError && !error.unreachable,
      );
    });
  });
});

test("connectHost() ends a call at its deadline", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "host.sock");
    const server = await serveUnix(path, [statusService(() => new Promise(() => {}))]);
    const client = connectHost(path, { timeoutMs: 50 });
    await assert.rejects(client.getStatus(), isUnreachable);
    client.close();
    await server.stop(0);
  });
});

function isUnreachable(error: unknown): boolean {
  return error instanceof HostCallError && error.unreachable;
}

/** A path of so many bytes below the folder, with its folders made. */
function pathOfLength(folder: string, length: number): string {
  const leaf = "host.sock";
  let path = folder;
  for (;;) {
    const left = length - path.length - leaf.length - 2;
    if (left <= 0) break;
    path = join(path, "d".repeat(left > 220 ? 200 : left));
  }
  mkdirSync(path, { recursive: true });
  const full = join(path, leaf);
  assert.equal(full.length, length);
  return full;
}
