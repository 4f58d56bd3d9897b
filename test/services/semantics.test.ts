import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  allCells,
  type Cell,
  describeCell,
  expectationOf,
  FRONTENDS,
  findExclusion,
  SITUATION_NAMES,
  SOURCES,
  testedCells,
} from "./semantics.ts";

describe("semantics", () => {
  it("every cell of the cross product is expected or excluded with a reason", () => {
    const cells = allCells();
    assert.equal(cells.length, 5 * 8 * 2 * 2 * 7 * 2 * 3);
    assert.equal(new Set(cells.map(describeCell)).size, cells.length);
    for (const cell of cells) {
      const exclusion = findExclusion(cell);
      if (exclusion) assert.ok(exclusion.reason.length > 20, describeCell(cell));
      else assert.ok(expectationOf(cell), describeCell(cell));
    }
  });

  it("counts what is left out, by reason", () => {
    const counts: Record<string, number> = {};
    for (const cell of allCells()) {
      const reason = findExclusion(cell)?.reason ?? "tested";
      const word = reason.split(" ").slice(0, 4).join(" ");
      counts[word] = (counts[word] ?? 0) + 1;
    }
    assert.deepEqual(counts, {
      tested: 3248,
      "a loopback address is": 672,
      "a hostPort leads to": 810,
      "an address that does": 56,
      "the other node's own": 168,
      "the source is no": 288,
      "SCTP shares all entries": 1478,
    });
  });

  it("every source, frontend and situation is tested in both families with TCP and UDP", () => {
    const tested = new Set(
      testedCells().map(({ source, frontend, situation, family, protocol }) =>
        [source, frontend, situation, family, protocol].join(),
      ),
    );
    const missing: string[] = [];
    for (const source of SOURCES) {
      for (const frontend of FRONTENDS) {
        for (const situation of SITUATION_NAMES) {
          const cell = {
            source,
            frontend,
            situation,
            internal: "Cluster",
            external: "Cluster",
          } as const;
          for (const family of [4, 6] as const) {
            for (const protocol of ["TCP", "UDP"] as const) {
              const key = [source, frontend, situation, family, protocol].join();
              const isOut = findExclusion({ ...cell, family, protocol }) !== undefined;
              if (!tested.has(key) && !isOut) missing.push(key);
            }
          }
        }
      }
    }
    assert.deepEqual(missing, []);
  });

  it("says what the upstream table says, cell by cell for a few", () => {
    const base: Cell = {
      source: "outside",
      frontend: "nodePort",
      internal: "Cluster",
      external: "Cluster",
      situation: "both",
      family: 4,
      protocol: "TCP",
    };
    const says = (change: Partial<Cell>) => {
      const expected = expectationOf({ ...base, ...change });
      if (expected.kind !== "forward") return expected.kind;
      return expected.endpoints.map(({ name, peer }) => `${name} ${peer}`).join();
    };
    assert.equal(says({}), "local-1 node,local-2 node,remote-1 node");
    assert.equal(says({ external: "Local" }), "local-1 source,local-2 source");
    assert.equal(says({ external: "Local", situation: "remote" }), "drop");
    assert.equal(says({ external: "Local", situation: "none" }), "reject");
    assert.equal(
      says({ external: "Local", situation: "draining" }),
      "local-1 source,local-2 source",
    );
    assert.equal(says({ situation: "draining" }), "remote-1 node");
    const pod = { source: "client-pod", external: "Local", situation: "remote" } as const;
    assert.equal(says(pod), "remote-1 source");
    assert.equal(says({ ...pod, source: "node-process" }), "remote-1 node");
    const cluster = { frontend: "clusterIP", internal: "Local", situation: "remote" } as const;
    assert.equal(says({ ...cluster, source: "client-pod" }), "drop");
    assert.equal(says({ ...cluster, source: "node-process" }), "drop");
    const hairpin = { source: "endpoint-pod", frontend: "clusterIP", situation: "local" } as const;
    assert.equal(says(hairpin), "local-1 node,local-2 source");
    assert.equal(says({ frontend: "loadBalancer-denied", situation: "none" }), "drop");
    assert.equal(says({ situation: "unready" }), "reject");
  });
});
