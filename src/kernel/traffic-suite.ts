import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KernelOperation, NetnsPath } from "./kernel.ts";
import type { Suite } from "./kernel-suite.ts";
import { freshName, isKernelError, veth } from "./suite-operations.ts";
import type { Qdisc, QdiscPlace, TokenBucket } from "./traffic-control.ts";

const bucket: TokenBucket = {
  type: "tbf",
  rateBytesPerSecond: 1_250_000,
  burstBytes: 15_000,
  limitBytes: 60_000,
};

export function trafficSuite(suite: Suite): void {
  const apply = (netns: NetnsPath, ...operations: KernelOperation[]) =>
    suite.kernel.apply([{ netns, operations }]);
  const ifindexOf = async (name: string, netns: NetnsPath): Promise<number> =>
    (await suite.kernel.findLink(name, netns))?.ifindex ?? 0;
  const qdiscOf = async (
    name: string,
    { place, netns }: { readonly place: QdiscPlace; readonly netns: NetnsPath },
  ): Promise<Qdisc | undefined> =>
    suite.kernel.findQdisc({ ifindex: await ifindexOf(name, netns), place }, netns);
  const replaceBucket = (qdisc: TokenBucket): KernelOperation => ({
    kind: "add-qdisc",
    link: "va",
    qdisc,
    ifExists: "replace",
  });

  describe("qdiscs and redirects", () => {
    const rates: readonly (readonly [string, TokenBucket])[] = [
      ["10 Mbit/s", bucket],
      ["one byte each second", { ...bucket, rateBytesPerSecond: 1, burstBytes: 200 }],
      // TCA_TBF_RATE64.
      ["100 Gbit/s", { ...bucket, rateBytesPerSecond: 12_500_000_000, burstBytes: 50_000_000 }],
      ["the most that 32 bits hold", { ...bucket, rateBytesPerSecond: 0xffff_ffff }],
      ["one more", { ...bucket, rateBytesPerSecond: 0x1_0000_0000 }],
      [
        "a burst and a limit of 32 bits",
        {
          ...bucket,
          rateBytesPerSecond: 2 ** 33,
          burstBytes: 0xffff_ffff,
          limitBytes: 0xffff_ffff,
        },
      ],
    ];
    for (const [what, wanted] of rates) {
      it(`reads back a token bucket of ${what}`, async () => {
        const netns = await suite.freshNetns();
        await apply(netns, veth("va", "vb"), replaceBucket(wanted));
        const found = await qdiscOf("va", { place: "root", netns });
        assert.equal(found?.type, "tbf");
        const { burstBytes = 0, ...exact } = found?.tokenBucket ?? {};
        const { burstBytes: wantedBurst, ...wantedExact } = wanted;
        assert.deepEqual(exact, wantedExact);
        // One tick, and the kernel's own arithmetic by shifts.
        const tolerance = wanted.rateBytesPerSecond * 128e-9 + wantedBurst / 1000 + 1;
        assert.ok(Math.abs(burstBytes - wantedBurst) <= tolerance, `${burstBytes}`);
        await suite.kernel.deleteNetns(netns);
      });
    }

    it("replaces a token bucket, and takes it away", async () => {
      const netns = await suite.freshNetns();
      await apply(netns, veth("va", "vb"), { kind: "set-link", name: "va", up: true });
      assert.equal((await qdiscOf("va", { place: "root", netns }))?.type, "noqueue");
      const faster = { ...bucket, rateBytesPerSecond: 2_000_000 };
      await apply(netns, replaceBucket(bucket), replaceBucket(faster), replaceBucket(faster));
      const found = await qdiscOf("va", { place: "root", netns });
      assert.equal(found?.tokenBucket?.rateBytesPerSecond, 2_000_000);
      assert.deepEqual(found?.statistics, {
        sentBytes: 0,
        sentPackets: 0,
        droppedPackets: 0,
        overlimits: 0,
        waitingBytes: 0,
      });
      const remove = { kind: "delete-qdisc", link: "va", place: "root" } as const;
      await apply(netns, remove, remove);
      assert.equal((await qdiscOf("va", { place: "root", netns }))?.type, "noqueue");
      await assert.rejects(
        apply(netns, { ...remove, missingOk: false }),
        isKernelError("ENOENT", "delete-qdisc"),
      );
      await suite.kernel.deleteNetns(netns);
    });

    it("redirects what comes in to an ifb, again, and forgets it with the ingress", async () => {
      const netns = await suite.freshNetns();
      const ifb = freshName();
      const batch: readonly KernelOperation[] = [
        { kind: "add-link", name: ifb, mtu: 1400, link: { type: "ifb" }, ifExists: "keep" },
        { kind: "set-link", name: ifb, up: true, addrGenMode: 1, alias: "of va" },
        { kind: "add-qdisc", link: "va", qdisc: { type: "ingress" }, ifExists: "keep" },
        { kind: "set-redirect", link: "va", to: ifb },
      ];
      await apply(netns, veth("va", "vb"), ...batch, ...batch);
      const link = await suite.kernel.findLink(ifb, netns);
      assert.deepEqual(
        [link?.type, link?.mtu, link?.alias, link?.running, link?.txQueueLength],
        ["ifb", 1400, "of va", true, 32],
      );
      assert.equal((await qdiscOf("va", { place: "ingress", netns }))?.type, "ingress");
      const va = await ifindexOf("va", netns);
      assert.deepEqual(await suite.kernel.redirects(va, netns), [{ toIfindex: link?.ifindex }]);
      await suite.kernel.removeLinks([ifb], netns);
      assert.deepEqual(await suite.kernel.redirects(va, netns), [{ toIfindex: 0 }]);
      const remove = { kind: "delete-qdisc", link: "va", place: "ingress" } as const;
      await apply(netns, remove, remove);
      assert.equal(await qdiscOf("va", { place: "ingress", netns }), undefined);
      assert.deepEqual(await suite.kernel.redirects(va, netns), []);
      await suite.kernel.deleteNetns(netns);
    });

    it("finds nothing on a link that is not there, and fails where the namespace is gone", async () => {
      const netns = await suite.freshNetns();
      const at = { ifindex: 4711, place: "root" } as const;
      assert.equal(await suite.kernel.findQdisc(at, netns), undefined);
      await suite.kernel.deleteNetns(netns);
      await assert.rejects(
        suite.kernel.findQdisc(at, netns),
        isKernelError("ENOENT", "find-qdisc"),
      );
      await assert.rejects(suite.kernel.redirects(4711, netns), isKernelError("ENOENT"));
    });

    const faults: readonly (readonly [string, KernelOperation, string])[] = [
      [
        "a redirect without ingress qdisc",
        { kind: "set-redirect", link: "va", to: "vb" },
        "EINVAL",
      ],
      ["a redirect to nowhere", { kind: "set-redirect", link: "va", to: "vz" }, "ENODEV"],
      ["a qdisc of no link", { kind: "add-qdisc", link: "vz", qdisc: bucket }, "ENODEV"],
      ["no rate", replaceBucket({ ...bucket, rateBytesPerSecond: 0 }), "EINVAL"],
      ["half a byte", replaceBucket({ ...bucket, rateBytesPerSecond: 0.5 }), "EINVAL"],
      ["a burst beyond 32 bits", replaceBucket({ ...bucket, burstBytes: 2 ** 32 }), "EINVAL"],
      ["no limit", replaceBucket({ ...bucket, limitBytes: 0 }), "EINVAL"],
    ];
    for (const [what, operation, code] of faults) {
      it(`answers ${code} for ${what}`, async () => {
        const netns = await suite.freshNetns();
        await apply(netns, veth("va", "vb"));
        await assert.rejects(apply(netns, operation), isKernelError(code, operation.kind));
        await suite.kernel.deleteNetns(netns);
      });
    }

    it("an ingress qdisc that is there is told of", async () => {
      const netns = await suite.freshNetns();
      const add = { kind: "add-qdisc", link: "va", qdisc: { type: "ingress" } } as const;
      await apply(netns, veth("va", "vb"), add, { ...add, ifExists: "keep" });
      await assert.rejects(apply(netns, add), isKernelError("EEXIST", "add-qdisc"));
      await suite.kernel.deleteNetns(netns);
    });

    it("sets queue length, promiscuous mode and all multicast, one without the others", async () => {
      const netns = await suite.freshNetns();
      const set = async (fields: Partial<KernelOperation & { kind: "set-link" }>) => {
        await apply(netns, { kind: "set-link", name: "va", ...fields });
        const link = await suite.kernel.findLink("va", netns);
        return [link?.txQueueLength, link?.promisc, link?.allMulticast, link?.up];
      };
      await apply(netns, veth("va", "vb"));
      assert.deepEqual(await set({ up: true }), [1000, false, false, true]);
      assert.deepEqual(await set({ txQueueLength: 77 }), [77, false, false, true]);
      assert.deepEqual(await set({ promisc: true }), [77, true, false, true]);
      assert.deepEqual(await set({ allMulticast: true, up: false }), [77, true, true, false]);
      assert.deepEqual(await set({ promisc: false }), [77, false, true, false]);
      await suite.kernel.deleteNetns(netns);
    });
  });
}
