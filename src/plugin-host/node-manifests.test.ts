import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import type { ObjectEvent } from "../services/objects.ts";
import { formatProblem } from "./manifests/object-source.ts";
import { Definitions } from "./networks/definitions.ts";
import { manifestsSource } from "./node-manifests.ts";
import { systemClock } from "./system-clock.ts";

const NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: one}\n";
const NETWORK = `apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: storage}
spec: {config: '{"type":"patchbay"}'}
`;

it("manifestsSource() feeds networks and Services from one folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-node-manifests-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "a.yaml"), `${NODE}---\n${NETWORK}`);
  writeFileSync(join(folder, "b.yaml"), "apiVersion: v1\nkind: Node\n");
  writeFileSync(join(folder, "n.yaml"), `${NETWORK}---\n${NETWORK}`);
  const definitions = new Definitions({
    isComplete: false,
    findConflist: () => undefined,
    events: { emit: () => {} },
  });
  const heard: ObjectEvent[] = [];
  const problems: string[] = [];
  let wake = () => {};
  const source = manifestsSource({ folder, clock: systemClock, definitions });
  cleanup.use(
    await source.open({
      onEvents(_, events) {
        heard.push(...events);
        wake();
      },
      onProblems: (_, found) => void problems.push(...found.map(formatProblem)),
    }),
  );
  const node = { kind: "Node", metadata: { name: "one", namespace: "" } };
  assert.deepEqual(heard, [{ kind: "relist", objects: [node] }]);
  const twice = (file: string, place: string) =>
    `${file}: NetworkAttachmentDefinition default/storage is in ${place} already, which counts`;
  const ofNetworks = [
    'n.yaml:8:11: metadata.name is "storage", but NetworkAttachmentDefinition default/storage is in this file already, which counts',
    twice("n.yaml:3:11", "a.yaml:7:11"),
  ];
  assert.deepEqual(problems, [
    "b.yaml:1:1: metadata is missing, expected a mapping",
    ...ofNetworks.toReversed(),
  ]);
  assert.deepEqual([...definitions.problems].sort(), [...ofNetworks].sort());
  assert.equal(definitions.isComplete, true);
  assert.equal(definitions.find("default", "storage")?.config.plugin, "routed");

  // A change of networks alone is no news for Services.
  const more = {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { name: "more" },
  };
  writeFileSync(join(folder, "c.json"), JSON.stringify({ ...more, spec: { config: "[]" } }));
  const told = new Promise<void>((resolve) => {
    wake = resolve;
  });
  rmSync(join(folder, "n.yaml"));
  rmSync(join(folder, "a.yaml"));
  await told;
  assert.deepEqual(heard.slice(1), [{ kind: "delete", key: "Node//one" }]);
  assert.deepEqual(
    definitions.list().map(({ name, place }) => [name, place]),
    [["more", "c.json:1"]],
  );
});
