import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServicesObject } from "../../services/objects.ts";
import { settled } from "../fake-host-world.ts";
import { FakeServicePlane, printPlan } from "./fake-service-plane.ts";
import {
  makeServicesWorld,
  plainFacts,
  serviceChange,
  serviceRemoval,
} from "./services-fixture.ts";

/** Mulberry32: the same seed, the same course. */
function makeRandom(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (share: number) => next() < share,
    below: (count: number) => Math.floor(next() * count),
  };
}

type Random = ReturnType<typeof makeRandom>;

/** Fails, hangs, is late, and loses what it holds. */
function infect(
  plane: FakeServicePlane,
  random: Random,
  pass: (ms: number) => Promise<void>,
): void {
  plane.before = async () => {
    if (random.chance(0.1)) throw new Error("EIO");
    if (random.chance(0.02)) await new Promise(() => {});
    if (random.chance(0.2)) await pass(random.below(3_000));
  };
}

describe("ServicesCore, whatever happens", () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`has every plane hold what a fresh start would, seed ${seed}`, async () => {
      const random = makeRandom(seed);
      const { core, plane, clock } = makeServicesWorld();
      const third = new FakeServicePlane("third");
      core.addPlane(third, { isRequired: false, version: "1" });
      const pass = (ms: number) =>
        new Promise<void>((resolve) => {
          clock.after(ms, () => resolve());
        });
      const objects = new Map<string, ServicesObject>();
      for (let round = 0; round < 4; round++) {
        infect(plane, random, pass);
        infect(third, random, pass);
        for (let step = 0; step < 60; step++) {
          act(random, { core, objects });
          if (random.chance(0.05)) (random.chance(0.5) ? plane : third).tamper();
          if (random.chance(0.7)) await settled();
          clock.advance(random.below(500));
        }
        plane.before = async () => {};
        third.before = async () => {};
        // Longer than every deadline and every pause.
        for (let left = 0; left < 300; left++) {
          clock.advance(1_000);
          await settled();
        }
        assert.equal(core.programmedRevision, core.revision);
        assert.equal(plane.print(), printPlan(core.table.plan()));
        assert.equal(third.print(), plane.print());
        assert.equal(await freshPlan(core), plane.print());
      }
      core.stop();
    });
  }
});

type Core = ReturnType<typeof makeServicesWorld>["core"];

function act(random: Random, world: { core: Core; objects: Map<string, ServicesObject> }): void {
  const { core, objects } = world;
  const number = random.below(12);
  if (random.chance(0.1)) {
    core.setFacts({ ...plainFacts, masqueradeAll: random.chance(0.5) });
  } else if (random.chance(0.15)) {
    core.applyObjects("objects", [{ kind: "relist", objects: [...objects.values()] }]);
  } else if (random.chance(0.4)) {
    const service = serviceObject(number);
    if (random.chance(0.3)) {
      objects.delete(`s${number}`);
      core.applyObjects("objects", [{ kind: "delete", key: `Service/ns/s${number}` as never }]);
    } else {
      const slice = sliceObject(number, random.below(4));
      objects.set(`s${number}`, service);
      objects.set(`e${number}`, slice);
      core.applyObjects("objects", [
        { kind: "put", object: service },
        { kind: "put", object: slice },
      ]);
    }
  } else if (random.chance(0.3)) {
    core.applyModel("model", serviceRemoval(number));
  } else {
    const addresses = Array.from({ length: random.below(4) }, (_, index) => `10.1.0.${index + 1}`);
    core.applyModel("model", serviceChange(number, addresses));
  }
  lastInputs(core, objects);
}

/** What each core was given in the end, for the fresh start. */
const inputs = new WeakMap<Core, Map<string, ServicesObject>>();

function lastInputs(core: Core, objects: Map<string, ServicesObject>): void {
  inputs.set(core, objects);
}

/** The plan of a core that is given, as its first word, what the other holds in the end. */
async function freshPlan(core: Core): Promise<string> {
  const fresh = makeServicesWorld();
  fresh.core.setFacts({
    ...plainFacts,
    masqueradeAll: [...core.table.plan().frontends.values()].some(
      ({ kind, masquerade }) => kind === "clusterIP" && masquerade === "everyone",
    ),
  });
  const objects = [...(inputs.get(core)?.values() ?? [])];
  fresh.core.applyObjects("objects", [{ kind: "relist", objects }]);
  for (const name of core.table.serviceNames()) {
    const state = core.table.view(name);
    const number = Number(/^test\/web(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (!state || Number.isNaN(number)) continue;
    const addresses = state.frontends[0]?.inside.map(({ address }) => address) ?? [];
    fresh.core.applyModel("model", serviceChange(number, addresses));
  }
  await settled();
  return fresh.plane.print();
}

function serviceObject(number: number): ServicesObject {
  return {
    kind: "Service",
    metadata: { name: `s${number}`, namespace: "ns" },
    spec: {
      clusterIP: `10.97.0.${number + 1}`,
      clusterIPs: [`10.97.0.${number + 1}`],
      ports: [{ name: "http", port: 80, protocol: "TCP", nodePort: 30_000 + number }],
      type: "NodePort",
    },
  };
}

function sliceObject(number: number, endpoints: number): ServicesObject {
  return {
    kind: "EndpointSlice",
    metadata: {
      name: `e${number}`,
      namespace: "ns",
      labels: { "kubernetes.io/service-name": `s${number}` },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Array.from({ length: endpoints }, (_, index) => ({
      addresses: [`10.1.${number}.${index + 1}`],
      conditions: { ready: true },
      nodeName: index % 2 === 0 ? "node1" : "node2",
    })),
  };
}
