import assert from "node:assert/strict";
import { test } from "node:test";
import { PatchbayError } from "../errors.ts";
import { requireVisible } from "./visibility.ts";

/** Pod's namespace, the network's, and whether the pod may have it: open, isolated. */
const CASES = [
  ["a", "a", true, true],
  ["a", "b", true, false],
  ["a", "default", true, false],
  ["a", "shared", true, true],
  ["shared", "a", true, false],
] as const;

test("requireVisible() keeps other namespaces' networks away where namespaces are isolated", () => {
  for (const [podNamespace, namespace, open, isolated] of CASES) {
    const wanted = { field: "networks[0]", podNamespace, namespace, name: "n" };
    const isAllowed = (namespaceIsolation: boolean) => {
      try {
        requireVisible(wanted, { namespaceIsolation, globalNamespaces: ["shared"] });
        return true;
      } catch (error) {
        assert.ok(error instanceof PatchbayError);
        assert.equal(
          error.message,
          `networks[0] names network ${namespace}/n, expected one of namespace ${podNamespace === "shared" ? "shared" : `${podNamespace}, shared`}: namespaces are isolated (networks.namespaceIsolation)`,
        );
        return false;
      }
    };
    const label = `${podNamespace} -> ${namespace}`;
    assert.deepEqual([isAllowed(false), isAllowed(true)], [open, isolated], label);
  }
});
