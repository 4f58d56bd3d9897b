import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRuntimeEndpoint } from "./runtime-endpoint.ts";

for (const text of [
  "/run/containerd/containerd.sock",
  "unix:/run/containerd/containerd.sock",
  "unix:///run/containerd/containerd.sock",
]) {
  test(`parseRuntimeEndpoint() reads ${text}`, () => {
    assert.equal(parseRuntimeEndpoint(text), "/run/containerd/containerd.sock");
  });
}

for (const text of ["", "run/x.sock", "unix:run/x.sock", "unix://run/x.sock", "tcp://1.2.3.4:5"]) {
  test(`parseRuntimeEndpoint() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseRuntimeEndpoint(text), /Runtime endpoint .* is neither/);
  });
}
