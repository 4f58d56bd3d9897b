import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Family } from "../../src/ip/address.ts";
import { type Lab, type LabHost, openLab, skipLab, untilProgrammed } from "./lab.ts";
import { cellObjects, clusterObjects, placeOf } from "./objects.ts";
import { findSlow, findWrong, findWrongSctp } from "./judge.ts";
import { type Cell, describeCell, expectationOf, FRONTENDS, testedCells } from "./semantics.ts";
import { ADDRESSES, FAMILIES } from "./topology.ts";

/** The cells of semantics.ts with packets through the host's own data plane. */
describe("packets to Services", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;
  const objects = cellObjects();

  before(async () => {
    lab = await openLab([
      "client-pod",
      "local-1",
      "local-2",
      "remote-1",
      "remote-pod",
      "node-a",
      "outside",
    ]);
    await lab.write("cluster.yaml", clusterObjects());
    await lab.write("services.yaml", objects);
    host = await lab.startHost({ nodePortAddresses: ["primary", "localhost"] });
    await untilProgrammed(host, objects.filter(({ kind }) => kind === "Service").length);
  });
  after(() => lab?.[Symbol.asyncDispose]());

  for (const frontend of FRONTENDS) {
    // Its pod is attached by the host: host-port.test.ts.
    if (frontend === "hostPort") continue;
    for (const family of FAMILIES) {
      const cells = cellsOf(frontend, family).filter(({ protocol }) => protocol !== "SCTP");
      it(`${frontend}, v${family}: ${cells.length} cells`, async () => {
        const wrong = await Promise.all(cells.map((cell) => findWrong(lab, cell)));
        assertNone(wrong.flat());
      });
    }
  }

  const sctp = testedCells().filter(
    ({ protocol, frontend }) => protocol === "SCTP" && frontend !== "hostPort",
  );
  it(`SCTP INIT chunks: ${sctp.length} cells`, async () => {
    for (const family of FAMILIES) {
      for (const pod of ["local-1", "local-2", "remote-1"] as const) {
        await lab.actor(pod).call("watchInits", { family });
      }
    }
    const wrong: string[] = [];
    for (const cell of sctp) wrong.push(...(await findWrongSctp(lab, cell)));
    assertNone(wrong);
  });

  it("explain says what the packets say, and the kernel holds it", async () => {
    // All cells would say the same again: a Service for each situation and policy is asked about.
    const cells = testedCells().filter(
      ({ frontend, protocol, source }) =>
        frontend !== "hostPort" &&
        frontend !== "nodePort-loopback" &&
        protocol === "TCP" &&
        source !== "endpoint-pod",
    );
    const wrong: string[] = [];
    for (const cell of cells) {
      const { address, port } = placeOf(cell);
      const from =
        cell.source === "node-process" ? "node" : ADDRESSES[sourceActor(cell)][cell.family];
      const answer = await host.client.explain({ from, address, port, protocol: "TCP" });
      const expected = expectationOf(cell);
      const endpoints = answer.endpoints.map((endpoint) => endpoint.address).sort();
      const wanted =
        expected.kind === "forward"
          ? expected.endpoints.map(({ name }) => ADDRESSES[name][cell.family]).sort()
          : [];
      const isRight =
        answer.verdict === expected.kind &&
        String(endpoints) === String(wanted) &&
        answer.kernelChecked &&
        answer.kernelDifferences.length === 0;
      if (!isRight) wrong.push(`${describeCell(cell)}: ${JSON.stringify(answer)}`);
    }
    assertNone(wrong);
  });

  // The one bound on time that is semantics: a refusal is not a time-out.
  it("a refusal comes within 100 ms, best of three", async () => {
    const cells = testedCells().filter(({ protocol }) => protocol !== "SCTP");
    assert.deepEqual(await findSlow(lab, cells, 100), []);
  });
});

function assertNone(wrong: readonly string[]): void {
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} cells are wrong`);
}

function sourceActor({ source }: Cell): "client-pod" | "remote-pod" | "outside" {
  return source === "outside" || source === "remote-pod" ? source : "client-pod";
}

function cellsOf(frontend: Cell["frontend"], family: Family): Cell[] {
  return testedCells().filter((cell) => cell.frontend === frontend && cell.family === family);
}
