import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { NetnsPath } from "../kernel/kernel.ts";
import { checkAttached } from "./check-attached.ts";
import type { AttachRequest, AttachResponse } from "./network-plugin.ts";
import { attachRequest } from "./sample-request.ts";
import { podOperations, wantedRoutes } from "./pod-order.ts";

const numbers = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 };

function routeTo(destination: string, gateway = ""): AttachRequest["routes"][number] {
  return { destination, gateway, ...numbers };
}

function textOf(order: AttachRequest): string[] {
  return wantedRoutes(order).map(({ destination, gateway }) => `${destination} via ${gateway}`);
}

describe("wantedRoutes()", () => {
  for (const [what, change, expected] of [
    ["the default routes of both families", {}, ["0.0.0.0/0 via 10.1.0.1", "::/0 via fd00:1::1"]],
    ["none where another attachment has them", { defaultRoute: "DEFAULT_ROUTE_NONE" }, []],
    [
      "none of a family without a gateway",
      { addresses: [{ address: "10.1.0.5/24", gateway: "" }] },
      [],
    ],
    [
      "those that the order names, by their family's gateway, with no host bits",
      { routes: [routeTo("192.0.2.7/24"), routeTo("2001:db8::/32", "fd00:1::9")] },
      [
        "0.0.0.0/0 via 10.1.0.1",
        "::/0 via fd00:1::1",
        "192.0.2.0/24 via 10.1.0.1",
        "2001:db8::/32 via fd00:1::9",
      ],
    ],
    [
      "the default route that the order names, once",
      { routes: [routeTo("0.0.0.0/0", "10.1.0.99")] },
      ["::/0 via fd00:1::1", "0.0.0.0/0 via 10.1.0.99"],
    ],
    [
      "what the order names, even where the default routes are another's",
      { defaultRoute: "DEFAULT_ROUTE_NONE", routes: [routeTo("192.0.2.0/24")] },
      ["192.0.2.0/24 via 10.1.0.1"],
    ],
  ] as const satisfies readonly (readonly [string, Partial<AttachRequest>, readonly string[]])[]) {
    test(`answers ${what}`, () => {
      assert.deepEqual(textOf(attachRequest(change)), expected);
    });
  }

  test("refuses what is no address", () => {
    const order = attachRequest({ routes: [routeTo("elsewhere")] });
    assert.throws(() => wantedRoutes(order), { name: "PluginError", kind: "invalid-config" });
    assert.throws(() => podOperations(order), { name: "PluginError", kind: "invalid-config" });
  });
});

describe("podOperations() and checkAttached()", () => {
  const netns = "/run/netns/pod" as NetnsPath;

  async function attached() {
    const kernel = new FakeKernel();
    await kernel.createNetns(netns);
    const mac = "02:00:00:00:00:01";
    const order = attachRequest({ netns, routes: [{ ...routeTo("192.0.2.0/24"), mtu: 1300 }] });
    const peer = { name: "eth0", netns, mac, mtu: 1400 };
    const batches = [
      { operations: [{ kind: "add-link", name: "host0", link: { type: "veth", peer } }] },
      { netns, operations: podOperations(order) },
    ] as const;
    await kernel.apply(batches);
    const answer: AttachResponse = {
      interfaces: [{ name: "eth0", mac, mtu: 1400, sandbox: netns, pciId: "", socketPath: "" }],
      addresses: order.addresses.map((own) => ({ ...own, interfaceIndex: 0 })),
      routes: wantedRoutes(order),
      dns: null,
      deviceInfoJson: "",
    };
    const check = async () => {
      const check = { attachment: order, attached: answer, repair: false };
      const findings = await checkAttached(kernel, check);
      return findings.map(({ kind, object }) => `${kind} ${object}`);
    };
    return { kernel, order, check };
  }

  test("agree, and a repeat changes nothing", async () => {
    const { kernel, order, check } = await attached();
    assert.deepEqual(await check(), []);
    const before = kernel.toString();
    await kernel.apply([{ netns, operations: podOperations(order) }]);
    assert.equal(kernel.toString(), before);
  });

  test("find each thing that somebody took away", async () => {
    const { kernel, check } = await attached();
    const link = "eth0";
    const [own] = await kernel.addresses(netns);
    const routes = await kernel.routes(netns);
    const extra = routes.find(
      ({ destination }) => destination.prefixLength === 24 && destination.value === 0xc0000200n,
    );
    assert.ok(own && extra);
    await kernel.apply([
      {
        netns,
        operations: [
          { kind: "delete-route", destination: extra.destination, link },
          { kind: "set-link", name: link, mtu: 1300, mac: "02:00:00:00:00:09" },
        ],
      },
    ]);
    assert.deepEqual(await check(), ["mac eth0", "mtu eth0", "route-missing 192.0.2.0/24"]);
    await kernel.removeLinks([link], netns);
    assert.deepEqual(await check(), ["link-missing eth0"]);
  });
});
