import assert from "node:assert/strict";
import { test } from "node:test";
import { CriCallError } from "../../rpc/cri-client.ts";
import type { HostEvent } from "../core/ports.ts";
import { FakeClock } from "../fake-clock.ts";
import { settled } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";
import { SandboxLists } from "./sandbox-lists.ts";

/** A container runtime that lives, dies and comes back. */
class FakeRuntime {
  readonly clock = new FakeClock();
  readonly events: HostEvent[] = [];
  readonly ids = new Set(["a"]);
  life = 1;
  unready = "";
  open = 0;
  /** Looks for it, and lists that it was asked for. */
  looks = 0;
  asked = 0;
  /** Awaited before each list; fails it when it rejects. */
  before: () => Promise<void> = async () => {};
  readonly lists = new SandboxLists({
    clock: this.clock,
    events: { emit: (event) => this.events.push(event) },
    name: "/run/cri.sock",
    identify: async () => {
      this.looks++;
      if (this.life === 0) throw new Error("ENOENT");
      return String(this.life);
    },
    connect: async () => {
      this.open++;
      return {
        findUnready: async () => this.unready,
        listSandboxes: async () => {
          this.asked++;
          await this.before();
          return new Set(this.ids);
        },
        close: () => void this.open--,
      };
    },
  });

  /** "a b", with "?" behind it while it is not settled; "-": it says nothing. */
  async ask(): Promise<string> {
    const list = await this.lists.ask();
    if (!list) return "-";
    return [...list.ids].join(" ") + (list.isSettled ? "" : "?");
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}

test("ask() of a runtime that was there from the start counts at once", async () => {
  const runtime = new FakeRuntime();
  assert.equal(await runtime.ask(), "a");
  assert.equal(await runtime.ask(), "a");
  assert.deepEqual([runtime.open, runtime.kinds()], [1, []]);
});

test("ask() of a runtime that was started anew is not settled for a while", async () => {
  const runtime = new FakeRuntime();
  await runtime.ask();
  runtime.life = 2;
  runtime.ids.clear();
  assert.equal(await runtime.ask(), "?");
  runtime.clock.advance(LIMITS.runtimeSettleMs - 1);
  assert.equal(await runtime.ask(), "?");
  runtime.clock.advance(1);
  assert.equal(await runtime.ask(), "");
  assert.deepEqual([runtime.open, runtime.kinds()], [1, []]);
});

test("ask() in whose middle the runtime is started anew says nothing", async () => {
  const runtime = new FakeRuntime();
  await runtime.ask();
  runtime.before = async () => void (runtime.life = 2);
  assert.equal(await runtime.ask(), "-");
  assert.equal(runtime.open, 0);
});

test("ask() of a runtime that is not ready says nothing", async () => {
  const runtime = new FakeRuntime();
  runtime.unready = "recovering";
  assert.equal(await runtime.ask(), "-");
  assert.match(runtime.events[0]?.message ?? "", /does not say which pods.*recovering/);
  assert.deepEqual([runtime.open, runtime.asked], [0, 0]);
});

test("a runtime that fails is told of once, left alone longer and longer, and told of when it is back", async () => {
  const runtime = new FakeRuntime();
  runtime.life = 0;
  const triedAtMs: number[] = [];
  let before = runtime.clock.monotonicMs();
  for (let second = 0; second < 300; second++) {
    runtime.clock.advance(1_000);
    const { looks } = runtime;
    assert.equal(await runtime.ask(), "-");
    if (runtime.looks === looks) continue;
    triedAtMs.push(runtime.clock.monotonicMs() - before);
    before = runtime.clock.monotonicMs();
  }
  assert.deepEqual(
    triedAtMs,
    [1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000],
  );
  assert.deepEqual(runtime.kinds(), ["runtime-failed"]);
  runtime.life = 1;
  runtime.clock.advance(LIMITS.runtimeRetryMaxMs);
  assert.equal(await runtime.ask(), "a?");
  assert.deepEqual(runtime.kinds(), ["runtime-failed", "runtime-recovered"]);
});

test("a runtime that is slow once has forgotten nothing", async () => {
  const runtime = new FakeRuntime();
  await runtime.ask();
  runtime.before = () => Promise.reject(new CriCallError("ListPodSandbox", { isLate: true }));
  assert.equal(await runtime.ask(), "-");
  runtime.before = async () => {};
  runtime.clock.advance(LIMITS.runtimeRetryMinMs);
  assert.equal(await runtime.ask(), "a");
});

test("a call that breaks may hide a restart: what comes then is not settled", async () => {
  const runtime = new FakeRuntime();
  await runtime.ask();
  runtime.before = () => Promise.reject(new CriCallError("ListPodSandbox", { isLate: false }));
  assert.equal(await runtime.ask(), "-");
  runtime.before = async () => {};
  runtime.clock.advance(LIMITS.runtimeRetryMinMs);
  assert.equal(await runtime.ask(), "a?");
});

test("ask() beside one under way waits for a list that is begun later, which those who wait share", async () => {
  const runtime = new FakeRuntime();
  const held = Promise.withResolvers<void>();
  runtime.before = () => held.promise;
  const first = runtime.ask();
  const others = [runtime.ask(), runtime.ask()];
  await settled();
  assert.equal(runtime.asked, 1);
  runtime.ids.add("b");
  runtime.before = async () => void runtime.ids.add("c");
  held.resolve();
  assert.equal(await first, "a b");
  assert.deepEqual(await Promise.all(others), ["a b c", "a b c"]);
  assert.equal(runtime.asked, 2);
});

test("close() hangs up when the call under way ends", async () => {
  const runtime = new FakeRuntime();
  const held = Promise.withResolvers<void>();
  runtime.before = () => held.promise;
  const first = runtime.ask();
  await settled();
  runtime.lists.close();
  assert.equal(runtime.open, 1);
  held.resolve();
  await first;
  assert.deepEqual([runtime.open, await runtime.ask()], [0, "-"]);
});
