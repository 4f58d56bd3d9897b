import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ApiError } from "../api.ts";
import { outcomeOf } from "./write.ts";

/** As kube-apiserver 1.36.3 answers. */
const CASES: readonly (readonly [number, string, string, string])[] = [
  [0, "", "Cannot connect to https://10.0.0.1:6443", "away"],
  [404, "NotFound", 'pods "web" not found', "gone"],
  [409, "Conflict", "the object has been modified", "conflict"],
  [
    422,
    "Invalid",
    'The Pod "web" is invalid: metadata.uid: Invalid value: "u2": field is immutable',
    "conflict",
  ],
  [422, "Invalid", "metadata.annotations: Too long: must have at most 262144 bytes", "refused"],
  [401, "Unauthorized", "Unauthorized", "denied"],
  [
    403,
    "Forbidden",
    'pods "web" is forbidden: User "u" cannot patch resource "pods/status" in API group "" in the namespace "default"',
    "denied",
  ],
  [
    403,
    "Forbidden",
    'events "e1" is forbidden: unable to create new content in namespace x because it is being terminated',
    "refused",
  ],
  [403, "Forbidden", 'events "e1" is forbidden: exceeded quota: q', "refused"],
  [429, "TooManyRequests", "storage is (re)initializing", "away"],
  [500, "InternalError", "etcdserver: request timed out", "away"],
  [503, "ServiceUnavailable", "apiserver not ready", "away"],
];

describe("outcomeOf()", () => {
  for (const [status, reason, message, outcome] of CASES) {
    it(`of ${status} "${message.slice(0, 60)}" says ${outcome}`, () => {
      assert.equal(outcomeOf(new ApiError(message, { status, reason })), outcome);
    });
  }

  it("of what is no answer says away", () => {
    assert.equal(outcomeOf(new DOMException("aborted", "AbortError")), "away");
  });
});
