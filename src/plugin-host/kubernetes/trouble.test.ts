import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "./api.ts";
import { describeTrouble, isForbidden } from "./trouble.ts";

function trouble(message: string, status: number): string {
  return describeTrouble(new ApiError(message, { status }));
}

test("describeTrouble() says who is forbidden to follow a resource", () => {
  const user = "system:serviceaccount:kube-system:patchbay";
  const refusal = `nodes is forbidden: User "${user}" cannot list resource "nodes" in API group "" at the cluster scope`;
  const said = trouble(`GET /api/v1/nodes was answered 403: ${refusal}`, 403);
  assert.equal(said, `user ${user} lacks the rights to list and watch`);
  assert.ok(isForbidden(said));
  assert.ok(isForbidden(trouble("no", 403)));
});

test("describeTrouble() tells of everything else as it is", () => {
  const said = trouble("connect ECONNREFUSED 192.0.2.10:6443", 0);
  assert.equal(said, "connect ECONNREFUSED 192.0.2.10:6443");
  assert.ok(!isForbidden(said));
});
