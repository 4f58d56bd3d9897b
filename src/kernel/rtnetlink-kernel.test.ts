import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { parseAddress, parsePrefix } from "../ip/address.ts";
import type { KernelEvent, KernelOperation, NetnsPath } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import { kernelSuite } from "./kernel-suite.ts";
import { eventually } from "./suite-operations.ts";
import { privateNodeSkip } from "./private-node-skip.ts";
import { openKernel, type RtnetlinkKernel } from "./rtnetlink-kernel.ts";

let paths = 0;
const freshPath = (): NetnsPath => `/run/netns/suite${process.pid}-${paths++}` as NetnsPath;

kernelSuite("RtnetlinkKernel", {
  skip: privateNodeSkip,
  setup: async () => ({ kernel: await openKernel(), freshPath }),
  teardown: ({ kernel }) => kernel.close(),
});

describe("openKernel()", { skip: privateNodeSkip }, () => {
  let kernel: RtnetlinkKernel;
  before(async () => {
    kernel = await openKernel();
  });
  after(() => kernel.close());

  const withNetns = async (run: (netns: NetnsPath) => Promise<void>): Promise<void> => {
    const netns = freshPath();
    await kernel.createNetns(netns);
    await run(netns);
    await kernel.deleteNetns(netns);
  };

  it("passes the kernel's own words on", async () => {
    await withNetns(async (netns) => {
      const destination = parsePrefix("10.0.0.0/8");
      const gateway = parseAddress("192.0.2.1");
      const operation: KernelOperation = { kind: "add-route", destination, gateway, link: "lo" };
      await assert.rejects(
        kernel.apply([
          { netns, operations: [{ kind: "set-link", name: "lo", up: true }, operation] },
        ]),
        (error: KernelError) => {
          assert.equal(error.extendedAck, "Nexthop has invalid gateway");
          assert.equal(error.errno, 101);
          assert.equal(
            error.message,
            `Cannot add-route route 10.0.0.0/8 in ${netns}: ENETUNREACH (Nexthop has invalid gateway)`,
          );
          return true;
        },
      );
    });
  });

  it("reports the first error of a send, though later messages ran", async () => {
    await withNetns(async (netns) => {
      await assert.rejects(
        kernel.apply([
          {
            netns,
            operations: [
              { kind: "set-link", name: "absent1", up: true },
              { kind: "set-link", name: "absent2", up: true },
              { kind: "set-link", name: "lo", up: true },
            ],
          },
        ]),
        /absent1/,
      );
      assert.equal((await kernel.findLink("lo", netns))?.up, true);
    });
  });

  it("reads more links and routes than one receive holds", async () => {
    await withNetns(async (netns) => {
      const numbers = Array.from({ length: 600 }, (_, index) => index);
      const links = numbers.map(
        (index): KernelOperation => ({
          kind: "add-link",
          name: `a${index}`,
          link: { type: "veth", peer: { name: `b${index}` } },
        }),
      );
      await kernel.apply([{ netns, operations: links }]);
      const found = await kernel.links(netns);
      assert.equal(found.length, 1201);
      assert.equal(new Set(found.map((link) => link.name)).size, 1201);
      const routes = Array.from(
        { length: 2000 },
        (_, index): KernelOperation => ({
          kind: "add-route",
          destination: { family: 4, value: 0x0a00_0000n + BigInt(index), prefixLength: 32 },
          link: "a0",
        }),
      );
      await kernel.apply([
        { netns, operations: [{ kind: "set-link", name: "a0", up: true }, ...routes] },
      ]);
      const main = (await kernel.routes(netns)).filter(
        (route) => route.table === 254 && route.destination.family === 4,
      );
      assert.equal(main.length, 2000);
      await kernel.removeLinks(
        numbers.map((index) => `a${index}`),
        netns,
      );
      assert.equal((await kernel.links(netns)).length, 1);
    });
  });

  it("removes 100 links of 100 calls in at most two group deletes", async () => {
    await withNetns(async (netns) => {
      const names = Array.from({ length: 100 }, (_, index) => `r${index}`);
      await kernel.apply([
        {
          netns,
          operations: names.map(
            (name): KernelOperation => ({
              kind: "add-link",
              name,
              link: { type: "veth", peer: { name: `p${name}` } },
            }),
          ),
        },
      ]);
      const { groupDeletes, singleDeletes } = kernel.removalStats;
      await Promise.all(names.map((name) => kernel.removeLinks([name], netns)));
      assert.equal((await kernel.links(netns)).length, 1);
      assert.ok(kernel.removalStats.groupDeletes - groupDeletes <= 2);
      assert.equal(kernel.removalStats.singleDeletes, singleDeletes);
      await kernel.apply([
        { netns, operations: [{ kind: "add-link", name: "br", link: { type: "bridge" } }] },
      ]);
      await kernel.removeLinks(["br"], netns);
      assert.equal(kernel.removalStats.singleDeletes, singleDeletes + 1);
    });
  });

  it("serves apply() while links are removed", async () => {
    await withNetns(async (netns) => {
      await withNetns(async (other) => {
        const names = Array.from({ length: 50 }, (_, index) => `r${index}`);
        const operations = names.map(
          (name): KernelOperation => ({
            kind: "add-link",
            name,
            link: { type: "bridge" },
          }),
        );
        await kernel.apply([{ netns, operations }]);
        const order: string[] = [];
        const removal = kernel.removeLinks(names, netns).then(() => order.push("removed"));
        // Reads nothing that takes the kernel's link lock: only the worker itself could hold it up.
        await kernel
          .readSysctl(["net", "ipv4", "ip_forward"], other)
          .then(() => order.push("answered"));
        await removal;
        assert.deepEqual(order, ["answered", "removed"]);
      });
    });
  });

  it("leaves every thread of the process in the node's namespace", async () => {
    await withNetns(async (netns) => {
      for (let round = 0; round < 20; round++) {
        await Promise.all([
          kernel.apply([
            { netns, operations: [{ kind: "set-link", name: "lo", up: round % 2 === 0 }] },
          ]),
          kernel.readSysctl(["net", "ipv4", "ip_forward"], netns),
          kernel.links(netns),
          kernel.removeLinks(["absent"], netns),
          import("node:fs/promises").then((fs) => fs.readFile("/proc/self/stat")),
        ]);
      }
      const own = readlinkSync("/proc/self/ns/net");
      const others = readdirSync("/proc/self/task").flatMap((task) => {
        try {
          const name = readlinkSync(`/proc/self/task/${task}/ns/net`);
          return name === own ? [] : [name];
        } catch {
          // The thread has ended meanwhile.
          return [];
        }
      });
      assert.deepEqual(others, []);
    });
  });

  it("leaves no descriptor open", async () => {
    await withNetns(async (netns) => {
      const once = async (): Promise<void> => {
        await kernel.apply([{ netns, operations: [{ kind: "set-link", name: "lo", up: true }] }]);
        await kernel.links(netns);
        await kernel.links();
        await kernel.removeLinks(["absent"], netns);
        await kernel.readSysctl(["net", "ipv4", "ip_forward"], netns);
        await kernel.netnsIdentity(netns);
        await kernel
          .apply([{ netns, operations: [{ kind: "set-link", name: "no", up: true }] }])
          .catch(() => {});
        await kernel.links(freshPath()).catch(() => {});
        await kernel.links("/dev/null" as NetnsPath).catch(() => {});
        const stop = await kernel.monitor(() => {});
        await stop();
      };
      await once();
      const before = readdirSync("/proc/self/fd").length;
      for (let round = 0; round < 10; round++) await once();
      assert.equal(readdirSync("/proc/self/fd").length, before);
    });
  });

  it("takes nothing for a namespace that is none", async () => {
    for (const path of ["/dev/null", "/proc/self/ns/uts", "/run", "/proc/self/status"]) {
      await assert.rejects(kernel.links(path as NetnsPath), (error: KernelError) => {
        assert.equal(error.code, "EINVAL");
        assert.equal(error.extendedAck, "Not a network namespace");
        return true;
      });
      assert.equal(await kernel.netnsIdentity(path as NetnsPath), undefined);
    }
    await assert.rejects(kernel.deleteNetns("/proc/self/status" as NetnsPath));
    await assert.rejects(kernel.createNetns("/run/no/such/folder" as NetnsPath), {
      code: "ENOENT",
    });
  });

  it("tells of dropped events by a resync, and again", async () => {
    await using small = await openKernel({ monitorReceiveBufferBytes: 2304 });
    const kinds = new Set<KernelEvent["kind"]>();
    const stop = await small.monitor((event) => kinds.add(event.kind));
    for (const round of ["resa", "resb"]) {
      const names = Array.from({ length: 40 }, (_, index) => `${round}${index}`);
      // In one program the worker cannot read events between the messages.
      await small.apply([
        {
          operations: names.map(
            (name): KernelOperation => ({
              kind: "add-link",
              name,
              link: { type: "bridge" },
            }),
          ),
        },
      ]);
      await eventually(async () => kinds.has("resync"));
      await small.removeLinks(names);
      // A call's answer comes after the events before it: what comes from here on is of later changes.
      await small.links();
      kinds.clear();
    }
    await stop();
  });

  it("rejects calls under way and later ones when the worker dies", async () => {
    const doomed = await openKernel();
    const isGone = (error: unknown): boolean =>
      error instanceof KernelError && error.code === "WORKER_GONE" && error.errno === 0;
    const ended = doomed.terminate();
    // Nobody has told of the end yet: these wait for answers that cannot come.
    const calls = [doomed.links(), doomed.apply([]), doomed.removeLinks(["absent", "too"])];
    for (const call of calls) await assert.rejects(call, isGone);
    await ended;
    await assert.rejects(doomed.links(), isGone);
    await assert.rejects(doomed.removeLinks(["absent"]), isGone);
    await assert.rejects(
      doomed.monitor(() => {}),
      isGone,
    );
    await doomed.close();
  });

  it("finishes calls under way on close(), and refuses later ones", async () => {
    const closing = await openKernel();
    const names = ["close1", "close2"];
    await closing.apply([
      {
        operations: names.map(
          (name): KernelOperation => ({
            kind: "add-link",
            name,
            link: { type: "bridge" },
          }),
        ),
      },
    ]);
    const removal = closing.removeLinks(names);
    const links = closing.links();
    const closed = closing.close();
    await removal;
    assert.ok((await links).length > 0);
    await assert.rejects(closing.links(), { code: "WORKER_GONE" });
    await closed;
    await closing.close();
  });
});
