import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parsePrefix } from "../../src/ip/address.ts";
import type { Nfnetlink } from "../../src/kernel/nfnetlink.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import { type AddressText, frontendKey } from "../../src/services/model.ts";
import type {
  ListId,
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  Route,
  ServicePlan,
} from "../../src/services/plan-types.ts";
import { action, tell, World } from "../../src/services/histories-suite.ts";
import { createServiceTable } from "../../src/services/service-table.ts";
import type { HeldRoute, ServicePlane } from "../../src/services/service-plane.ts";
import { FakeNfnetlink } from "../../src/kernel/fake-nfnetlink.ts";
import { FamilyImage } from "./family-image.ts";
import { FakeRuleset } from "./fake-ruleset.ts";
import { createNftablesPlane } from "./plane.ts";
import { slotWeights } from "./slots.ts";
import { StickyWays } from "./sticky-ways.ts";

export interface PlaneWorld {
  readonly nftables: Nftables;
  readonly nfnetlink: Nfnetlink;
  /** Somebody empties the chains of our table ip. */
  flushRules(): Promise<void>;
}

/** What holds of the plane on any nf_tables, the kernel's and the fake. */
export function planeSuite(
  name: string,
  options: { open: () => PlaneWorld; skip: string | false; runs: number },
): void {
  describe(name, { skip: options.skip }, () => {
    it("holds what it was given, both families", async () => {
      await using world = await open(options);
      const plan = planOf([
        { name: "web", endpoints: 3 },
        { name: "db", endpoints: 0 },
      ]);
      assert.deepEqual(await world.plane.reset(plan, 1), { revision: 1, refused: [] });
      await assertHolds(world, plan);
      assert.equal(
        await world.plane.held(frontendKey(address(4, 250), { protocol: "TCP", port: 1 })),
        undefined,
      );
    });

    it("changes nothing when a restarted host gives it the same plan", async () => {
      await using world = await open(options);
      const plan = planOf([
        { name: "web", endpoints: 5, affinity: 60 },
        { name: "db", endpoints: 20, outside: 2 },
        { name: "hashed", endpoints: 3, isHashed: true },
      ]);
      await world.plane.reset(plan, 1);
      const before = await elementsOf(world);
      await world.plane.close();
      const restarted = createNftablesPlane(world);
      await restarted.reset(plan, 2);
      assert.deepEqual(await elementsOf(world), before);
      await restarted.close();
    });

    it("loads the rules again only when they are others", async () => {
      await using world = await open(options);
      let loads = 0;
      const nftables: Nftables = {
        load: (text) => {
          loads++;
          return world.nftables.load(text);
        },
        list: (table) => world.nftables.list(table),
      };
      const resetAnew = async (plan: ServicePlan): Promise<number> => {
        const plane = createNftablesPlane({ nfnetlink: world.nfnetlink, nftables });
        loads = 0;
        await plane.reset(plan, 1);
        await plane.close();
        return loads;
      };
      const plan = planOf([{ name: "web", endpoints: 3 }]);
      assert.equal(await resetAnew(plan), 2);
      assert.equal(await resetAnew(plan), 0);
      const sticky = planOf([{ name: "web", endpoints: 3, affinity: 60 }]);
      assert.equal(await resetAnew(sticky), 2);
      assert.equal(await resetAnew(sticky), 0);
      await world.flushRules();
      assert.equal(await resetAnew(sticky), 1);
      assert.equal(await resetAnew(sticky), 0);
    });

    it("moves one slot when one of many endpoints goes", async () => {
      await using world = await open(options);
      const many = planOf([{ name: "web", endpoints: 120 }]);
      await world.plane.reset(many, 1);
      const before = await elementsOf(world);
      const fewer = planOf([{ name: "web", endpoints: 119 }]);
      await world.plane.apply(diff(many, fewer, 2));
      const after = await elementsOf(world);
      const gone = [...before].filter((element) => !after.has(element));
      const come = [...after].filter((element) => !before.has(element));
      // Per family: the slot and the seat; the size of the pick chain stays.
      assert(gone.length <= 6 && come.length <= 2, `${gone.length} gone, ${come.length} came`);
      await assertHolds(world, fewer);
    });

    it("keeps weights, restricted sources and their overlaps", async () => {
      await using world = await open(options);
      const plan = planOf([{ name: "web", endpoints: 3, weights: [1, 2, 5], isRestricted: true }]);
      await world.plane.reset(plan, 1);
      await assertHolds(world, plan);
      await world.plane.apply(diff(plan, planOf([{ name: "web", endpoints: 3 }]), 2));
      await assertHolds(world, planOf([{ name: "web", endpoints: 3 }]));
    });

    it("mends what somebody deleted", async () => {
      await using world = await open(options);
      const plan = planOf([{ name: "web", endpoints: 4, affinity: 60 }]);
      await world.plane.reset(plan, 1);
      const elements = await elementsOf(world);
      const set = { family: "ip", table: "patchbay-services", set: "slots" } as const;
      await world.nfnetlink.commit([
        { kind: "flush", set, keyBytes: 0, dataBytes: 0, records: new Uint8Array() },
      ]);
      await world.plane.reset(plan, 2);
      await assertHolds(world, plan);
      assert.equal((await elementsOf(world)).size, elements.size);
    });

    it("after any history it holds what a fresh start would hold, and no more", async () => {
      const services = fc.uniqueArray(serviceArbitrary, {
        selector: ({ name }) => name,
        maxLength: 6,
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(services, { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 0, max: 5 }),
          async (steps, restartAt) => {
            await using world = await open(options);
            let plan = planOf([]);
            let plane = world.plane;
            await plane.reset(plan, 1);
            for (const [index, step] of steps.entries()) {
              const next = planOf(step);
              if (index === restartAt) {
                await plane.close();
                plane = createNftablesPlane(world);
                await plane.reset(next, index + 2);
              } else await plane.apply(diff(plan, next, index + 2));
              plan = next;
              await assertHolds({ ...world, plane }, plan);
            }
            const fresh = fakeWorld();
            await createNftablesPlane(fresh).reset(plan, 1);
            assert.deepEqual(
              countBySet(await elementsOf(world)),
              countBySet(await elementsOf(fresh)),
            );
            await plane.close();
          },
        ),
        { numRuns: options.runs },
      );
    });

    it("after any history of objects it holds the plan of a fresh start", async () => {
      const history = fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(history, fc.integer({ min: 0, max: 11 }), async (steps, restartAt) => {
          await using world = await open(options);
          const objects = new World();
          const table = createServiceTable(objects.facts);
          let plane = world.plane;
          table.takeChanges();
          await plane.reset(table.plan(), 1);
          for (const [index, step] of steps.entries()) {
            for (const each of step) {
              objects.apply(each);
              tell(table, each);
            }
            const taken = table.takeChanges();
            if (index === restartAt) {
              await plane.close();
              plane = createNftablesPlane(world);
              await plane.reset(table.plan(), index + 2);
            } else if (taken) await plane.apply(taken.changes);
            await assertHolds({ ...world, plane }, objects.freshTable().plan());
          }
          const fresh = fakeWorld();
          await createNftablesPlane(fresh).reset(objects.freshTable().plan(), 1);
          const held = countBySet(await elementsOf(world));
          assert.deepEqual(held, countBySet(await elementsOf(fresh)));
          await plane.close();
        }),
        { numRuns: options.runs },
      );
    });
  });
}

export function fakeWorld(): PlaneWorld {
  const nfnetlink = new FakeNfnetlink();
  const flushRules = async (): Promise<void> => {
    nfnetlink.setRules({ family: "ip", table: "patchbay-services" }, "flushed");
  };
  return { nfnetlink, nftables: new FakeRuleset(nfnetlink), flushRules };
}

interface OpenWorld extends PlaneWorld {
  readonly plane: ServicePlane;
}

async function open(options: { open: () => PlaneWorld }): Promise<OpenWorld & AsyncDisposable> {
  const world = options.open();
  const plane = createNftablesPlane(world);
  await plane.remove();
  return {
    ...world,
    plane,
    [Symbol.asyncDispose]: async () => {
      await plane.remove();
      await plane.close();
    },
  };
}

async function assertHolds({ plane }: OpenWorld, plan: ServicePlan): Promise<void> {
  for (const [key, frontend] of plan.frontends) {
    const held = await plane.held(key);
    assert.deepEqual(
      { key, inside: shares(held?.inside), outside: shares(held?.outside) },
      { key, inside: planned(plan, frontend.inside), outside: planned(plan, frontend.outside) },
    );
  }
}

/** Weights to what they have in common; of a hash table who is in it, its shares are nearly right only. */
function shares(route: HeldRoute | undefined): unknown {
  if (route?.kind !== "list") return route;
  const isTable = route.endpoints.reduce((sum, { weight }) => sum + weight, 0) >= 251;
  return route.endpoints.map(
    (each) => `${each.address} ${each.port} ${isTable ? "" : each.weight}`,
  );
}

function planned(plan: ServicePlan, route: Route): unknown {
  if (route.kind !== "list") return route;
  const list = plan.lists.get(route.list);
  assert(list);
  const weights = slotWeights(list.endpoints);
  const isRandom = list.pick === "random" || list.affinity !== undefined;
  return list.endpoints
    .map((each, index) => `${each.address} ${each.port} ${isRandom ? weights[index] : ""}`)
    .sort();
}

/** Every element of every map but pods' and clients', as text. */
async function elementsOf({ nfnetlink }: PlaneWorld): Promise<Set<string>> {
  const all = new Set<string>();
  for (const family of [4, 6] as const) {
    for (const map of Object.values(new FamilyImage(family, new StickyWays()).maps)) {
      const dump = await nfnetlink.elements(map.place);
      map.load(dump);
      for (const [key, value] of map.entries())
        all.add(`${family} ${map.place.set} ${key} ${value}`);
    }
  }
  return all;
}

function countBySet(elements: ReadonlySet<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const element of [...elements].sort()) {
    const set = element.split(" ").slice(0, 2).join(" ");
    counts[set] = (counts[set] ?? 0) + 1;
  }
  return counts;
}

interface TestService {
  readonly name: string;
  readonly endpoints: number;
  /** Endpoints of a list of its own for those outside; 0: dropped. */
  readonly outside?: number | undefined;
  readonly affinity?: number | undefined;
  readonly weights?: readonly number[];
  readonly isHashed?: boolean;
  readonly isRestricted?: boolean;
  readonly isExternal?: boolean;
}

const names = ["web", "db", "dns", "api", "queue", "mail"];
const serviceArbitrary: fc.Arbitrary<TestService> = fc.record({
  name: fc.constantFrom(...names),
  endpoints: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 10, max: 70 })),
  outside: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  affinity: fc.option(fc.constantFrom(60, 10_800, 7), { nil: undefined }),
  isHashed: fc.boolean(),
  isRestricted: fc.boolean(),
  isExternal: fc.boolean(),
});

function planOf(services: readonly TestService[]): ServicePlan {
  const frontends = new Map<PlannedFrontend["key"], PlannedFrontend>();
  const lists = new Map<ListId, PlannedList>();
  const clusterIps = new Set<AddressText>();
  const localEndpoints = new Set<AddressText>();
  for (const family of [4, 6] as const) {
    for (const service of services) {
      const routeTo = (kind: string, count: number): Route => {
        if (count === 0) return { kind: kind === "local" ? "drop" : "reject" };
        const id = `default/${service.name}/${family}|http|TCP|${kind}` as ListId;
        lists.set(id, listOf(id, { family, count, service }));
        return { kind: "list", list: id };
      };
      const inside = routeTo("cluster", service.endpoints);
      const outside = service.outside === undefined ? inside : routeTo("local", service.outside);
      const at = address(family, 100 + names.indexOf(service.name));
      clusterIps.add(at);
      localEndpoints.add(address(family, 1));
      const key = frontendKey(at, { protocol: "TCP", port: 80 });
      frontends.set(key, {
        key,
        family,
        address: at,
        protocol: "TCP",
        port: 80,
        kind: "clusterIP",
        service: `default/${service.name}`,
        portName: "http",
        inside,
        outside,
        masquerade:
          service.outside !== undefined ? "nobody" : service.isExternal ? "everyone" : "others",
        countConnections: service.isExternal === true,
        ...(service.isRestricted === true
          ? {
              sourceRanges: ["10.0.0.0/8", "10.1.0.0/16", "192.168.1.0/24", "fd00::/8"].map(
                parsePrefix,
              ),
            }
          : {}),
      });
    }
  }
  const podPrefixes = services.map((_, index) => parsePrefix(`10.${200 + index * 2}.0.0/16`));
  return {
    frontends,
    lists,
    clusterIps,
    localEndpoints,
    podPrefixes: [...podPrefixes, parsePrefix("fd77::/48")],
    servicePrefixes: [parsePrefix("10.96.0.0/16"), parsePrefix("fd96::/112")],
    podAddresses: new Set(services.map((_, index) => address(4, 50 + index))),
  };
}

function listOf(
  id: ListId,
  { family, count, service }: { family: 4 | 6; count: number; service: TestService },
): PlannedList {
  const endpoints = Array.from({ length: count }, (_, index) => ({
    address: address(family, index + 1),
    port: 8080,
    weight: service.weights?.[index] ?? 1,
  })).sort((a, b) => (a.address < b.address ? -1 : 1));
  return {
    id,
    family,
    protocol: "TCP",
    portKey: id.slice(0, id.lastIndexOf("|")),
    endpoints,
    pick: service.isHashed === true ? "consistent-hash" : "random",
    ...(service.affinity === undefined
      ? {}
      : { affinity: { seconds: service.affinity, key: id.slice(0, id.lastIndexOf("|")) } }),
  };
}

function address(family: 4 | 6, host: number): AddressText {
  return (family === 4 ? `10.5.0.${host}` : `fd05::${host.toString(16)}`) as AddressText;
}

/** The slow way: everything compared. */
function diff(before: ServicePlan, after: ServicePlan, revision: number): PlanChanges {
  const changed = <K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): V[] =>
    [...b].filter(([key, value]) => text(a.get(key)) !== text(value)).map(([, value]) => value);
  const missing = <T>(a: Iterable<T>, b: { has(each: T): boolean }): T[] =>
    [...a].filter((each) => !b.has(each));
  return {
    revision,
    putFrontends: changed(before.frontends, after.frontends),
    removeFrontends: missing(before.frontends.keys(), after.frontends),
    putLists: changed(before.lists, after.lists),
    removeLists: missing(before.lists.keys(), after.lists),
    addClusterIps: missing(after.clusterIps, before.clusterIps),
    removeClusterIps: missing(before.clusterIps, after.clusterIps),
    addPodAddresses: missing(after.podAddresses, before.podAddresses),
    removePodAddresses: missing(before.podAddresses, after.podAddresses),
    addLocalEndpoints: missing(after.localEndpoints, before.localEndpoints),
    removeLocalEndpoints: missing(before.localEndpoints, after.localEndpoints),
    podPrefixes: after.podPrefixes,
    servicePrefixes: after.servicePrefixes,
  };
}

function text(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}` : each)) ?? ""
  );
}
