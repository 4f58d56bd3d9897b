import assert from "node:assert/strict";
import { PluginError } from "./network-plugin.ts";

/** For assert.rejects(): fails unless the error is one of this kind with these words. */
export function isPluginError(
  kind: PluginError["kind"],
  message: RegExp,
): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PluginError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  };
}
