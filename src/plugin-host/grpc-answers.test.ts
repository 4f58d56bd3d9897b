import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeWatcher } from "./fake-watcher.ts";
import { push, writePaced } from "./grpc-answers.ts";
import { LIMITS } from "./limits.ts";

const MIB = 1 << 20;

describe("push()", () => {
  it("hangs up on a watcher that is too many messages behind", () => {
    const watcher = new FakeWatcher<object, string>({}, { isReading: false });
    let count = 0;
    while (push(watcher.call, "x")) count++;
    assert.equal(count, LIMITS.watchBacklogMax);
    assert.deepEqual(watcher.errors, ["The watcher is 1000 messages behind"]);
  });

  it("hangs up on a watcher that is too many bytes behind", () => {
    const watcher = new FakeWatcher<object, object>({}, { isReading: false });
    let count = 0;
    while (push(watcher.call, { endpoints: [{ pod: "x".repeat(MIB) }] })) count++;
    assert.equal(count, LIMITS.watchBacklogBytesMax / MIB - 1);
    assert.deepEqual(watcher.errors, ["The watcher is 33554432 bytes behind"]);
  });

  it("gives a watcher that reads any number of bytes, and a single message of any size", async () => {
    const watcher = new FakeWatcher<object, string>({}, { isReading: true });
    const text = "x".repeat(LIMITS.watchBacklogBytesMax + 1);
    for (let round = 1; round <= 3; round++) {
      assert.ok(push(watcher.call, text));
      while (watcher.seen.length < round) await new Promise(setImmediate);
    }
    assert.deepEqual(watcher.errors, []);
  });
});

describe("writePaced()", () => {
  it("holds no more than the stream does until the watcher reads, or goes", async () => {
    for (const goes of [false, true]) {
      const watcher = new FakeWatcher<object, number>({}, { isReading: false });
      let written = 0;
      const writing = (async () => {
        for (let number = 0; number < 100; number++) {
          written++;
          if (!(await writePaced(watcher.call, number))) return false;
        }
        return true;
      })();
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
      assert.equal(written, watcher.writableHighWaterMark);
      if (goes) watcher.cancel();
      else watcher.read();
      assert.equal(await writing, !goes);
      assert.equal(watcher.listenerCount("drain"), 0);
    }
  });
});
