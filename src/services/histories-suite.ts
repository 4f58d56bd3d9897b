import fc from "fast-check";
import { parsePrefix } from "../ip/address.ts";
import type { AddressText, EndpointGroup, Frontend, NodeFacts } from "./model.ts";
import {
  type ObjectEvent,
  type ObjectKey,
  objectKey,
  type ServicesObject,
  type SliceEndpoint,
} from "./objects.ts";
import {
  sampleEndpoint,
  sampleFacts,
  sampleFrontend,
  sampleGroup,
  sampleModelEndpoint,
  samplePolicy,
  sampleService,
  sampleSlice,
  text,
  texts,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { ModelChange, ServiceTable } from "./table-types.ts";

/**
 * Random histories in a world so small that everything collides: Services of two sources and
 * frontends of a third want the same addresses, endpoints move between slices, the node changes
 * its zone. After every step the plan is what a fresh start from the same objects would plan.
 */
export type Action =
  | { readonly kind: "objects"; readonly source: string; readonly event: ObjectEvent }
  | { readonly kind: "model"; readonly source: string; readonly change: ModelChange }
  | { readonly kind: "facts"; readonly facts: NodeFacts }
  | { readonly kind: "pods"; readonly add: AddressText[]; readonly remove: AddressText[] };

const names = fc.constantFrom("a", "b", "c");
const sources = fc.constantFrom("one", "two");
const nodes = fc.constantFrom("node-a", "node-a", "node-b", "node-c", undefined);
const families = fc.constantFrom(4 as const, 6 as const);

function addressOf(family: 4 | 6, number: number): string {
  return family === 4 ? `10.1.0.${number}` : `fd01::${number}`;
}

const service = fc
  .record({
    name: names,
    clusterIps: fc.constantFrom(
      ["10.96.0.10"],
      ["10.96.0.11"],
      ["fd96::a", "10.96.0.10"],
      ["fd96::b"],
      // The node's own, sometimes.
      ["192.0.2.1"],
      ["None"],
    ),
    ports: fc.constantFrom(
      [{ name: "http", port: 80 }],
      [{ name: "http", port: 80, nodePort: 30_080 }],
      [
        { name: "http", port: 80, nodePort: 30_080 },
        { name: "dns", protocol: "UDP" as const, port: 53, nodePort: 30_080 },
      ],
    ),
    externalIPs: fc.constantFrom([], ["198.51.100.1"], ["10.96.0.10", "2001:db8::1"]),
    ingress: fc.constantFrom([], [{ ip: "198.51.100.1" }], [{ ip: "198.51.100.2" }]),
    loadBalancerSourceRanges: fc.constantFrom([], ["192.0.2.0/24"], [" 203.0.113.0/24", "bad"]),
    internalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
    externalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
    sessionAffinity: fc.constantFrom("None" as const, "ClientIP" as const),
    annotations: fc.constantFrom<Readonly<Record<string, string>>[]>(
      {},
      {},
      { "services.patchbay.dev/topology-keys": "example.com/rack,topology.kubernetes.io/zone" },
      { "services.patchbay.dev/topology-keys": "kubernetes.io/hostname,*" },
      { "services.patchbay.dev/weights": "10.1.0.1=0,pod-2=3,node-b=2" },
      { "services.patchbay.dev/pick": "wrong" },
    ),
    created: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
  })
  .map(({ name, clusterIps, ingress, annotations, created, ...spec }) =>
    sampleService(
      { clusterIPs: clusterIps, healthCheckNodePort: 32_000, type: "LoadBalancer", ...spec },
      { name, annotations, ingress, created },
    ),
  );

const hints = fc.constantFrom(
  undefined,
  { forZones: [{ name: "zone-1" }] },
  { forZones: [{ name: "zone-2" }], forNodes: [{ name: "node-a" }] },
);

const endpoint = (family: 4 | 6): fc.Arbitrary<SliceEndpoint> =>
  fc
    .record({
      number: fc.integer({ min: 1, max: 4 }),
      nodeName: nodes,
      state: fc.constantFrom("ready", "ready", "terminating", "not-ready"),
      hints,
    })
    .map(({ number, nodeName, state, hints }) =>
      sampleEndpoint(addressOf(family, number), {
        conditions: { ready: state === "ready", terminating: state === "terminating" },
        ...(nodeName && { nodeName }),
        ...(hints && { hints }),
        targetRef: { kind: "Pod", name: `pod-${number}` },
      }),
    );

const slice = fc
  .record({ slice: fc.integer({ min: 1, max: 3 }), service: names, family: families })
  .chain(({ slice, service, family }) =>
    fc
      .record({
        endpoints: fc.array(endpoint(family), { maxLength: 4 }),
        ports: fc.constantFrom(
          [{ name: "http", port: 8080 }],
          [
            { name: "http", port: 8081 },
            { name: "dns", protocol: "UDP" as const, port: 53 },
          ],
        ),
      })
      .map(({ endpoints, ports }) =>
        sampleSlice(endpoints, {
          name: `slice-${slice}`,
          service,
          ports,
          addressType: family === 4 ? "IPv4" : "IPv6",
        }),
      ),
  );

const object: fc.Arbitrary<ServicesObject> = fc.oneof(service, slice, slice);

const objectAction: fc.Arbitrary<Action> = fc
  .record({
    source: sources,
    event: fc.oneof(
      { weight: 6, arbitrary: object.map((object): ObjectEvent => ({ kind: "put", object })) },
      {
        weight: 3,
        arbitrary: object.map(
          (object): ObjectEvent => ({ kind: "delete", key: objectKey(object) }),
        ),
      },
      {
        weight: 1,
        arbitrary: fc
          .uniqueArray(object, { maxLength: 5, selector: objectKey })
          .map((objects): ObjectEvent => ({ kind: "relist", objects })),
      },
    ),
  })
  .map((action) => ({ kind: "objects", ...action }));

const group: fc.Arbitrary<EndpointGroup> = fc
  .record({
    id: fc.constantFrom("g1", "g2"),
    numbers: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    nodeName: nodes,
    weight: fc.constantFrom(0, 1, 2),
  })
  .map(({ id, numbers, nodeName, weight }) =>
    sampleGroup(
      numbers.map((number) =>
        sampleModelEndpoint(addressOf(4, number), { weight, ...(nodeName && { nodeName }) }),
      ),
      { id },
    ),
  );

const frontend: fc.Arbitrary<Frontend> = fc
  .record({
    id: fc.constantFrom("f1", "f2", "f3"),
    kind: fc.constantFrom("clusterIP", "hostPort", "nodePort", "loadBalancer"),
    group: fc.constantFrom("g1", "g2"),
    port: fc.constantFrom(80, 30_080),
    pick: fc.constantFrom("random", "consistent-hash"),
    affinity: fc.constantFrom(undefined, 60),
    externalTrafficPolicy: fc.constantFrom("Cluster", "Local"),
    service: fc.constantFrom("default/a", "other/x"),
  })
  .map(({ id, kind, group, port, pick, affinity, externalTrafficPolicy, service }) => {
    const { address: _, ...plain } = sampleFrontend();
    return {
      ...plain,
      id,
      kind,
      group,
      port,
      service,
      ...(kind === "clusterIP" && { address: text("10.96.0.10") }),
      ...(kind === "loadBalancer" && { address: text("198.51.100.1") }),
      policy: {
        ...samplePolicy,
        pick,
        externalTrafficPolicy,
        ...(affinity !== undefined && { affinitySeconds: affinity }),
      },
    };
  });

const modelAction: fc.Arbitrary<Action> = fc
  .record({
    source: fc.constantFrom("host", "other"),
    change: fc.record({
      replace: fc.boolean(),
      putGroups: fc.uniqueArray(group, { maxLength: 2, selector: ({ id }) => id }),
      removeGroups: fc.subarray(["g1", "g2"]),
      putFrontends: fc.uniqueArray(frontend, { maxLength: 3, selector: ({ id }) => id }),
      removeFrontends: fc.subarray(["f1", "f2", "f3"]),
    }),
  })
  .map((action) => ({ kind: "model", ...action }));

const plainFacts = sampleFacts();
const factsAction: fc.Arbitrary<Action> = fc
  .constantFrom<Partial<NodeFacts>[]>(
    {},
    { nodeName: "" },
    { nodeName: "node-c" },
    { nodeLabels: new Map() },
    { nodeLabels: new Map([...plainFacts.nodeLabels].filter(([name]) => name !== "node-b")) },
    { nodePortAddresses: texts("192.0.2.1", "192.0.2.2") },
    { nodeAddresses: texts("192.0.2.2"), nodePortAddresses: [] },
    { nodeAddresses: texts("203.0.113.9") },
    { masqueradeAll: true },
    { podPrefixes: [], servicePrefixes: [parsePrefix("10.97.0.0/16")] },
  )
  .map((changes) => ({ kind: "facts", facts: sampleFacts(changes) }));

const podsAction: fc.Arbitrary<Action> = fc
  .record({
    add: fc.subarray([text("10.1.0.1"), text("10.1.0.2"), text("fd01::1")]),
    remove: fc.subarray([text("10.1.0.1"), text("10.1.0.2"), text("fd01::1")]),
  })
  .map((change) => ({ kind: "pods", ...change }));

export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: objectAction },
  { weight: 3, arbitrary: modelAction },
  { weight: 1, arbitrary: factsAction },
  { weight: 1, arbitrary: podsAction },
);

/** What there is after a history, kept in the simplest way. */
export class World {
  facts = sampleFacts();
  readonly objects = new Map<string, Map<ObjectKey, ServicesObject>>();
  readonly groups = new Map<string, Map<string, EndpointGroup>>();
  readonly frontends = new Map<string, Map<string, Frontend>>();
  readonly pods = new Set<AddressText>();

  apply(action: Action): void {
    switch (action.kind) {
      case "objects": {
        const objects = this.objects.getOrInsertComputed(action.source, () => new Map());
        const { event } = action;
        if (event.kind === "delete") objects.delete(event.key);
        if (event.kind === "put") objects.set(objectKey(event.object), event.object);
        if (event.kind === "relist") {
          objects.clear();
          for (const object of event.objects) objects.set(objectKey(object), object);
        }
        return;
      }
      case "model": {
        const { source, change } = action;
        const groups = this.groups.getOrInsertComputed(source, () => new Map());
        const frontends = this.frontends.getOrInsertComputed(source, () => new Map());
        if (change.replace) {
          groups.clear();
          frontends.clear();
        }
        for (const id of change.removeGroups) groups.delete(id);
        for (const id of change.removeFrontends) frontends.delete(id);
        for (const group of change.putGroups) groups.set(group.id, group);
        for (const frontend of change.putFrontends) frontends.set(frontend.id, frontend);
        return;
      }
      case "facts":
        this.facts = action.facts;
        return;
      case "pods":
        for (const address of action.remove) this.pods.delete(address);
        for (const address of action.add) this.pods.add(address);
    }
  }

  /** A table that saw only the outcome, in another order. */
  freshTable(): ServiceTable {
    const table = createServiceTable(this.facts);
    table.changePodAddresses({ add: [...this.pods], remove: [] });
    for (const [source, frontends] of this.frontends) {
      table.applyModel(source, {
        replace: true,
        putGroups: [...(this.groups.get(source)?.values() ?? [])],
        removeGroups: [],
        putFrontends: [...frontends.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
        removeFrontends: [],
      });
    }
    for (const [source, objects] of this.objects) {
      const ordered = [...objects].sort(([a], [b]) => (a < b ? 1 : -1));
      table.applyObjects(
        source,
        ordered.map(([, object]) => ({ kind: "put", object })),
      );
    }
    table.takeChanges();
    return table;
  }
}

/** Gives an action to a table. */
export function tell(table: ServiceTable, action: Action): void {
  switch (action.kind) {
    case "objects":
      return table.applyObjects(action.source, [action.event]);
    case "model":
      return table.applyModel(action.source, action.change);
    case "facts":
      return table.setFacts(action.facts);
    case "pods":
      return table.changePodAddresses(action);
  }
}
