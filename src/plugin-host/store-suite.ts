import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAddress } from "../ip/address.ts";
import type { NetnsPath } from "../kernel/kernel.ts";
import { NO_WISHES } from "../plugin-sdk/network-plugin.ts";
import { type AttachmentRecord, attachmentIdOf } from "./core/attachment.ts";
import type { Store, StoreChange, StoredLease } from "./core/ports.ts";

/** A store of a test, and what stands for the death of its host. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** The same store as the next host finds it. */
  reopen(): Promise<Store>;
}

/** What every store must do. */
export function storeSuite(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store: ${name}`, () => {
    test("load() of a new store finds nothing", async () => {
      await using opened = await open();
      assert.deepEqual(opened.store.load(), EMPTY);
    });

    test("load() finds what was committed, the next host too", async () => {
      await using opened = await open();
      const record = makeRecord("a", 5);
      const held = makeLease(record, "10.0.0.2", 1);
      const cooling = makeLease(record, "fd00::2", 2, 1_700_000_000_123);
      const cursor = { "4": ["10.0.0.2"] } as never;
      opened.store.commit([
        { kind: "set-boot", bootId: "boot-1" },
        { kind: "put-network", name: "net", configJson: '{"name":"net"}' },
        { kind: "put-cursor", network: "net", cursor },
        { kind: "put-attachment", attachment: record },
        { kind: "put-lease", lease: held },
        { kind: "put-lease", lease: cooling },
      ]);
      const expected = {
        bootId: "boot-1",
        networks: [{ name: "net", configJson: '{"name":"net"}' }],
        attachments: [record],
        leases: [held, cooling],
        cursors: [{ network: "net", cursor }],
      };
      assert.deepEqual(opened.store.load(), expected);
      assert.deepEqual((await opened.reopen()).load(), expected);
    });

    test("commit() replaces what has the same key", async () => {
      await using opened = await open();
      const record = makeRecord("a", 5);
      const changed: AttachmentRecord = { ...record, state: { kind: "detaching" } };
      const lease = makeLease(record, "10.0.0.2", 1);
      const released = { ...lease, sequence: Number.MAX_SAFE_INTEGER, releasedWallMs: 9 };
      opened.store.commit([
        { kind: "set-boot", bootId: "boot-1" },
        { kind: "put-attachment", attachment: record },
        { kind: "put-lease", lease },
        { kind: "put-network", name: "net", configJson: "{}" },
      ]);
      opened.store.commit([
        { kind: "set-boot", bootId: "boot-2" },
        { kind: "put-attachment", attachment: changed },
        { kind: "put-lease", lease: released },
        { kind: "put-network", name: "net", configJson: '{"mtu":1}' },
      ]);
      assert.deepEqual((await opened.reopen()).load(), {
        bootId: "boot-2",
        networks: [{ name: "net", configJson: '{"mtu":1}' }],
        attachments: [changed],
        leases: [released],
        cursors: [],
      });
    });

    test("commit() of a delete forgets the attachment; of what is not there, nothing happens", async () => {
      await using opened = await open();
      const record = makeRecord("a", 5);
      opened.store.commit([{ kind: "put-attachment", attachment: record }]);
      opened.store.commit([
        { kind: "delete-attachment", id: record.id },
        { kind: "delete-attachment", id: record.id },
      ]);
      assert.deepEqual((await opened.reopen()).load(), EMPTY);
    });

    test("commit() of forget-cooled drops what was released before, of that network alone", async () => {
      await using opened = await open();
      const record = makeRecord("a", 5);
      const other = { ...makeLease(record, "10.0.0.9", 9, 1), network: "other" };
      const held = makeLease(record, "10.0.0.2", 1);
      const late = makeLease(record, "10.0.0.4", 3, 1000);
      const changes: StoreChange[] = [held, makeLease(record, "10.0.0.3", 2, 999), late, other].map(
        (lease) => ({ kind: "put-lease", lease }),
      );
      opened.store.commit(changes);
      opened.store.commit([{ kind: "forget-cooled", network: "net", releasedBeforeWallMs: 1000 }]);
      assert.deepEqual((await opened.reopen()).load().leases, [held, other, late]);
    });

    test("commit() of delete-network forgets it with cursor and leases, and no other", async () => {
      await using opened = await open();
      const record = makeRecord("a", 5);
      const other = { ...makeLease(record, "10.0.0.9", 9, 1), network: "other" };
      const cursor = { nextSequence: 10 };
      opened.store.commit([
        { kind: "put-network", name: "net", configJson: "{}" },
        { kind: "put-cursor", network: "net", cursor },
        { kind: "put-lease", lease: makeLease(record, "10.0.0.2", 1, 7) },
        { kind: "put-network", name: "other", configJson: "{}" },
        { kind: "put-cursor", network: "other", cursor },
        { kind: "put-lease", lease: other },
      ]);
      opened.store.commit([{ kind: "delete-network", name: "net" }]);
      const { networks, cursors, leases } = (await opened.reopen()).load();
      assert.deepEqual(networks, [{ name: "other", configJson: "{}" }]);
      assert.deepEqual(cursors, [{ network: "other", cursor }]);
      assert.deepEqual(leases, [other]);
    });

    test("load() gives attachments by age, leases as they were released", async () => {
      await using opened = await open();
      const [young, old] = [makeRecord("a", 9), makeRecord("b", 3)];
      const leases = [
        makeLease(old, "10.0.0.5", 7, 200),
        makeLease(old, "10.0.0.3", 9, 100),
        makeLease(old, "10.0.0.4", 8, 100),
        makeLease(old, "10.0.0.2", 11),
        makeLease(old, "fd00::2", 10),
      ];
      opened.store.commit([
        { kind: "put-attachment", attachment: young },
        { kind: "put-attachment", attachment: old },
        ...leases.map((lease): StoreChange => ({ kind: "put-lease", lease })),
      ]);
      const state = (await opened.reopen()).load();
      assert.deepEqual(
        state.attachments.map((record) => record.containerId),
        ["b", "a"],
      );
      assert.deepEqual(
        state.leases.map((lease) => lease.sequence),
        [10, 11, 8, 9, 7],
      );
    });

    test("flush() resolves, however many ask at once, and between commits", async () => {
      await using opened = await open();
      const flushes: Promise<void>[] = [];
      for (let index = 0; index < 20; index++) {
        opened.store.commit([
          { kind: "put-attachment", attachment: makeRecord(`c${index}`, index) },
        ]);
        flushes.push(opened.store.flush());
      }
      await Promise.all(flushes);
      assert.equal((await opened.reopen()).load().attachments.length, 20);
    });
  });
}

const EMPTY = { bootId: "", networks: [], attachments: [], leases: [], cursors: [] };

/** A record with something in every field. */
export function makeRecord(containerId: string, createdWallMs: number): AttachmentRecord {
  const key = { network: "net", containerId, ifname: "eth0" };
  const id = attachmentIdOf(key);
  return {
    ...key,
    id,
    netns: `/run/netns/${containerId}` as NetnsPath,
    netnsIdentity: "4:4026532000",
    plugin: "routed",
    cniNetwork: "net",
    primaryId: id,
    after: [],
    request: {
      attachmentId: id,
      pod: { namespace: "default", name: 'we"b\n-0', uid: "ü", labels: {} },
      sandboxId: containerId,
      netns: `/run/netns/${containerId}`,
      ifname: "eth0",
      network: "net",
      configJson: '{"name":"net"}',
      addresses: [{ address: "10.0.0.2/24", gateway: "10.0.0.1" }],
      routes: [],
      mac: "",
      mtu: 0,
      device: null,
      masquerade: null,
      ...NO_WISHES,
    },
    state: { kind: "attaching" },
    createdWallMs,
  };
}

export function makeLease(
  record: AttachmentRecord,
  address: string,
  sequence: number,
  releasedWallMs?: number,
): StoredLease {
  const isV6 = address.includes(":");
  return {
    network: "net",
    address: parseAddress(address),
    prefixLength: isV6 ? 64 : 24,
    gateway: isV6 ? undefined : parseAddress("10.0.0.1"),
    sequence,
    attachmentId: record.id,
    containerId: record.containerId,
    ifname: record.ifname,
    podUid: "",
    releasedWallMs,
  };
}
