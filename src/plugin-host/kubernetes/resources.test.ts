import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KINDS } from "../manifests/kinds.ts";
import { watchedResources } from "./resources.ts";

describe("watchedResources()", () => {
  const resources = watchedResources("one");

  it("has no two of one name", () => {
    assert.equal(new Set(resources.map(({ name }) => name)).size, resources.length);
  });

  it("follows every kind that is read, where the API has it", () => {
    const named = { metadata: { name: "a", namespace: "b" } };
    const kinds = resources.map((each) => each.keyOf(named)?.split("/", 1)[0] ?? "");
    assert.deepEqual(new Set(kinds), new Set(Object.keys(KINDS)));
    for (const each of resources) {
      const { name, path } = each;
      const [kindName = ""] = each.keyOf(named)?.split("/", 1) ?? [];
      const kind = KINDS[kindName as keyof typeof KINDS];
      const plural = name.split(" ", 1)[0]?.split(".", 1)[0] ?? "";
      const version = kind.versions[0];
      const group = kind.group === "" ? `/api/${version}` : `/apis/${kind.group}/${version}`;
      assert.equal(path, `${group}/${plural}`);
      assert.equal(name.split(" ", 1)[0], kind.group === "" ? plural : `${plural}.${kind.group}`);
    }
  });

  it("asks for each Node once: for its own whole, for the others' metadata", () => {
    const [own, others] = resources.filter(({ path }) => path === "/api/v1/nodes");
    assert.deepEqual(own?.query, { fieldSelector: "metadata.name=one" });
    assert.equal(own?.accept, undefined);
    assert.deepEqual(others?.query, { fieldSelector: "metadata.name!=one" });
    assert.match(others?.accept?.list ?? "", /;as=PartialObjectMetadataList;/);
    assert.match(others?.accept?.watch ?? "", /;as=PartialObjectMetadata;/);
  });

  it("does without what clusters may not have", () => {
    const optional = resources.filter(({ isOptional }) => isOptional).map(({ name }) => name);
    assert.deepEqual(optional, [
      "servicecidrs.networking.k8s.io",
      "network-attachment-definitions.k8s.cni.cncf.io",
      "ipamclaims.k8s.cni.cncf.io",
    ]);
  });
});
