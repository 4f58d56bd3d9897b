import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { AddressText } from "../../../services/model.ts";
import type { ListId, PlannedFrontend } from "../../../services/plan-types.ts";
import {
  makeChanges,
  makeEndpoint,
  makeList,
  makeNodePort,
  makePlan,
  toList,
} from "./fake-plan.ts";
import { LocalPorts } from "./local-ports.ts";

const SECOND = "192.168.0.3" as AddressText;

describe("LocalPorts", () => {
  it("has one port for the frontends of all addresses, as long as one is there", () => {
    const ports = new LocalPorts();
    const first = makeNodePort({ port: 30_080, inside: toList("web") });
    const second = makeNodePort({ port: 30_080, inside: toList("web"), address: SECOND });
    const port = {
      key: "4|TCP|30080",
      family: 4,
      protocol: "TCP",
      port: 30_080,
      route: toList("web"),
    };
    const came = ports.apply(makeChanges({ putFrontends: [first, second] }));
    assert.deepEqual(came, { put: [port], remove: [], unsupported: [] });
    assert.deepEqual(ports.apply(makeChanges({ removeFrontends: [first.key] })).put, [port]);
    const gone = ports.apply(makeChanges({ removeFrontends: [second.key] }));
    assert.deepEqual(gone, { put: [], remove: ["4|TCP|30080"], unsupported: [] });
  });

  it("keeps families and protocols apart, and names SCTP as unsupported", () => {
    const ports = new LocalPorts();
    const { put, unsupported } = ports.apply(
      makeChanges({
        putFrontends: [
          makeNodePort({ port: 1 }),
          makeNodePort({ port: 1, protocol: "UDP" }),
          makeNodePort({ port: 1, family: 6 }),
          makeNodePort({ port: 1, protocol: "SCTP" }),
        ],
      }),
    );
    assert.deepEqual(
      put.map(({ key }) => key),
      ["4|TCP|1", "4|UDP|1", "6|TCP|1"],
    );
    assert.deepEqual(unsupported, ["4|SCTP|1"]);
  });

  it("has nothing of other kinds, and loses a port whose frontend becomes another kind", () => {
    const ports = new LocalPorts();
    const other = makeNodePort({ port: 2, kind: "externalIP" });
    const frontend = makeNodePort({ port: 1 });
    assert.equal(ports.apply(makeChanges({ putFrontends: [other, frontend] })).put.length, 1);
    const taken = makeChanges({ putFrontends: [{ ...frontend, kind: "externalIP" }] });
    assert.deepEqual(ports.apply(taken).remove, ["4|TCP|1"]);
  });

  it("names the ports of a list that changed, and no others", () => {
    const ports = new LocalPorts();
    ports.apply(
      makeChanges({
        putFrontends: [
          makeNodePort({ port: 1, inside: toList("web") }),
          makeNodePort({ port: 2, inside: toList("api") }),
        ],
      }),
    );
    const keysAfter = (list: string) =>
      ports
        .apply(makeChanges({ putLists: [makeList([], { id: list as ListId })] }))
        .put.map(({ key }) => key);
    assert.deepEqual(keysAfter("api"), ["4|TCP|2"]);
    ports.apply(makeChanges({ putFrontends: [makeNodePort({ port: 2, inside: toList("web") })] }));
    assert.deepEqual([keysAfter("api"), keysAfter("web")], [[], ["4|TCP|1", "4|TCP|2"]]);
  });

  it("listOf() is the list as last told, by differences and by the whole plan", () => {
    const ports = new LocalPorts();
    const list = makeList([makeEndpoint("10.1.0.1", 80)]);
    const frontend = makeNodePort({ port: 1, inside: toList("web") });
    const listNow = () => {
      const port = ports.find("4|TCP|1");
      return port && ports.listOf(port);
    };
    // The list comes first: no frontend uses it yet.
    ports.apply(makeChanges({ putLists: [list] }));
    ports.apply(makeChanges({ putFrontends: [frontend] }));
    assert.equal(listNow(), list);
    const newer = makeList([makeEndpoint("10.1.0.2", 80)]);
    ports.apply(makeChanges({ putLists: [newer] }));
    assert.equal(listNow(), newer);
    ports.apply(makeChanges({ removeLists: [list.id] }));
    assert.equal(listNow(), undefined);
    ports.reset({ ...makePlan([frontend]), lists: new Map([[list.id, list]]) });
    assert.equal(listNow(), list);
  });

  it("differences lead to what the whole plan leads to", () => {
    const frontend = fc
      .record({
        port: fc.constantFrom(1, 2),
        address: fc.constantFrom<AddressText>("192.168.0.2" as AddressText, SECOND),
        protocol: fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const),
        kind: fc.constantFrom("nodePort" as const, "nodePort" as const, "clusterIP" as const),
        inside: fc.constantFrom(toList("web"), toList("api"), { kind: "reject" as const }),
      })
      .map(makeNodePort);
    const step = fc.record({ put: fc.boolean(), frontend });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const plan = new Map<string, PlannedFrontend>();
        const ports = new LocalPorts();
        const listened = new Map<string, unknown>();
        for (const { put, frontend } of steps) {
          if (put) plan.set(frontend.key, frontend);
          else plan.delete(frontend.key);
          const changes = put ? { putFrontends: [frontend] } : { removeFrontends: [frontend.key] };
          const told = ports.apply(makeChanges(changes));
          for (const key of told.remove) listened.delete(key);
          for (const port of told.put) listened.set(port.key, port);
        }
        const fresh = new LocalPorts().reset(makePlan([...plan.values()])).put;
        const expected = new Map(fresh.map((port) => [port.key, port]));
        assert.deepEqual(listened, expected);
        const again = ports.reset(makePlan([...plan.values()]));
        assert.deepEqual(new Map(again.put.map((port) => [port.key, port])), expected);
        assert.deepEqual(again.remove, []);
      }),
    );
  });
});
