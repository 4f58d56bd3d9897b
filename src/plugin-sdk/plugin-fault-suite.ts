/** Plugins that join pods by veth pairs, refused at any operation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errno } from "../kernel/errno.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import { isPluginError } from "./expect-plugin-error.ts";
import { detachRequestOf } from "./network-plugin.ts";
import { check, openPluginWorld, type PluginUnderTest, withoutLo } from "./plugin-world.ts";

/** An errno at each operation of an attach in turn: what was made is removed by detach. */
export function pluginFaultSuite(tested: PluginUnderTest): void {
  for (const afterFailure of ["stop", "continue"] as const) {
    test(`${tested.name}: a kernel error at any operation leaves nothing (${afterFailure} after it)`, async () => {
      for (let failing = 1; ; failing++) {
        let count = -Infinity;
        const kernel = new FakeKernel({
          afterFailure,
          failOperation: () => (++count === failing ? errno.ENOMEM : undefined),
        });
        await using world = await openPluginWorld(tested, kernel);
        const warm = await world.pod("warm");
        await world.plugin.attach(warm);
        await world.plugin.detach(detachRequestOf(warm));
        const request = await world.pod("a");
        const before = withoutLo(kernel);
        count = 0;
        const failure = await world.plugin.attach(request).then(
          () => undefined,
          (error: unknown) => error,
        );
        const reached = count >= failing;
        count = -Infinity;
        if (reached) {
          isPluginError("transient", /eth0/)(failure);
          await world.plugin.detach(detachRequestOf(request));
          assert.equal(withoutLo(kernel), before, `operation ${failing}`);
          await world.plugin.attach(request);
          assert.deepEqual(await check(world, request), []);
        }
        if (!reached) {
          assert.ok(failing > 5, "an attach has more operations than that");
          return;
        }
      }
    });
  }
}
