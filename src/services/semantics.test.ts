import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressText, Endpoint, Frontend, FrontendKind } from "./model.ts";
import { frontendKey } from "./model.ts";
import type { PlannedFrontend, Route, ServicePlan } from "./plan-types.ts";
import {
  sampleFacts,
  sampleFrontend,
  sampleGroup,
  sampleModelEndpoint,
  samplePolicy,
  text,
  texts,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { Question, ServiceTable } from "./table-types.ts";

/**
 * services.md 3.2 to 3.4 as tables: every source x kind of frontend x policies x state of
 * endpoints, both families; the plan and explain() say the same.
 *
 * Endpoints of a state: L ready on this node, R ready elsewhere; l and r terminate and still
 * serve; x and y are not ready; z terminates and serves no more. A cell names the endpoints that a
 * connection may reach, with a star where its source becomes the node's; or the verdict.
 */
const STATES = [
  "-",
  "L",
  "R",
  "LR",
  "l",
  "r",
  "lr",
  "lR",
  "Lr",
  "x",
  "xR",
  "Ly",
  "z",
  "zR",
] as const;
type State = (typeof STATES)[number];
const SOURCES = ["pod", "node", "outside"] as const;
type SourceName = (typeof SOURCES)[number];
const KINDS: readonly FrontendKind[] = [
  "clusterIP",
  "nodePort",
  "externalIP",
  "loadBalancer",
  "hostPort",
];
const POLICIES = ["Cluster", "Local"] as const;
type Policy = (typeof POLICIES)[number];

type Cells = Readonly<Record<State, readonly [pod: string, node: string, outside: string]>>;

interface Table {
  readonly kinds: readonly FrontendKind[];
  readonly internal: readonly Policy[];
  readonly external: readonly Policy[];
  readonly cells: Cells;
}

const TABLES: readonly Table[] = [
  {
    kinds: ["clusterIP"],
    internal: ["Cluster"],
    external: ["Cluster", "Local"],
    cells: {
      "-": ["reject", "reject", "reject"],
      L: ["L", "L*", "L*"],
      R: ["R", "R*", "R*"],
      LR: ["LR", "LR*", "LR*"],
      l: ["l", "l*", "l*"],
      r: ["r", "r*", "r*"],
      lr: ["lr", "lr*", "lr*"],
      lR: ["R", "R*", "R*"],
      Lr: ["L", "L*", "L*"],
      x: ["reject", "reject", "reject"],
      xR: ["R", "R*", "R*"],
      Ly: ["L", "L*", "L*"],
      z: ["reject", "reject", "reject"],
      zR: ["R", "R*", "R*"],
    },
  },
  {
    kinds: ["clusterIP"],
    internal: ["Local"],
    external: ["Cluster", "Local"],
    cells: {
      "-": ["reject", "reject", "reject"],
      L: ["L", "L*", "L*"],
      R: ["drop", "drop", "drop"],
      LR: ["L", "L*", "L*"],
      l: ["l", "l*", "l*"],
      r: ["drop", "drop", "drop"],
      lr: ["l", "l*", "l*"],
      // Cluster and Local fall back each for itself.
      lR: ["l", "l*", "l*"],
      Lr: ["L", "L*", "L*"],
      x: ["reject", "reject", "reject"],
      xR: ["drop", "drop", "drop"],
      Ly: ["L", "L*", "L*"],
      z: ["reject", "reject", "reject"],
      zR: ["drop", "drop", "drop"],
    },
  },
  {
    kinds: ["nodePort", "externalIP", "loadBalancer"],
    internal: ["Cluster", "Local"],
    external: ["Cluster"],
    cells: {
      "-": ["reject", "reject", "reject"],
      L: ["L*", "L*", "L*"],
      R: ["R*", "R*", "R*"],
      LR: ["LR*", "LR*", "LR*"],
      l: ["l*", "l*", "l*"],
      r: ["r*", "r*", "r*"],
      lr: ["lr*", "lr*", "lr*"],
      lR: ["R*", "R*", "R*"],
      Lr: ["L*", "L*", "L*"],
      x: ["reject", "reject", "reject"],
      xR: ["R*", "R*", "R*"],
      Ly: ["L*", "L*", "L*"],
      z: ["reject", "reject", "reject"],
      zR: ["R*", "R*", "R*"],
    },
  },
  {
    kinds: ["nodePort", "externalIP", "loadBalancer"],
    internal: ["Cluster", "Local"],
    external: ["Local"],
    cells: {
      "-": ["reject", "reject", "reject"],
      L: ["L", "L*", "L"],
      // The short circuit: whoever is inside sees all endpoints.
      R: ["R", "R*", "drop"],
      LR: ["LR", "LR*", "L"],
      l: ["l", "l*", "l"],
      r: ["r", "r*", "drop"],
      lr: ["lr", "lr*", "l"],
      lR: ["R", "R*", "l"],
      Lr: ["L", "L*", "L"],
      x: ["reject", "reject", "reject"],
      xR: ["R", "R*", "drop"],
      Ly: ["L", "L*", "L"],
      z: ["reject", "reject", "reject"],
      zR: ["R", "R*", "drop"],
    },
  },
  {
    kinds: ["hostPort"],
    internal: ["Cluster", "Local"],
    external: ["Cluster", "Local"],
    cells: {
      "-": ["reject", "reject", "reject"],
      L: ["L", "L*", "L"],
      R: ["R", "R*", "R"],
      LR: ["LR", "LR*", "LR"],
      l: ["l", "l*", "l"],
      r: ["r", "r*", "r"],
      lr: ["lr", "lr*", "lr"],
      lR: ["R", "R*", "R"],
      Lr: ["L", "L*", "L"],
      x: ["reject", "reject", "reject"],
      xR: ["R", "R*", "R"],
      Ly: ["L", "L*", "L"],
      z: ["reject", "reject", "reject"],
      zR: ["R", "R*", "R"],
    },
  },
];

interface Cell {
  readonly kind: FrontendKind;
  readonly internal: Policy;
  readonly external: Policy;
  readonly state: State;
  readonly source: SourceName;
  readonly family: 4 | 6;
}

function nameOf({ kind, internal, external, state, source, family }: Cell): string {
  return `IPv${family} ${source} -> ${kind} iTP ${internal} eTP ${external}, endpoints ${state}`;
}

function expectedCells(): ReadonlyMap<string, { readonly cell: Cell; readonly expected: string }> {
  const cells = new Map<string, { cell: Cell; expected: string }>();
  for (const table of TABLES) {
    for (const family of [4, 6] as const) {
      for (const kind of table.kinds) {
        for (const internal of table.internal) {
          for (const external of table.external) {
            for (const state of STATES) {
              for (const [index, source] of SOURCES.entries()) {
                const cell: Cell = { kind, internal, external, state, source, family };
                const expected = table.cells[state][index];
                assert.ok(expected !== undefined && !cells.has(nameOf(cell)), nameOf(cell));
                cells.set(nameOf(cell), { cell, expected });
              }
            }
          }
        }
      }
    }
  }
  return cells;
}

const ENDPOINTS: Readonly<Record<string, Partial<Endpoint>>> = {
  L: { nodeName: "node-a" },
  R: { nodeName: "node-b" },
  l: { nodeName: "node-a", ready: false, terminating: true },
  r: { nodeName: "node-b", ready: false, terminating: true },
  x: { nodeName: "node-a", ready: false },
  y: { nodeName: "node-b", ready: false },
  z: { nodeName: "node-a", ready: false, serving: false, terminating: true },
};

function lettersOf({ state }: Cell): readonly string[] {
  return state === "-" ? [] : Array.from(state);
}

/** One address for each letter, ordered as the letters of a state. */
function endpointAddress(letter: string, family: 4 | 6): AddressText {
  const number = "lLxzRry".indexOf(letter) + 1;
  return text(family === 4 ? `10.1.0.${number}` : `fd01::${number}`);
}

const FRONTEND_ADDRESSES: Readonly<Record<FrontendKind, readonly [v4: string, v6: string]>> = {
  clusterIP: ["10.96.0.10", "fd96::a"],
  nodePort: ["192.0.2.1", "2001:db8::1"],
  externalIP: ["198.51.100.1", "2001:db8:1::1"],
  loadBalancer: ["198.51.100.2", "2001:db8:1::2"],
  hostPort: ["192.0.2.1", "2001:db8::1"],
};

function frontendOf({ kind, internal, external, family }: Cell): Frontend {
  const { address: _, ...plain } = sampleFrontend();
  const anywhere = kind === "nodePort" || kind === "hostPort";
  return {
    ...plain,
    family,
    kind,
    ...(!anywhere && { address: frontendAddress(kind, family) }),
    policy: {
      ...samplePolicy,
      internalTrafficPolicy: internal,
      externalTrafficPolicy: external,
    },
  };
}

function frontendAddress(kind: FrontendKind, family: 4 | 6): AddressText {
  return text(FRONTEND_ADDRESSES[kind][family === 4 ? 0 : 1]);
}

function tableOf(cell: Cell, { masqueradeAll = false } = {}): ServiceTable {
  const table = createServiceTable(sampleFacts({ masqueradeAll }));
  const letters = lettersOf(cell);
  const endpoints = letters.map((letter) =>
    sampleModelEndpoint(endpointAddress(letter, cell.family), ENDPOINTS[letter]),
  );
  table.applyModel("test", {
    replace: true,
    putGroups: [sampleGroup(endpoints, { family: cell.family })],
    removeGroups: [],
    putFrontends: [frontendOf(cell)],
    removeFrontends: [],
  });
  table.takeChanges();
  return table;
}

function questionOf({ kind, source, family }: Cell): Question {
  const addresses = {
    pod: ["10.1.0.200", "fd01::c8"],
    outside: ["203.0.113.1", "2001:db8:ffff::1"],
  };
  return {
    source:
      source === "node"
        ? { kind: "node" }
        : { kind: "address", address: text(addresses[source][family === 4 ? 0 : 1] ?? "") },
    address: frontendAddress(kind, family),
    protocol: "TCP",
    port: 80,
  };
}

/** The letters of endpoints, or a verdict; with a star for masquerade. */
function cellOf(
  addresses: readonly AddressText[],
  { cell, masquerade }: { readonly cell: Cell; readonly masquerade: boolean },
): string {
  const letters = lettersOf(cell).filter((letter) =>
    addresses.includes(endpointAddress(letter, cell.family)),
  );
  assert.equal(letters.length, addresses.length);
  return letters.join("") + (masquerade ? "*" : "");
}

/** What a plane makes of the plan. */
function plannedCell(plan: ServicePlan, cell: Cell): string {
  const key = frontendKey(frontendAddress(cell.kind, cell.family), { protocol: "TCP", port: 80 });
  const frontend = plan.frontends.get(key);
  assert.ok(frontend);
  const route: Route = cell.source === "outside" ? frontend.outside : frontend.inside;
  if (route.kind !== "list") return route.kind;
  const list = plan.lists.get(route.list);
  assert.ok(list);
  return cellOf(
    list.endpoints.map(({ address }) => address),
    { cell, masquerade: masqueradedBy(frontend, cell.source) },
  );
}

function masqueradedBy({ masquerade }: PlannedFrontend, source: SourceName): boolean {
  if (source === "node" || masquerade === "everyone") return true;
  return masquerade === "others" && source === "outside";
}

function explainedCell(table: ServiceTable, cell: Cell): string {
  const explanation = table.explain(questionOf(cell));
  assert.equal(explanation.sourceKind, cell.source);
  assert.equal(explanation.frontendKind, cell.kind);
  if (explanation.verdict !== "forward") {
    assert.deepEqual([explanation.endpoints, explanation.masquerade], [[], false]);
    return explanation.verdict;
  }
  return cellOf(
    explanation.endpoints.map(({ address }) => address),
    { cell, masquerade: explanation.masquerade },
  );
}

test("no cell of source x frontend x policy x endpoints x family is missing", () => {
  const cells = expectedCells();
  let count = 0;
  for (const family of [4, 6] as const) {
    for (const kind of KINDS) {
      for (const internal of POLICIES) {
        for (const external of POLICIES) {
          for (const state of STATES) {
            for (const source of SOURCES) {
              const name = nameOf({ kind, internal, external, state, source, family });
              assert.ok(cells.has(name), name);
              count++;
            }
          }
        }
      }
    }
  }
  assert.equal(cells.size, count);
  assert.equal(count, 2 * 5 * 2 * 2 * 14 * 3);
});

test("plan() and explain() hold in every cell", () => {
  for (const [name, { cell, expected }] of expectedCells()) {
    const table = tableOf(cell);
    assert.equal(plannedCell(table.plan(), cell), expected, `plan: ${name}`);
    assert.equal(explainedCell(table, cell), expected, `explain: ${name}`);
    const used = expected.replace("*", "").length;
    const all = cell.state === "-" ? 0 : cell.state.length;
    const { verdict, unused } = table.explain(questionOf(cell));
    assert.equal(unused.length, verdict === "forward" ? all - used : all, name);
  }
});

test("masqueradeAll changes cluster IPs and nothing else", () => {
  for (const [name, { cell, expected }] of expectedCells()) {
    const table = tableOf(cell, { masqueradeAll: true });
    const isVerdict = expected === "reject" || expected === "drop";
    const all =
      cell.kind === "clusterIP" && !isVerdict ? `${expected.replace("*", "")}*` : expected;
    assert.equal(plannedCell(table.plan(), cell), all, `plan: ${name}`);
    assert.equal(explainedCell(table, cell), all, `explain: ${name}`);
  }
});

test("view() shows the endpoints of both routes", () => {
  for (const [name, { cell, expected }] of expectedCells()) {
    if (cell.source === "node") continue;
    const state = tableOf(cell).view("default/web")?.frontends[0];
    assert.ok(state);
    const shown = cell.source === "pod" ? state.inside : state.outside;
    const verdict = expected === "reject" || expected === "drop";
    const addresses = shown.map(({ address }) => address);
    assert.equal(
      cellOf(addresses, { cell, masquerade: false }),
      verdict ? "" : expected.replace("*", ""),
      name,
    );
  }
});

test("a hostPort without an address is on all of the node's addresses", () => {
  const facts = sampleFacts({ nodeAddresses: texts("192.0.2.1", "192.0.2.2", "2001:db8::1") });
  const table = createServiceTable(facts);
  const { address: _, ...plain } = sampleFrontend({ kind: "hostPort" });
  table.applyModel("test", {
    replace: true,
    putGroups: [],
    removeGroups: [],
    putFrontends: [plain],
    removeFrontends: [],
  });
  table.takeChanges();
  assert.deepEqual([...table.plan().frontends.keys()], ["192.0.2.1|TCP|80", "192.0.2.2|TCP|80"]);
});
