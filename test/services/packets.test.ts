import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Family } from "../../src/ip/address.ts";
import { type Lab, type LabHost, openLab, skipLab, untilProgrammed } from "./lab.ts";
import { cellObjects, clusterObjects } from "./objects.ts";
import { findSlow, findWrong, findWrongSctp } from "./judge.ts";
import { type Cell, FRONTENDS, testedCells } from "./semantics.ts";
import { FAMILIES } from "./topology.ts";

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

  // The one bound on time that is semantics: a refusal is not a time-out.
  it("a refusal comes within 100 ms, best of three", async () => {
    const cells = testedCells().filter(({ protocol }) => protocol !== "SCTP");
    assert.deepEqual(await findSlow(lab, cells, 100), []);
  });
});

function assertNone(wrong: readonly string[]): void {
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} cells are wrong`);
}

function cellsOf(frontend: Cell["frontend"], family: Family): Cell[] {
  return testedCells().filter((cell) => cell.frontend === frontend && cell.family === family);
}
