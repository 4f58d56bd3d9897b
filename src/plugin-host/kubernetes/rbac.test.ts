import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { watchedResources } from "./resources.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** "list services", "watch endpointslices.discovery.k8s.io": each thing that the role allows. */
function allowed(): string[] {
  const file = join(import.meta.dirname, "../../../deploy/kubernetes/rbac.yaml");
  const objects = parseAllDocuments(readFileSync(file, "utf8")).map((each) => each.toJS());
  const role = objects.find(({ kind }) => kind === "ClusterRole") as { readonly rules: Rule[] };
  const all = role.rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => `${verb} ${resource}${group === "" ? "" : `.${group}`}`),
      ),
    ),
  );
  return all.toSorted();
}

test("deploy/kubernetes/rbac.yaml allows what is watched and published, each once, and nothing more", () => {
  const followed = new Set(watchedResources("n1").map(({ name }) => name.split(" ", 1)[0] ?? ""));
  const wanted = [...followed].flatMap((name) => [`list ${name}`, `watch ${name}`]);
  const published = ["patch nodes/status", "patch pods/status", "create events", "patch events"];
  assert.deepEqual(allowed(), [...wanted, ...published].toSorted());
});
