import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Node, type ObjectKey, objectKey } from "../../services/objects.ts";
import { type ManifestObject, manifestKey } from "./manifest-object.ts";
import { ObjectIndex } from "./object-index.ts";

function node(name: string, podCIDR?: string): Node {
  return { kind: "Node", metadata: { name, namespace: "" }, ...(podCIDR && { spec: { podCIDR } }) };
}

function file(...nodes: readonly Node[]): Map<ObjectKey, ManifestObject> {
  return new Map(nodes.map((each) => [objectKey(each), each]));
}

describe("ObjectIndex", () => {
  it("tells what is new, changed and gone of a file, and nothing else", () => {
    const index = new ObjectIndex();
    assert.deepEqual(index.replace("a", file(node("x"), node("y"))), [
      { kind: "put", object: node("x") },
      { kind: "put", object: node("y") },
    ]);
    assert.deepEqual(index.replace("a", file(node("x"), node("y"))), []);
    assert.deepEqual(index.replace("a", file(node("x", "10.0.0.0/24"), node("z"))), [
      { kind: "delete", key: "Node//y" },
      { kind: "put", object: node("x", "10.0.0.0/24") },
      { kind: "put", object: node("z") },
    ]);
    assert.deepEqual(index.replace("a", file()), [
      { kind: "delete", key: "Node//x" },
      { kind: "delete", key: "Node//z" },
    ]);
    assert.equal(index.objectCount, 0);
  });

  it("lets the file have an object that had it first, and the next one by name when it lets go", () => {
    const index = new ObjectIndex();
    const [one, two] = [node("x", "10.0.1.0/24"), node("x", "10.0.2.0/24")];
    index.replace("b", file(two));
    assert.deepEqual(index.replace("c", file(two)), []);
    assert.deepEqual(index.replace("a", file(one)), []);
    assert.deepEqual(index.conflicts(), [
      { key: "Node//x", file: "a", heldBy: "b" },
      { key: "Node//x", file: "c", heldBy: "b" },
    ]);
    const three = node("x", "10.0.3.0/24");
    assert.deepEqual(index.replace("a", file(three)), []);
    assert.deepEqual(index.replace("b", file()), [{ kind: "put", object: three }]);
    // What it gave up is not its own any more.
    assert.deepEqual(index.replace("b", file(two)), []);
    assert.deepEqual(index.replace("c", file()), []);
    assert.deepEqual(index.replace("b", file()), []);
    assert.deepEqual(index.conflicts(), []);
  });

  it("does not tell of a change of file that is none of content", () => {
    const index = new ObjectIndex();
    index.replace("b", file(node("x")));
    assert.deepEqual(index.replace("a", file(node("x"))), []);
    assert.deepEqual(index.replace("a", file()), []);
    assert.deepEqual(index.objectCount, 1);
  });

  it("tells so that whoever listens has what counts", () => {
    const change = fc.tuple(
      fc.constantFrom("a", "b", "c"),
      fc.uniqueArray(fc.tuple(fc.constantFrom("x", "y", "z"), fc.constantFrom("1", "2")), {
        selector: ([name]) => name,
      }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const index = new ObjectIndex();
        const heard = new Map<ObjectKey, ManifestObject>();
        const files = new Map<string, Map<ObjectKey, ManifestObject>>();
        const holders = new Map<ObjectKey, string>();
        for (const [name, nodes] of changes) {
          const objects = file(...nodes.map(([each, value]) => node(each, value)));
          files.set(name, objects);
          for (const event of index.replace(name, objects)) {
            if (event.kind === "put") heard.set(manifestKey(event.object), event.object);
            if (event.kind === "delete") heard.delete(event.key);
          }
          const expected = new Map<ObjectKey, ManifestObject>();
          for (const key of ["x", "y", "z"].map((each) => objectKey(node(each)))) {
            const having = ["a", "b", "c"].filter((each) => files.get(each)?.has(key));
            const held = holders.get(key) ?? "";
            const holder = having.includes(held) ? held : having[0];
            const object = holder === undefined ? undefined : files.get(holder)?.get(key);
            holders.delete(key);
            if (holder === undefined || object === undefined) continue;
            holders.set(key, holder);
            expected.set(key, object);
          }
          assert.deepEqual(sorted(heard), sorted(expected));
          assert.deepEqual(sorted(file(...([...index.objects()] as Node[]))), sorted(expected));
        }
      }),
    );
  });
});

function sorted(objects: ReadonlyMap<ObjectKey, ManifestObject>) {
  return [...objects].sort(([left], [right]) => (left < right ? -1 : 1));
}
