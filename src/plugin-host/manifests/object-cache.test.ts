import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Node, type ObjectEvent, type ObjectKey, objectKey } from "../../services/objects.ts";
import { compareVersions, ObjectCache } from "./object-cache.ts";

function node(name: string, resourceVersion?: string, podCIDR?: string): Node {
  return {
    kind: "Node",
    metadata: { name, namespace: "", ...(resourceVersion && { resourceVersion }) },
    ...(podCIDR && { spec: { podCIDR } }),
  };
}

function put(object: Node): ObjectEvent {
  return { kind: "put", object };
}

function remove(name: string): ObjectEvent {
  return { kind: "delete", key: `Node//${name}` as ObjectKey };
}

describe("ObjectCache", () => {
  it("passes newer objects on, and neither older nor equal ones", () => {
    const cache = new ObjectCache();
    assert.deepEqual(cache.apply([put(node("a", "9"))]), [put(node("a", "9"))]);
    assert.deepEqual(cache.apply([put(node("a", "8", "10.0.0.0/24"))]), []);
    assert.deepEqual(cache.apply([put(node("a", "9", "10.0.0.0/24"))]), []);
    assert.deepEqual(cache.apply([put(node("a", "10"))]), [put(node("a", "10"))]);
    assert.deepEqual(cache.objects(), [node("a", "10")]);
  });

  it("compares objects without a resourceVersion", () => {
    const cache = new ObjectCache();
    cache.apply([put(node("a"))]);
    assert.deepEqual(cache.apply([put(node("a"))]), []);
    assert.deepEqual(cache.apply([put(node("a", undefined, "10.0.0.0/24"))]).length, 1);
    assert.deepEqual(cache.apply([put(node("a", "5"))]).length, 1);
  });

  it("deletes once, and is not brought back by what is older", () => {
    const cache = new ObjectCache();
    cache.apply([put(node("a", "5"))]);
    assert.deepEqual(cache.apply([remove("a"), remove("a"), remove("b")]), [remove("a")]);
    assert.deepEqual(cache.apply([put(node("a", "4")), put(node("a", "5"))]), []);
    assert.deepEqual(cache.apply([put(node("a", "6"))]), [put(node("a", "6"))]);
  });

  it("passes the first relist on, and of later ones what differs", () => {
    const cache = new ObjectCache();
    const first = [node("a", "1"), node("b", "2")];
    assert.deepEqual(cache.apply([{ kind: "relist", objects: first }]), [
      { kind: "relist", objects: first },
    ]);
    const second = [node("b", "2"), node("c", "3")];
    assert.deepEqual(cache.apply([{ kind: "relist", objects: second }]), [
      remove("a"),
      put(node("c", "3")),
    ]);
    assert.deepEqual(cache.apply([{ kind: "relist", objects: second }]), []);
    // An API server that lags behind.
    const late = [node("b", "1"), node("c", "3")];
    assert.deepEqual(cache.apply([{ kind: "relist", objects: late }]), []);
    assert.deepEqual(cache.get(objectKey(node("b"))), node("b", "2"));
  });

  it("believes a relist that names what was deleted", () => {
    const cache = new ObjectCache();
    cache.apply([put(node("a", "5")), remove("a")]);
    cache.apply([{ kind: "relist", objects: [node("a", "5")] }]);
    assert.equal(cache.size, 1);
  });

  it("ends with the newest of each object, whatever the order of arrival", () => {
    const versions = fc.array(
      fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 30 })),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(versions, (arrivals) => {
        const cache = new ObjectCache();
        const told = new Map<string, number>();
        const newest = new Map<string, number>();
        for (const [name, version] of arrivals) {
          newest.set(name, Math.max(version, newest.get(name) ?? 0));
          for (const event of cache.apply([put(node(name, `${version}`))])) {
            assert.ok(event.kind === "put" && version > (told.get(name) ?? 0));
            told.set(name, version);
          }
        }
        assert.deepEqual(told, newest);
      }),
    );
  });
});

describe("compareVersions()", () => {
  it("compares as numbers of any length", () => {
    assert.ok((compareVersions("9", "10") ?? 0) < 0);
    assert.ok((compareVersions("99999999999999999999", "99999999999999999998") ?? 0) > 0);
    assert.equal(compareVersions("7", "7"), 0);
  });

  it("does not compare what is no number", () => {
    for (const version of [undefined, "", "0", "01", "a1", "1.5"]) {
      assert.equal(compareVersions(version, "1"), undefined);
      assert.equal(compareVersions("1", version), undefined);
    }
  });
});
