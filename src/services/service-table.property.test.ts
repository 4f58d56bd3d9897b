import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyPlanChanges, emptyServicePlan } from "./apply-changes.ts";
import { compareTargets } from "./choose-endpoints.ts";
import type { FrontendKey } from "./model.ts";
import type { Route, ServicePlan } from "./plan-types.ts";
import { action, tell, World } from "./histories-suite.ts";
import { createServiceTable } from "./service-table.ts";
import type { ServiceTable, TableChanges } from "./table-types.ts";

/** What any plan must be. */
function assertSound(plan: ServicePlan): void {
  const named = new Set<string>();
  const note = (route: Route): void => {
    if (route.kind === "list") named.add(route.list);
  };
  for (const [key, frontend] of plan.frontends) {
    assert.equal(key, frontend.key);
    note(frontend.inside);
    note(frontend.outside);
  }
  assert.deepEqual(new Set(plan.lists.keys()), named);
  for (const list of plan.lists.values()) {
    assert.ok(list.endpoints.length > 0);
    for (const [index, endpoint] of list.endpoints.entries()) {
      assert.ok(endpoint.weight >= 1 && endpoint.weight <= 256);
      assert.equal(endpoint.address.includes(":") ? 6 : 4, list.family);
      const next = list.endpoints[index + 1];
      assert.ok(next === undefined || compareTargets(endpoint, next) < 0);
    }
  }
}

/** Nothing is told that was so before. */
function assertNew(before: ServicePlan, { changes }: TableChanges): void {
  for (const put of changes.putFrontends) {
    assert.notDeepEqual(before.frontends.get(put.key), put, "a frontend that did not change");
  }
  for (const put of changes.putLists) {
    assert.notDeepEqual(before.lists.get(put.id), put, "a list that did not change");
  }
  for (const key of changes.removeFrontends) assert.ok(before.frontends.has(key));
  for (const id of changes.removeLists) assert.ok(before.lists.has(id));
  for (const [set, added, removed] of [
    [before.clusterIps, changes.addClusterIps, changes.removeClusterIps],
    [before.podAddresses, changes.addPodAddresses, changes.removePodAddresses],
    [before.localEndpoints, changes.addLocalEndpoints, changes.removeLocalEndpoints],
  ] as const) {
    for (const address of added) assert.ok(!set.has(address));
    for (const address of removed) assert.ok(set.has(address));
  }
}

type Serving = ReadonlyMap<FrontendKey, ReadonlySet<string> | undefined>;

function servingOf(table: ServiceTable): Serving {
  return new Map(
    [...table.plan().frontends.keys()].map((key) => [key, table.servingEndpoints(key)]),
  );
}

/** New, gone, with a member less, or from none to some. */
function staleKeys(before: Serving, after: Serving): ReadonlySet<string> {
  const stale = new Set<string>();
  for (const key of before.keys()) if (!after.has(key)) stale.add(key);
  for (const [key, now] of after) {
    const then = before.get(key);
    if (then === undefined) stale.add(key);
    else if (then.size === 0 && now?.size) stale.add(key);
    else if ([...then].some((member) => !now?.has(member))) stale.add(key);
  }
  return stale;
}

/** Everything else that a table says, without the numbers of revisions. */
function saidBy(table: ServiceTable): unknown {
  const views = table.serviceNames().map((name) => {
    const view = table.view(name);
    assert.ok(view !== undefined && view.revision > 0 && view.revision <= table.revision);
    return [name, view.frontends];
  });
  return { views, checks: table.healthChecks(), problems: table.problems() };
}

test("after every step of a random history the plan is that of a fresh start", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { maxLength: 25, size: "max" }),
      (steps) => {
        const world = new World();
        const table = createServiceTable(world.facts);
        let plan = emptyServicePlan;
        let serving: Serving = new Map();
        for (const step of steps) {
          for (const action of step) {
            world.apply(action);
            tell(table, action);
          }
          const revision = table.revision;
          const taken = table.takeChanges();
          assert.equal(table.revision, taken ? revision + 1 : revision);
          assert.equal(taken?.changes.revision, taken && table.revision);
          if (taken) {
            assertNew(plan, taken);
            plan = applyPlanChanges(plan, taken.changes);
          }
          const fresh = world.freshTable();
          assert.deepEqual(plan, table.plan());
          assert.deepEqual(plan, fresh.plan());
          assertSound(plan);
          for (const [key, planned] of plan.frontends) {
            assert.deepEqual(table.planned(key), planned);
          }
          for (const [id, list] of plan.lists) assert.deepEqual(table.list(id), list);
          assert.deepEqual(saidBy(table), saidBy(fresh));
          const now = servingOf(table);
          assert.deepEqual(now, servingOf(fresh));
          assert.deepEqual(
            new Set(taken?.staleFlows.map(({ key }) => String(key))),
            staleKeys(serving, now),
          );
          serving = now;
          assert.equal(table.takeChanges(), undefined);
        }
      },
    ),
    { numRuns: 300 },
  );
});
