import assert from "node:assert/strict";
import { test } from "node:test";
import { createRoutedPlugin } from "../../plugins/routed/plugin.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import { FakeNftables } from "../kernel/fake-nftables.ts";
import type { NetnsPath } from "../kernel/kernel.ts";
import { linkNamesOf } from "./link-names.ts";
import { attachRequest } from "./plugin-suite.ts";

test("attach() whose link vanishes meanwhile fails at once instead of waiting for it", async () => {
  const kernel = new FakeKernel();
  const request = attachRequest({
    addresses: [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }],
  });
  await kernel.createNetns(request.netns as NetnsPath);
  const { hostIfname } = linkNamesOf(request.attachmentId);
  const apply = kernel.apply.bind(kernel);
  kernel.apply = async (batches) => {
    const result = await apply(batches);
    if (await kernel.findLink(hostIfname)) await kernel.removeLinks([hostIfname]);
    return result;
  };
  const plugin = createRoutedPlugin({ kernel, nftables: new FakeNftables() });
  const startMs = performance.now();
  await assert.rejects(plugin.attach(request), /does not come up/);
  assert.ok(performance.now() - startMs < 1000);
});
