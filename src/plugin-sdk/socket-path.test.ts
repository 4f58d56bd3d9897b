import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseSocketPath } from "./socket-path.ts";

const everything = {
  socket: "/option.sock",
  args: ["--socket", "/argument.sock"],
  env: { PATCHBAY_PLUGIN_SOCKET: "/environment.sock", PATCHBAY_ROOT: "/r" },
};

for (const [what, from, path] of [
  ["the option before all", everything, "/option.sock"],
  ["the argument next", { ...everything, socket: undefined }, "/argument.sock"],
  ["--socket=PATH", { args: ["-v", "--socket=/a.sock"], env: everything.env }, "/a.sock"],
  ["the environment next", { args: ["--verbose"], env: everything.env }, "/environment.sock"],
  ["nothing after --", { args: ["--", "--socket", "/a"], env: {} }, undefined],
  ["the host's folder", { args: [], env: {} }, "/run/patchbay/plugins/p.sock"],
  [
    "the host's folder below PATCHBAY_ROOT",
    { args: [], env: { PATCHBAY_ROOT: "/r", PATCHBAY_PLUGIN_SOCKET: "" } },
    "/r/run/patchbay/plugins/p.sock",
  ],
] as const) {
  test(`chooseSocketPath() takes ${what}`, () => {
    const place = chooseSocketPath("p", from);
    assert.equal(place.path, path ?? "/run/patchbay/plugins/p.sock");
    assert.equal(place.isDefault, place.path.includes("/patchbay/plugins/"));
  });
}

for (const args of [["--socket"], ["--socket="], ["--socket", "--verbose"]]) {
  test(`chooseSocketPath() refuses ${args.join(" ")}`, () => {
    assert.throws(() => chooseSocketPath("p", { args, env: {} }), /--socket needs the path/);
  });
}
