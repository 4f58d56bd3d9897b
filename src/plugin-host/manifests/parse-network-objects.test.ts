import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatProblem } from "./object-source.ts";
import { parseManifest } from "./parse-manifest.ts";

async function parse(text: string, name = "nets.yaml") {
  const options = { name, objectsMax: 100, problemsMax: 10, breathe: () => undefined };
  const { objects, problems, notes } = await parseManifest(text, options);
  return { objects: [...objects.values()], problems: [...problems, ...notes].map(formatProblem) };
}

/** As most people write them: text over several lines in single quotes. */
const QUOTED = `apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata:
  name: storage
  namespace: prod
  annotations:
    k8s.v1.cni.cncf.io/resourceName: example.com/nic
spec:
  config: '{
      "cniVersion": "0.3.1",
      "type": "macvlan"
    }'
`;
const BLOCK = `apiVersion: "k8s.cni.cncf.io/v1"
kind: NetworkAttachmentDefinition
metadata: {name: other}
spec:
  config: |
    {"type": "ptp"}
`;
const CLAIM = `apiVersion: k8s.cni.cncf.io/v1alpha1
kind: IPAMClaim
metadata: {name: vm, namespace: prod}
spec:
  network: storage
  interface: net1
`;

describe("parseManifest() of network objects", () => {
  it("reads definitions with the place where they stand, and claims", async () => {
    const { objects, problems } = await parse(`# nets\n---\n${QUOTED}---\n${BLOCK}---\n${CLAIM}`);
    assert.deepEqual(problems, []);
    const [storage, other, claim] = objects;
    assert.ok(storage?.kind === "NetworkAttachmentDefinition");
    assert.deepEqual(JSON.parse(storage.spec.config), { cniVersion: "0.3.1", type: "macvlan" });
    assert.deepEqual(
      [storage.place, storage.metadata],
      [
        "nets.yaml:3",
        {
          name: "storage",
          namespace: "prod",
          annotations: { "k8s.v1.cni.cncf.io/resourceName": "example.com/nic" },
        },
      ],
    );
    assert.deepEqual(other, {
      kind: "NetworkAttachmentDefinition",
      metadata: { name: "other", namespace: "default" },
      spec: { config: '{"type": "ptp"}\n' },
      place: "nets.yaml:16",
    });
    assert.deepEqual(claim, {
      kind: "IPAMClaim",
      metadata: { name: "vm", namespace: "prod" },
      spec: { network: "storage", interface: "net1" },
    });
  });

  it("takes a definition without spec or config for one of the node's", async () => {
    for (const spec of ["", "spec: {}\n", "spec: {config: null}\n", 'spec: {config: ""}\n']) {
      const head = BLOCK.slice(0, BLOCK.indexOf("spec"));
      const { objects, problems } = await parse(head + spec);
      assert.deepEqual([objects.length, problems], [1, []], spec);
      assert.deepEqual((objects[0] as { spec: unknown }).spec, { config: "" });
    }
  });

  it("says in which file a definition of a list is", async () => {
    const item = { metadata: { name: "a" }, spec: { config: "{}" } };
    const list = {
      apiVersion: "k8s.cni.cncf.io/v1",
      kind: "NetworkAttachmentDefinitionList",
      items: [item],
    };
    const { objects } = await parse(JSON.stringify(list), "nets.json");
    assert.equal((objects[0] as { place: string }).place, "nets.json");
  });

  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      BLOCK,
      'config: |\n    {"type": "ptp"}',
      "config: {type: ptp}",
      "5:11: spec.config is a mapping, expected a CNI configuration as text of at most 1048576 characters",
    ],
    [BLOCK, "name: other", "name: Other", '3:11: metadata.name is "Other", expected a DNS name'],
    [
      BLOCK,
      "cncf.io/v1",
      "cncf.io/v2",
      '1:13: apiVersion is "k8s.cni.cncf.io/v2", expected k8s.cni.cncf.io/v1 of a NetworkAttachmentDefinition',
    ],
    [
      BLOCK,
      "AttachmentDefinition",
      "AttachmentDefinitions",
      '2:7: kind "NetworkAttachmentDefinitions" is not read, did you mean NetworkAttachmentDefinition?',
    ],
    [
      CLAIM,
      "network: storage",
      "net: storage",
      "5:3: spec.network is missing, expected the name of a network",
    ],
    [
      CLAIM,
      "interface: net1",
      "interface: 1",
      "6:14: spec.interface is 1, expected text of at most 1024 characters",
    ],
    [CLAIM, /spec:[^]*/.exec(CLAIM)?.[0] ?? "", "", "1:1: spec is missing, expected a mapping"],
  ];
  for (const [text, from, to, message] of cases) {
    it(`says ${message}`, async () => {
      assert.ok(text.includes(from));
      assert.deepEqual((await parse(text.replace(from, to))).problems, [`nets.yaml:${message}`]);
    });
  }
});
