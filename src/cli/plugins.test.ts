import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GetStatusResponse__Output } from "../rpc/generated/patchbay/host/v1/GetStatusResponse.ts";
import { fakePlugin, runCli } from "./fake-context.ts";

function hostWith(...plugins: ReturnType<typeof fakePlugin>[]) {
  return { getStatus: async () => ({ plugins }) as unknown as GetStatusResponse__Output };
}

const weave = fakePlugin({
  name: "weave",
  version: "2.1.0",
  builtIn: false,
  socket: "/run/patchbay/plugins/weave.sock",
  capabilities: [],
  networks: ["blue", "default/red"],
  attachments: 12,
});

describe("patchbay plugins", () => {
  it("shows a row for each", async () => {
    const { stdout, exitCode } = await runCli(["plugins"], { host: hostWith(fakePlugin(), weave) });
    assert.equal(
      stdout,
      [
        "PLUGIN  VERSION  ROLES    SOCKET                            CAPABILITIES        NETWORKS           ATTACHMENTS  STATE",
        "routed  0.1.0    network  built in                          attach-in-parallel  patchbay                     3  ok",
        "weave   2.1.0    network  /run/patchbay/plugins/weave.sock  -                   blue, default/red           12  ok",
        "",
      ].join("\n"),
    );
    assert.equal(exitCode, 0);
  });

  it("tells what to know of one that can be called, and exits 0", async () => {
    const note = "Attach hung at 18:31:02 UTC, on trial until a call of it ends";
    const host = hostWith(fakePlugin(), { ...weave, note });
    const { stdout, exitCode } = await runCli(["plugins"], { host });
    assert.match(stdout, / 12 {2}Attach hung at 18:31:02 UTC/);
    assert.equal(exitCode, 0);
  });

  it("exits 1 when one of them cannot be called, and says why", async () => {
    const host = hostWith(fakePlugin(), { ...weave, trouble: "it hangs\u001b[2J" });
    const { stdout, exitCode } = await runCli(["plugins"], { host });
    assert.match(stdout, /it hangs\\u\{1b\}\[2J/);
    assert.equal(exitCode, 1);
  });

  it("prints the messages of host.v1 as JSON", async () => {
    const { stdout } = await runCli(["plugins", "--json"], { host: hostWith(weave) });
    assert.deepEqual(JSON.parse(stdout), { plugins: [weave] });
  });
});
