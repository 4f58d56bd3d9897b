import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Family } from "../../src/ip/address.ts";
import { dialOf, type Lab, type LabHost, openLab, program, skipLab } from "./lab.ts";
import { clusterObjects } from "./objects.ts";
import { clusterIp, frontend, group, localEndpoints, manyEndpoints } from "./requests.ts";
import { FAMILIES, LOCAL_PORT } from "./topology.ts";

describe("which endpoint of many", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const spread = async (place: { address: string; port: number }, times: number) => {
    const call = { dial: dialOf("TCP", place), times, concurrency: 32 };
    const { counts } = await lab.actor("client-pod").call("spread", call);
    return new Map(
      Object.entries(counts).map(([key, count]) => [key.replace(`:${LOCAL_PORT}`, ""), count]),
    );
  };

  for (const family of FAMILIES) {
    it(`3 endpoints share 600 connections evenly, v${family}`, async () => {
      const endpoints = [
        ...localEndpoints(family, ["local-1", "local-2"]),
        ...manyEndpoints(family, 1),
      ];
      const place = { address: clusterIp(family, 1), port: 80 };
      await program(host, {
        putGroups: [group(`three-${family}`, endpoints)],
        putFrontends: [frontend(`three-${family}`, { ...place, protocol: "TCP" })],
      });
      assertEven(await spread(place, 600), endpoints);
    });
  }

  const sizes: readonly [Family, number][] = [
    [4, 500],
    [6, 1000],
  ];
  for (const [family, size] of sizes) {
    it(`${size} endpoints of one Service share connections evenly, v${family}`, async () => {
      const endpoints = manyEndpoints(family, size);
      const place = { address: clusterIp(family, 2), port: 80 };
      await program(host, {
        putGroups: [group(`many-${family}`, endpoints)],
        putFrontends: [frontend(`many-${family}`, { ...place, protocol: "TCP" })],
      });
      const counts = await spread(place, size * 10);
      assertEven(counts, endpoints);
      assert.ok(counts.size > size * 0.99, `${counts.size} of ${size} endpoints were reached`);
    });
  }

  it("500 endpoints shrink to 7, and no connection goes elsewhere", async () => {
    const endpoints = manyEndpoints(4, 500).filter((_, index) => index % 73 === 5);
    const place = { address: clusterIp(4, 2), port: 80 };
    await program(host, { putGroups: [group("many-4", endpoints)] });
    assertEven(await spread(place, 1400), endpoints);
  });

  it("weights are shares", async () => {
    const [light = "", heavy = ""] = localEndpoints(4, ["local-1", "local-2"]);
    const place = { address: clusterIp(4, 3), port: 80 };
    await program(host, {
      putGroups: [group("weights", [light, heavy], (address) => (address === heavy ? 4 : 1))],
      putFrontends: [frontend("weights", { ...place, protocol: "TCP" })],
    });
    const counts = await spread(place, 1000);
    // 200 expected; the standard deviation is 12.6.
    const lightly = counts.get(light) ?? 0;
    assert.ok(lightly > 125 && lightly < 275, `${lightly} of 1000`);
    assert.equal(lightly + (counts.get(heavy) ?? 0), 1000);
  });

  it("a consistent hash leads a client to the same endpoint, also when others go", async () => {
    const endpoints = manyEndpoints(4, 50);
    const place = { address: clusterIp(4, 4), port: 80 };
    const put = (addresses: readonly string[]) =>
      program(host, {
        putGroups: [group("hash", addresses)],
        putFrontends: [
          frontend("hash", { ...place, protocol: "TCP" }, { pick: "consistent-hash" }),
        ],
      });
    await put(endpoints);
    const first = [...(await spread(place, 40)).keys()];
    assert.equal(first.length, 1, first.join());
    const chosen = first[0] ?? "";
    // A tenth of the others goes: a client whose endpoint stays keeps it, but for the few slots of
    // Maglev that move.
    await put(endpoints.filter((address, index) => address === chosen || index % 10 !== 0));
    const second = [...(await spread(place, 40)).keys()];
    assert.equal(second.length, 1, second.join());
    await put(endpoints.filter((address) => address !== chosen));
    const third = [...(await spread(place, 40)).keys()];
    assert.equal(third.length, 1, third.join());
    assert.notEqual(third[0], chosen);
  });
});

/** Chi-square; the limit is six standard deviations above what is expected of equal shares. */
function assertEven(counts: ReadonlyMap<string, number>, endpoints: readonly string[]): void {
  const strangers = [...counts.keys()].filter((key) => !endpoints.includes(key));
  assert.deepEqual(strangers, []);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const share = total / endpoints.length;
  const chiSquare = endpoints
    .map((address) => ((counts.get(address) ?? 0) - share) ** 2 / share)
    .reduce((sum, term) => sum + term, 0);
  const freedom = endpoints.length - 1;
  const limit = freedom + 6 * Math.sqrt(2 * freedom) + 12;
  assert.ok(chiSquare < limit, `chi-square ${chiSquare.toFixed(1)}, at most ${limit.toFixed(1)}`);
}
