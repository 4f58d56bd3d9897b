import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Leftovers, OWNER_VARIABLE, ownerOf } from "./leftovers.ts";

test("settle() ends although somebody starts such processes again and again", async () => {
  const folder = `/run/leftovers-${process.pid}`;
  const pod = spawn(
    "sh",
    [
      "-c",
      `while :; do ${OWNER_VARIABLE}="$0" sh -c "echo; sleep 60"; done`,
      ownerOf(folder, "a1"),
    ],
    { stdio: ["ignore", "pipe", "ignore"], detached: true },
  );
  try {
    await once(pod.stdout, "data");
    let ends = 0;
    pod.stdout.on("data", () => ends++);
    await new Leftovers(folder).settle("a1", 50);
    assert.ok(ends > 0, "none was killed");
    await new Leftovers(folder).settle("a2", 50);
  } finally {
    process.kill(-(pod.pid ?? 0), "SIGKILL");
  }
});
