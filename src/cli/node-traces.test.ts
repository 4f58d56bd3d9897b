import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openKernel } from "../kernel/rtnetlink-kernel.ts";
import { macOfName } from "../plugin-sdk/link-names.ts";
import { removeNodeTraces } from "./node-traces.ts";

const skip = process.env["PATCHBAY_PRIVATE_NODE"] === "1" ? false : "needs a private node";

test("removeNodeTraces() removes our links and leaves what others use", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-traces-"));
  const kernel = await openKernel();
  const bridge = { type: "bridge" } as const;
  try {
    const conflist = join(folder, "10-patchbay.conflist");
    const plugins = [{ type: "patchbay", plugin: "bridge", bridge: "pbt0" }];
    writeFileSync(conflist, JSON.stringify({ name: "traces", plugins }));
    await kernel.apply([
      {
        operations: [
          { kind: "add-link", name: "patchbay0", link: bridge },
          { kind: "add-link", name: "pbt0", link: bridge, mac: macOfName("pbt0") },
          // Another's bridge: no name that the conflist has.
          { kind: "add-link", name: "pbt1", link: bridge, mac: macOfName("pbt1") },
          {
            kind: "add-link",
            name: "pbtport",
            link: { type: "veth", peer: { name: "pbtpeer" } },
            master: "pbt0",
          },
        ],
      },
    ]);
    assert.deepEqual(await removeNodeTraces(conflist), ["link patchbay0"]);
    await kernel.removeLinks(["pbtport"]);
    assert.deepEqual(await removeNodeTraces(conflist), ["link pbt0"]);
    const left = (await kernel.links()).map((link) => link.name);
    assert.ok(left.includes("pbt1") && !left.includes("pbt0") && !left.includes("patchbay0"));
    assert.deepEqual(await removeNodeTraces(join(folder, "absent")), []);
  } finally {
    await kernel.removeLinks(["patchbay0", "pbt0", "pbt1", "pbtport"]);
    await kernel.close();
    rmSync(folder, { recursive: true });
  }
});
