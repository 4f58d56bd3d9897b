import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { AddressText } from "../../src/services/model.ts";
import { createServiceTable } from "../../src/services/service-table.ts";
import type { Explanation, Question, ServiceTable } from "../../src/services/table-types.ts";
import { cellObjects, clusterObjects, HOST_PORT, nodeFacts, placeOf } from "./objects.ts";
import {
  type Cell,
  describeCell,
  type Expectation,
  expectationOf,
  FRONTENDS,
  SITUATION_NAMES,
  testedCells,
} from "./semantics.ts";
import { ADDRESSES, LOCAL_PORT, REMOTE_PORT } from "./topology.ts";

/** The pure table, cell by cell: who is asked, what it must say. */
describe("createServiceTable().explain()", () => {
  let table: ServiceTable;

  before(() => {
    table = createServiceTable(nodeFacts());
    table.applyObjects("lab", [
      { kind: "relist", objects: [...clusterObjects(), ...cellObjects()] },
    ]);
    for (const family of [4, 6] as const) {
      table.applyModel(`hostPort-v${family}`, {
        replace: false,
        removeGroups: [],
        removeFrontends: [],
        ...hostPortOf(family),
      });
    }
    table.takeChanges();
  });

  it("finds nothing wrong with the laboratory's objects", () => {
    assert.deepEqual(table.problems(), []);
  });

  for (const frontend of FRONTENDS) {
    // The relay on loopback is beside the table: it asks for the node's own NodePort.
    if (frontend === "nodePort-loopback") continue;
    for (const situation of SITUATION_NAMES) {
      const cells = testedCells().filter(
        (cell) => cell.frontend === frontend && cell.situation === situation,
      );
      if (cells.length === 0) continue;
      it(`${frontend}, ${situation}: ${cells.length} cells`, () => {
        const wrong = cells.flatMap((cell) => {
          const expected = describeExpectation(cell, expectationOf(cell));
          const actual = describeExplanation(table.explain(questionOf(cell)), cell);
          return expected === actual
            ? []
            : [`${describeCell(cell)}: expected ${expected}, got ${actual}`];
        });
        assert.deepEqual(wrong, []);
      });
    }
  }
});

function questionOf(cell: Cell): Question {
  const { source, family, protocol } = cell;
  const { address, port } = placeOf(cell);
  return { source: askerOf(source, family), address: address as AddressText, port, protocol };
}

function askerOf(source: Cell["source"], family: 4 | 6): Question["source"] {
  if (source === "node-process") return { kind: "node" };
  const actor = source === "endpoint-pod" ? "local-1" : source;
  return { kind: "address", address: ADDRESSES[actor][family] as AddressText };
}

function describeExpectation(cell: Cell, expected: Expectation): string {
  if (expected.kind !== "forward") return expected.kind;
  const endpoints = expected.endpoints.map(({ name }) => {
    const port = name === "remote-1" ? REMOTE_PORT : LOCAL_PORT;
    return `${ADDRESSES[name][cell.family]}|${port}`;
  });
  return `forward to ${endpoints.sort().join(" ")}${masqueradeOf(cell, expected)}`;
}

/** One word of the table for all endpoints: a hairpin that is not the only way is no word. */
function masqueradeOf(cell: Cell, expected: Expectation & { kind: "forward" }): string {
  if (cell.source === "endpoint-pod") return "";
  return expected.endpoints.every(({ peer }) => peer === "node") ? ", masqueraded" : "";
}

function describeExplanation(explanation: Explanation, cell: Cell): string {
  if (explanation.verdict !== "forward") return explanation.verdict;
  const endpoints = explanation.endpoints.map(({ address, port }) => `${address}|${port}`);
  const masquerade = explanation.masquerade && cell.source !== "endpoint-pod";
  return `forward to ${endpoints.sort().join(" ")}${masquerade ? ", masqueraded" : ""}`;
}

function hostPortOf(family: 4 | 6) {
  const protocols = ["TCP", "UDP"] as const;
  const id = `local-1/${family}`;
  return {
    putGroups: [
      {
        id,
        family,
        endpoints: [
          {
            address: ADDRESSES["local-1"][family] as AddressText,
            ports: protocols.map((protocol) => ({
              name: protocol,
              protocol,
              port: LOCAL_PORT,
            })),
            nodeName: "node-a",
            ready: true,
            serving: true,
            terminating: false,
            weight: 1,
          },
        ],
      },
    ],
    putFrontends: protocols.map((protocol) => ({
      id: `${id}/${protocol}`,
      family,
      kind: "hostPort" as const,
      protocol,
      port: HOST_PORT,
      group: id,
      portName: protocol,
      policy: {
        internalTrafficPolicy: "Cluster" as const,
        externalTrafficPolicy: "Local" as const,
        pick: "random" as const,
        topologyKeys: [],
        countConnections: false,
        closeTcpFlows: false,
      },
      service: "default/local-1",
      createdMs: 0,
    })),
  };
}
