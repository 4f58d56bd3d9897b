import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EndpointSlice, Node, Service } from "./objects.ts";
import { READ_ANNOTATIONS, READ_LABELS } from "./read-metadata.ts";

describe("READ_LABELS and READ_ANNOTATIONS", () => {
  it("are of the same kinds", () => {
    assert.deepEqual(Object.keys(READ_LABELS).sort(), Object.keys(READ_ANNOTATIONS).sort());
  });

  it("name none twice", () => {
    for (const names of [...Object.values(READ_LABELS), ...Object.values(READ_ANNOTATIONS)]) {
      if (names === "all") continue;
      assert.equal(new Set(names).size, names.length);
    }
  });

  it("are the only ones that the types let anybody read", () => {
    // Checked by the compiler: reading one that is not in the tables is an error, and so is an
    // expectation below that is none.
    const service = {} as Service["metadata"];
    const slice = {} as EndpointSlice["metadata"];
    const node = {} as Node["metadata"];
    const read = [
      service.annotations?.["services.patchbay.dev/pick"],
      service.labels?.["service.kubernetes.io/headless"],
      slice.labels?.["kubernetes.io/service-name"],
      node.labels?.["example.com/rack"],
      // @ts-expect-error Nobody keeps it.
      service.annotations?.["service.kubernetes.io/topology-mode"],
      // @ts-expect-error Nobody keeps it.
      service.labels?.["example.com/rack"],
      // @ts-expect-error Nobody keeps it.
      slice.annotations?.["example.com/other"],
      // @ts-expect-error Nobody keeps it.
      node.annotations?.["example.com/other"],
    ];
    assert.deepEqual(
      read.map((value) => value === undefined),
      read.map(() => true),
    );
  });
});
