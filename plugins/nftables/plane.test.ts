import { strict as assert } from "node:assert";
import { after, before, describe, it } from "node:test";
import { FakeNfnetlink } from "../../src/kernel/fake-nfnetlink.ts";
import { type Netfilter, openNetfilter } from "../../src/kernel/nf-netfilter.ts";
import { loadRuleset, openNftables } from "../../src/kernel/nftables.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { emptyServicePlan } from "../../src/services/apply-changes.ts";
import type { AddressText, FrontendKey } from "../../src/services/model.ts";
import type { ListId, PlannedFrontend, PlannedList } from "../../src/services/plan-types.ts";
import { FakeRuleset } from "./fake-ruleset.ts";
import { createNftablesPlane } from "./plane.ts";
import { fakeWorld, planeSuite } from "./plane-suite.ts";
import { skeleton } from "./skeleton.ts";
import { SLOTS_MAX } from "./ways.ts";

planeSuite("NftablesPlane on the fake", { open: fakeWorld, skip: false, runs: 15 });

describe("with the kernel", { skip: privateNodeSkip }, () => {
  let netfilter: Netfilter;
  before(async () => {
    netfilter = await openNetfilter();
  });
  after(async () => {
    await netfilter?.close();
  });

  planeSuite("NftablesPlane on the kernel", {
    open: () => ({
      nftables: openNftables(),
      nfnetlink: netfilter.nfnetlink,
      flushRules: () => loadRuleset("flush table ip patchbay-services\n"),
    }),
    skip: false,
    runs: 5,
  });

  it("the skeleton can be listed by nft and loaded again, with every affinity timeout", async () => {
    const nftables = openNftables();
    const stickyWays = new Map([
      [100, 10_800],
      [101, 60],
    ]);
    for (const family of [4, 6] as const) {
      const table = `${family === 4 ? "ip" : "ip6"} patchbay-services`;
      const text = skeleton({ family, masqueradeBit: 14, stickyWays });
      await nftables.load(text);
      await nftables.load(text);
      const listed = await nftables.list(table);
      await nftables.load(`delete table ${table}\n${listed}\n`);
      assert.equal(await nftables.list(table), listed);
      await nftables.load(`delete table ${table}\n`);
    }
  });

  it("says who deleted the table, and a reset brings it back", async () => {
    const plane = createNftablesPlane({ nftables: openNftables(), nfnetlink: netfilter.nfnetlink });
    await plane.reset(emptyServicePlan, 1);
    const told = new Promise<string>((resolve) => plane.onTamper(resolve));
    await loadRuleset("delete table ip6 patchbay-services\n");
    assert.match(await told, /^nft \(pid \d+\) changed table of table ip6 patchbay-services$/);
    await plane.reset(emptyServicePlan, 2);
    assert((await openNftables().list("ip6 patchbay-services")) !== undefined);
    await plane.remove();
    await plane.close();
  });
});

describe("NftablesPlane", () => {
  it("replaces a table of another shape", async () => {
    const nfnetlink = new FakeNfnetlink();
    const ruleset = new FakeRuleset(nfnetlink);
    const refusing = {
      load: async (text: string): Promise<void> => {
        if (!text.startsWith("delete")) throw new Error("File exists");
        await ruleset.load(text);
      },
      list: () => ruleset.list(),
    };
    await ruleset.load(skeleton({ family: 4, masqueradeBit: 14, stickyWays: new Map() }));
    await ruleset.load(skeleton({ family: 6, masqueradeBit: 14, stickyWays: new Map() }));
    const plane = createNftablesPlane({ nftables: refusing, nfnetlink });
    await plane.reset(emptyServicePlan, 1);
    assert.equal(ruleset.loaded.filter((text) => text.startsWith("delete table")).length, 2);
  });

  it("fails when the kernel does, and a reset starts from what is there", async () => {
    let failing = false;
    const nfnetlink = new FakeNfnetlink({
      failCall: (call) => (failing && call.method === "commit" ? 12 : undefined),
    });
    const plane = createNftablesPlane({ nfnetlink, nftables: new FakeRuleset(nfnetlink) });
    await plane.reset(emptyServicePlan, 1);
    failing = true;
    const address = "10.5.0.1" as never;
    const plan = { ...emptyServicePlan, clusterIps: new Set([address]) };
    await assert.rejects(plane.reset(plan, 2), /ENOMEM/);
    failing = false;
    await plane.reset(plan, 3);
    assert.match(nfnetlink.toString(), /cluster-ips/);
    assert.equal(
      (await nfnetlink.elements({ family: "ip", table: "patchbay-services", set: "cluster-ips" }))
        ?.records.length,
      4,
    );
  });

  it("serves as many endpoints of a list as it has room for, and others beside it", async () => {
    const nfnetlink = new FakeNfnetlink();
    const plane = createNftablesPlane({ nfnetlink, nftables: new FakeRuleset(nfnetlink) });
    const endpoints = Array.from({ length: SLOTS_MAX + 100 }, (_, index) => ({
      address: `10.9.${(index >> 8) & 255}.${index & 255}` as AddressText,
      port: 8080 + (index >> 16),
      weight: 1,
    }));
    const list = (name: string, all: PlannedList["endpoints"]): [ListId, PlannedList] => {
      const id = `${name}/4|http|TCP/cluster` as ListId;
      return [
        id,
        {
          id,
          family: 4,
          protocol: "TCP",
          portKey: `${name}/4|http|TCP`,
          endpoints: all,
          pick: "random",
        },
      ];
    };
    const lists = new Map([
      list("default/huge", endpoints),
      list("default/small", endpoints.slice(0, 2)),
    ]);
    const frontends = new Map([...lists.values()].map((each, index) => frontendTo(each, index)));
    await plane.reset({ ...emptyServicePlan, lists, frontends }, 1);
    const held = await nfnetlink.elements({
      family: "ip",
      table: "patchbay-services",
      set: "tcp-endpoints",
    });
    // Key and value: 16 bytes.
    assert.equal(held?.records.length, 16 * (SLOTS_MAX + 2));
  });
});

function frontendTo({ id }: PlannedList, index: number): [FrontendKey, PlannedFrontend] {
  const route = { kind: "list", list: id } as const;
  const address = `10.96.0.${index + 1}` as AddressText;
  const key = `${address}|TCP|80` as FrontendKey;
  return [
    key,
    {
      key,
      family: 4,
      address,
      protocol: "TCP",
      port: 80,
      kind: "clusterIP",
      service: id,
      portName: "http",
      inside: route,
      outside: route,
      masquerade: "others",
      countConnections: false,
    },
  ];
}
