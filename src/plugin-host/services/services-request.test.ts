import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApplyServicesRequest } from "../../rpc/generated/patchbay/host/v1/ApplyServicesRequest.ts";
import { hostProto } from "../../rpc/services.ts";
import { LIMITS } from "../limits.ts";
import { ApplySources } from "./apply-sources.ts";
import { serviceChange, serviceRemoval } from "./services-fixture.ts";
import { parseServicesRequest } from "./services-request.ts";

const { requestSerialize, requestDeserialize } = hostProto.Host.service.ApplyServices;

/** As it comes off the wire. */
function parse(request: ApplyServicesRequest) {
  const wire = requestDeserialize(requestSerialize({ source: "a", ...request }));
  return parseServicesRequest(wire, { nowMs: 7 });
}

const ENDPOINT = { address: "10.1.0.1", ports: [{ port: 8080 }] };
const GROUP = { id: "g", endpoints: [ENDPOINT] };
const FRONTEND = { id: "f", kind: "clusterIP", address: "10.96.0.1", port: 80, group: "g" };

describe("parseServicesRequest()", () => {
  it("fills in what the message leaves out", () => {
    const { source, change } = parse({ putGroups: [GROUP], putFrontends: [FRONTEND] });
    assert.equal(source, "a");
    assert.deepEqual(change.putGroups[0], {
      id: "g",
      family: 4,
      endpoints: [
        {
          address: "10.1.0.1",
          ports: [{ name: "", protocol: "TCP", port: 8080 }],
          ready: true,
          serving: true,
          terminating: false,
          weight: 1,
        },
      ],
    });
    const [frontend] = change.putFrontends;
    assert.equal(frontend?.service, "a/g");
    assert.equal(frontend?.createdMs, 7);
    assert.deepEqual(frontend?.policy, {
      internalTrafficPolicy: "Cluster",
      externalTrafficPolicy: "Cluster",
      pick: "random",
      topologyKeys: [],
      countConnections: false,
      closeTcpFlows: false,
    });
  });

  it("makes addresses canonical", () => {
    const { change } = parse({ putFrontends: [{ ...FRONTEND, address: "FD00:0::01" }] });
    assert.equal(change.putFrontends[0]?.address, "fd00::1");
    assert.equal(change.putFrontends[0]?.family, 6);
  });

  const frontends: [object, string][] = [
    [{ port: 0 }, "put_frontends[0].port is 0, expected 1 to 65535"],
    [{ port: 65_536 }, "put_frontends[0].port is 65536, expected 1 to 65535"],
    [{ id: "" }, 'put_frontends[0].id is ""'],
    [{ id: "a b" }, 'put_frontends[0].id is "a b"'],
    [{ kind: "hostPort" }, 'put_frontends[0].kind is "hostPort"'],
    [{ address: "" }, 'put_frontends[0].address is ""'],
    [{ address: "127.0.0.1" }, 'put_frontends[0].address is "127.0.0.1"'],
    [{ address: "169.254.20.10" }, 'put_frontends[0].address is "169.254.20.10"'],
    [{ address: "fe80::1" }, 'put_frontends[0].address is "fe80::1"'],
    [{ address: "::ffff:10.0.0.1" }, "put_frontends[0].address is"],
    [{ address: "010.0.0.1" }, "put_frontends[0].address is"],
    [{ family: 6 }, "put_frontends[0].family is 6, expected 4, that of the address"],
    [{ kind: "nodePort", address: "" }, "put_frontends[0].family is 0, expected 4 or 6"],
    [{ protocol: "ICMP" }, 'put_frontends[0].protocol is "ICMP"'],
    [{ group: "" }, 'put_frontends[0].group is ""'],
    [{ portName: "\n" }, 'put_frontends[0].port_name is "\\n"'],
    [{ affinitySeconds: 86_401 }, "put_frontends[0].affinity_seconds is 86401"],
    [{ pick: "maglev" }, 'put_frontends[0].pick is "maglev"'],
    [{ sourceRanges: ["10.0.0.0/8", "x"] }, 'put_frontends[0].source_ranges[1] is "x"'],
    [{ sourceRanges: ["fd00::/8"] }, "put_frontends[0].source_ranges[0] is"],
    [{ topologyKeys: ["*", "zone"] }, 'put_frontends[0].topology_keys[0] is "*"'],
    [
      { topologyKeys: ["a", "a"] },
      'put_frontends[0].topology_keys[1] is "a", expected each key once',
    ],
  ];
  for (const [change, message] of frontends) {
    it(`names the field: ${message}`, () => {
      assert.throws(
        () => parse({ putFrontends: [{ ...FRONTEND, ...change }] }),
        (error: Error & { code?: string }) =>
          error.code === "INVALID_SERVICES" && error.message.startsWith(message),
      );
    });
  }

  const endpoints: [object, string][] = [
    [{ address: "169.254.0.1" }, 'put_groups[0].endpoints[1].address is "169.254.0.1"'],
    [{ address: "10.1.0.256" }, 'put_groups[0].endpoints[1].address is "10.1.0.256"'],
    [{ address: "fd00::1" }, 'put_groups[0].endpoints[1].address is "fd00::1", expected IPv4'],
    [{ ports: [{ port: 0 }] }, "put_groups[0].endpoints[1].ports[0].port is 0"],
    [{ ports: [{ port: 1, protocol: "tcp" }] }, "put_groups[0].endpoints[1].ports[0].protocol is"],
    [{ weight: 257 }, "put_groups[0].endpoints[1].weight is 257"],
    [{ node: "a b" }, 'put_groups[0].endpoints[1].node is "a b"'],
  ];
  for (const [change, message] of endpoints) {
    it(`names the field: ${message}`, () => {
      const putGroups = [{ id: "g", endpoints: [ENDPOINT, { ...ENDPOINT, ...change }] }];
      assert.throws(
        () => parse({ putGroups }),
        (error: Error) => error.message.startsWith(message),
      );
    });
  }

  it("refuses one id with two meanings, a source that is no name, and too much at once", () => {
    assert.throws(() => parse({ putGroups: [GROUP, GROUP] }), {
      message: 'put_groups[1].id is "g", expected an id that put_groups[0].id has not',
    });
    assert.throws(
      () => parse({ putGroups: [GROUP], removeGroups: ["g"] }),
      /^[^]*remove_groups\[0\]/,
    );
    assert.throws(() => parse({ source: "../etc" }), /source is/);
    const removeGroups = Array.from(
      { length: LIMITS.servicesPerMessageMax + 1 },
      (_, id) => `${id}`,
    );
    assert.throws(() => parse({ removeGroups }), /at most 50000 are read/);
  });
});

describe("ApplySources", () => {
  it("bounds sources, frontends and endpoints together, and forgets what goes", () => {
    const sources = new ApplySources();
    for (let number = 0; number < LIMITS.servicesSourcesMax; number++) {
      sources.note(`s${number}`, serviceChange(1, ["10.1.0.1"]));
    }
    assert.throws(() => sources.note("more", serviceChange(1, [])), { code: "LIMIT_REACHED" });
    sources.note("s0", serviceChange(1, ["10.1.0.1"]));
    sources.note("s0", serviceRemoval(1));
    sources.note("more", serviceChange(1, []));
    const big = Array.from({ length: LIMITS.servicesEndpointsMax }, () => "10.1.0.1");
    assert.throws(() => sources.note("more", serviceChange(2, big)), /endpoints/);
    sources.note("more", { ...serviceChange(2, []), replace: true });
  });

  it("keeps the age of a frontend as long as its source has it", () => {
    const sources = new ApplySources();
    const put = (createdMs: number, more: object = {}) => {
      const change = { ...serviceChange(1, ["10.1.0.1"], { createdMs }), ...more };
      return sources.note("s", change).putFrontends[0]?.createdMs;
    };
    assert.equal(put(5), 5);
    assert.equal(put(6), 5);
    assert.equal(put(7, { replace: true }), 5);
    sources.note("s", serviceRemoval(1));
    assert.equal(put(8), 8);
    sources.note("s", { ...serviceRemoval(2), replace: true });
    assert.equal(put(9), 9);
  });

  it("tells when the first source comes and the last one goes", () => {
    const told: boolean[] = [];
    const sources = new ApplySources((isAny) => told.push(isAny));
    sources.note("none", serviceRemoval(1));
    sources.note("a", serviceChange(1, []));
    sources.note("b", serviceChange(1, []));
    sources.note("a", serviceRemoval(1));
    assert.deepEqual(told, [true]);
    sources.note("b", serviceRemoval(1));
    assert.deepEqual(told, [true, false]);
  });
});
