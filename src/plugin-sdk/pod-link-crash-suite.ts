/** Plugins whose links lie in the pod alone, killed or refused at any step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errno } from "../kernel/errno.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { HeldAttachments } from "./held-attachments.ts";
import { detachRequestOf, detachRequestOfId } from "./network-plugin.ts";
import { withoutLo } from "./plugin-world.ts";
import { openPodLinkWorld, type PodLinkUnderTest } from "./pod-link-world.ts";

/**
 * Killed between any two steps of Attach and of Detach, or refused any one step: the next call finishes or
 * undoes it, in another process or in the same.
 */
export function podLinkCrashSuite<Detail>(tested: PodLinkUnderTest<Detail>): void {
  for (const verb of ["attach", "detach"] as const) {
    for (const what of ["killed at", "refused"] as const) {
      for (const afterFailure of ["stop", "continue"] as const) {
        test(`${tested.name}: ${verb}() ${what} any step (${afterFailure} after it), then each way to go on`, async () => {
          const kinds = ["detach", "detach by id", "attach"] as const;
          for (const next of verb === "attach" ? kinds : kinds.slice(0, 2)) {
            let at = 0;
            const scene = { verb, next, what, afterFailure } as const;
            while (await crashOnce(tested, { ...scene, at: ++at })) assert.ok(at < 100);
            assert.ok(at > (verb === "attach" ? 6 : 2), `${verb} has more steps than ${at}`);
          }
        });
      }
    }
  }
}

/** False when the call was over before the step. */
async function crashOnce<Detail>(
  tested: PodLinkUnderTest<Detail>,
  scene: {
    readonly verb: "attach" | "detach";
    readonly what: "killed at" | "refused";
    readonly afterFailure: "stop" | "continue";
    readonly next: string;
    readonly at: number;
  },
): Promise<boolean> {
  let left = Number.POSITIVE_INFINITY;
  const isDead = (): boolean => (scene.what === "refused" ? --left === -1 : --left < 0);
  const kernel = new FakeKernel({
    failOperation: () => (isDead() ? errno.ENOMEM : undefined),
    afterFailure: scene.afterFailure,
  });
  await using world = await openPodLinkWorld(tested, kernel);
  const request = await world.pod("a", { mac: "02:00:00:00:aa:01", mtu: 1400 });
  const before = withoutLo(kernel);
  const answer = await world.plugin.attach(request);
  const attachedState = withoutLo(kernel);
  if (scene.verb === "attach") await world.plugin.detach(detachRequestOf(request));

  const held = new MortalHeld<Detail>(world.folder, isDead);
  const victim = tested.create({ kernel: mortal(kernel, isDead), held });
  left = scene.at - 1;
  const call =
    scene.verb === "attach" ? victim.attach(request) : victim.detach(detachRequestOf(request));
  await call.then(
    () => {},
    () => {},
  );
  const died = left < 0;
  left = Number.POSITIVE_INFINITY;

  const where = `${scene.verb} ${scene.what} step ${scene.at}, then ${scene.next}`;
  const successor = scene.what === "refused" ? victim : world.restart();
  if (scene.next === "attach") {
    assert.deepEqual(await successor.attach(request), answer, where);
    assert.equal(withoutIndexes(withoutLo(kernel)), withoutIndexes(attachedState), where);
    assert.deepEqual(
      await successor.check({ attachment: request, attached: answer, repair: false }),
      [],
    );
  }
  const isHeld = (await successor.list({ network: "" })).length > 0;
  if (scene.next === "detach by id") {
    // The host learns of it by List alone.
    if (isHeld) await successor.detach(detachRequestOfId(request.attachmentId));
  } else await successor.detach(detachRequestOf(request));
  assert.equal(withoutIndexes(withoutLo(kernel)), withoutIndexes(before), where);
  assert.deepEqual(await successor.list({ network: "" }), [], where);
  return died;
}

class MortalHeld<Detail> extends HeldAttachments<Detail> {
  readonly #isDead: () => boolean;

  constructor(folder: string, isDead: () => boolean) {
    super(folder);
    this.#isDead = isDead;
  }

  override write(held: Parameters<HeldAttachments<Detail>["write"]>[0]): void {
    if (this.#isDead()) throw new Error("dead");
    super.write(held);
  }

  override remove(attachmentId: string): void {
    if (this.#isDead()) throw new Error("dead");
    super.remove(attachmentId);
  }
}

/** A kernel that does not remove links once it is dead; operations fail by failOperation. */
function mortal(kernel: FakeKernel, isDead: () => boolean): Kernel {
  return new Proxy(kernel, {
    get(target, key) {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== "function") return value;
      const own = value.bind(target) as (...args: unknown[]) => unknown;
      if (key !== "removeLinks") return own;
      return async (...args: unknown[]) => {
        if (isDead()) throw new Error("dead");
        return own(...args);
      };
    },
  });
}

/** A link that comes again has another index. */
function withoutIndexes(text: string): string {
  return text.replaceAll(/ifindex \d+/g, "");
}
