import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { privateNodeSkip } from "../kernel/private-node-skip.ts";
import type { StoreChange } from "./core/ports.ts";
import { PatchbayError } from "./errors.ts";
import { FakeStore } from "./fake-store.ts";
import { SqliteStore } from "./store-sqlite.ts";
import { makeLease, makeRecord, storeSuite } from "./store-suite.ts";

storeSuite("FakeStore", async () => {
  const store = new FakeStore();
  return { store, reopen: async () => store, [Symbol.asyncDispose]: async () => {} };
});

storeSuite("SqliteStore", async () => {
  const folder = makeFolder();
  let store = new SqliteStore(folder.database);
  return {
    store,
    async reopen() {
      await store.close();
      store = new SqliteStore(folder.database);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
});

test("SqliteStore and FakeStore agree on any commits", async () => {
  using folder = makeFolder();
  const store = new SqliteStore(folder.database);
  fc.assert(
    fc.property(fc.array(fc.array(change(), { maxLength: 4 }), { maxLength: 12 }), (commits) => {
      // One database for all runs: each goes on where the last one ended.
      const fake = new FakeStore();
      fake.commit(wholeState(store.load()));
      for (const changes of commits) {
        fake.commit(changes);
        store.commit(changes);
      }
      assert.deepEqual(sorted(store.load()), sorted(fake.load()));
    }),
    { numRuns: 60 },
  );
  await store.close();
});

test("a commit that fails half-way leaves nothing of it", async () => {
  using folder = makeFolder();
  const store = new SqliteStore(folder.database);
  store.commit([{ kind: "put-attachment", attachment: makeRecord("a", 1) }]);
  const before = store.load();
  const bad = { ...makeRecord("c", 3), createdWallMs: "no number" as unknown as number };
  assert.throws(
    () =>
      store.commit([
        { kind: "put-attachment", attachment: makeRecord("b", 2) },
        { kind: "put-attachment", attachment: bad },
      ]),
    isFailure(/^Cannot write the state database$/),
  );
  assert.deepEqual(store.load(), before);
  store.commit([{ kind: "put-attachment", attachment: makeRecord("b", 2) }]);
  assert.equal(store.load().attachments.length, 2);
  await store.close();
});

test("load() of damaged rows names the file and what to do", async () => {
  for (const damage of [
    "UPDATE attachments SET record = '{'",
    "UPDATE attachments SET record = 'null'",
    "UPDATE attachments SET record = '[]'",
    "INSERT INTO networks VALUES ('net', '{}', '{')",
    "INSERT INTO leases VALUES ('net', 'x', 24, NULL, 1, 'a', 'c', 'eth0', '', NULL)",
  ]) {
    using folder = makeFolder();
    const store = new SqliteStore(folder.database);
    store.commit([{ kind: "put-attachment", attachment: makeRecord("a", 1) }]);
    await store.close();
    const database = new DatabaseSync(folder.database);
    database.exec(damage);
    database.close();
    const again = new SqliteStore(folder.database);
    assert.throws(() => again.load(), isFailure(/^Cannot read the state database .*move it away/));
    await again.close();
  }
});

test("a full disk fails the commit and nothing else, and room makes it work again", {
  skip: privateNodeSkip,
}, async () => {
  using folder = makeFolder();
  const disk = dirname(folder.database);
  mkdirSync(disk, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
  try {
    const store = new SqliteStore(folder.database);
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(256 << 10));
    let written = 0;
    assert.throws(
      () => {
        for (;;) {
          store.commit([
            { kind: "put-attachment", attachment: makeRecord(`c${written}`, written) },
          ]);
          written++;
        }
      },
      isFailure(/^Cannot write the state database$/),
    );
    assert.ok(written > 10);
    assert.equal(store.load().attachments.length, written);
    assert.throws(() => store.commit([{ kind: "set-boot", bootId: "x".repeat(100_000) }]));
    rmSync(ballast);
    store.commit([{ kind: "put-attachment", attachment: makeRecord("after", 1_000_000) }]);
    await store.flush();
    await store.close();
    const again = new SqliteStore(folder.database);
    assert.equal(again.load().attachments.length, written + 1);
    await again.close();
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("kill -9 keeps what was committed, and nothing of a commit that was not done", () => {
  using folder = makeFolder();
  const script = `
    import { SqliteStore } from ${JSON.stringify(join(import.meta.dirname, "store-sqlite.ts"))};
    import { makeRecord } from ${JSON.stringify(join(import.meta.dirname, "store-suite.ts"))};
    const store = new SqliteStore(${JSON.stringify(folder.database)});
    store.commit([{ kind: "put-attachment", attachment: makeRecord("done", 1) }]);
    store.commit([
      { kind: "put-attachment", attachment: makeRecord("half", 2) },
      { kind: "delete-attachment", get id() { process.kill(process.pid, "SIGKILL"); } },
    ]);
  `;
  const args = ["--input-type=module", "--eval", script];
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(signal, "SIGKILL", stderr);
  const store = new SqliteStore(folder.database);
  assert.deepEqual(
    store.load().attachments.map((record) => record.containerId),
    ["done"],
  );
  void store.close();
});

test("a second opener is refused while the first is open, at once", async () => {
  using folder = makeFolder();
  const first = new SqliteStore(folder.database);
  assert.throws(
    () => new SqliteStore(folder.database),
    isFailure(/^Cannot open the state database/),
  );
  first.commit([{ kind: "set-boot", bootId: "mine" }]);
  await first.close();
  const second = new SqliteStore(folder.database);
  assert.equal(second.load().bootId, "mine");
  await second.close();
});

test("a database of a newer host is refused and stays as it is", () => {
  using folder = makeFolder();
  mkdirSync(dirname(folder.database), { recursive: true });
  const newer = new DatabaseSync(folder.database);
  newer.exec("CREATE TABLE leases (tomorrow TEXT); PRAGMA user_version = 2");
  newer.close();
  assert.throws(
    () => new SqliteStore(folder.database),
    (error) =>
      error instanceof PatchbayError &&
      /Written by a newer host \(schema 2, this one knows 1\)/.test(String(error.cause)),
  );
  const database = new DatabaseSync(folder.database);
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 2);
  database.close();
});

test("what is no database is refused and stays as it is", () => {
  using folder = makeFolder();
  mkdirSync(dirname(folder.database), { recursive: true });
  writeFileSync(folder.database, "hello, I am a text\n".repeat(1000));
  assert.throws(
    () => new SqliteStore(folder.database),
    isFailure(/^Cannot open the state database/),
  );
  assert.equal(statSync(folder.database).size, 19_000);
});

test("the folder is made for the owner alone", async () => {
  using folder = makeFolder();
  const store = new SqliteStore(folder.database);
  assert.equal(statSync(dirname(folder.database)).mode & 0o777, 0o700);
  await store.close();
});

function isFailure(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof PatchbayError && error.code === "IO_FAILURE" && message.test(error.message);
}

function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), "pb-store-"));
  return {
    database: join(path, "state/state.db"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

function change(): fc.Arbitrary<StoreChange> {
  const id = fc.constantFrom("a", "b", "c");
  const time = fc.integer({ min: 0, max: 9 });
  const network = fc.constantFrom("net", "other");
  return fc.oneof(
    fc.record({ kind: fc.constant("set-boot" as const), bootId: fc.string() }),
    fc.record({
      kind: fc.constant("put-network" as const),
      name: network,
      configJson: fc.string(),
    }),
    fc.record({
      kind: fc.constant("put-cursor" as const),
      network,
      cursor: fc.constantFrom({ x: 1 } as never, { x: 2 } as never),
    }),
    fc
      .tuple(id, time)
      .map(([name, ms]) => ({ kind: "put-attachment" as const, attachment: makeRecord(name, ms) })),
    id.map((name) => ({ kind: "delete-attachment" as const, id: makeRecord(name, 0).id })),
    fc
      .tuple(fc.constantFrom("10.0.0.2", "10.0.0.3", "fd00::2"), time, fc.option(time), network)
      .map(([address, sequence, released, name]) => ({
        kind: "put-lease" as const,
        lease: {
          ...makeLease(makeRecord("a", 0), address, sequence, released ?? undefined),
          network: name,
        },
      })),
    fc.record({ kind: fc.constant("forget-cooled" as const), network, releasedBeforeWallMs: time }),
  );
}

/** Changes that make a fresh store equal to a state. */
function wholeState(state: ReturnType<FakeStore["load"]>): StoreChange[] {
  return [
    { kind: "set-boot", bootId: state.bootId },
    ...state.networks.map((network): StoreChange => ({ kind: "put-network", ...network })),
    ...state.cursors.map((entry): StoreChange => ({ kind: "put-cursor", ...entry })),
    ...state.attachments.map((attachment): StoreChange => ({ kind: "put-attachment", attachment })),
    ...state.leases.map((lease): StoreChange => ({ kind: "put-lease", lease })),
  ];
}

/** The order among equals is nobody's promise. */
function sorted(state: ReturnType<FakeStore["load"]>) {
  const byText = (left: unknown, right: unknown) => (text(left) < text(right) ? -1 : 1);
  const text = (value: unknown) =>
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}` : inner));
  return {
    bootId: state.bootId,
    networks: state.networks.toSorted(byText),
    attachments: state.attachments.toSorted(byText),
    leases: state.leases.toSorted(byText),
    cursors: state.cursors.toSorted(byText),
  };
}
