import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import type { Conntrack, Flow } from "../../../kernel/conntrack.ts";
import { type Netfilter, openNetfilter } from "../../../kernel/nf-netfilter.ts";
import { privateNodeSkip } from "../../../kernel/private-node-skip.ts";
import type { FrontendKey } from "../../../services/model.ts";
import { systemClock } from "../../system-clock.ts";
import { makeFrontend } from "./fake-flows.ts";
import { type FlowEvent, FlowReconciler, type FlowsSynced } from "./flow-reconciler.ts";

const run = promisify(execFile);

/** Set in the process that has a namespace of its own: connection tracking is the namespace's. */
const OWN_NETNS = "PATCHBAY_TEST_OWN_NETNS";

interface Ways {
  readonly type: "udp4" | "udp6";
  readonly family: 4 | 6;
  readonly vip: string;
  readonly old: string;
  readonly new: string;
  /** For nft. */
  readonly table: "ip" | "ip6";
  readonly dnatTo: (address: string) => string;
}

const WAYS: readonly Ways[] = [
  {
    type: "udp4",
    family: 4,
    vip: "10.96.0.10",
    old: "192.168.7.2",
    new: "192.168.7.3",
    table: "ip",
    dnatTo: (address) => `${address}:5353`,
  },
  {
    type: "udp6",
    family: 6,
    vip: "fd96::10",
    old: "fd07::2",
    new: "fd07::3",
    table: "ip6",
    dnatTo: (address) => `[${address}]:5353`,
  },
];

if (process.env[OWN_NETNS] === "1") {
  describe("FlowReconciler on the kernel", suite);
} else {
  it("FlowReconciler passes its suite in a namespace of its own", {
    skip: privateNodeSkip,
  }, async () => {
    const env: NodeJS.ProcessEnv = { ...process.env, [OWN_NETNS]: "1" };
    delete env["NODE_TEST_CONTEXT"];
    await run("unshare", ["--net", process.execPath, import.meta.filename], {
      env,
      timeout: 60_000,
    }).catch((error: unknown) => {
      const { stdout } = error as { stdout?: string };
      throw new Error(`The suite failed:\n${stdout ?? ""}`);
    });
  });
}

function suite(): void {
  let netfilter: Netfilter;
  before(async () => {
    await run("ip", ["link", "set", "lo", "up"]);
    // Where the VIPs are: an IPv6 route to lo would reject.
    await run("ip", ["link", "add", "up0", "type", "veth", "peer", "name", "up1"]);
    await run("ip", ["link", "set", "up0", "up"]);
    await run("ip", ["link", "set", "up1", "up"]);
    await run("ip", ["address", "add", "192.168.7.1/24", "dev", "lo"]);
    await run("ip", ["route", "add", "10.96.0.0/16", "dev", "up0", "src", "192.168.7.1"]);
    for (const host of ["fd07::1", "fd07::2", "fd07::3"]) {
      await run("ip", ["address", "add", `${host}/128`, "dev", "lo"]);
    }
    for (const host of ["192.168.7.2", "192.168.7.3"]) {
      await run("ip", ["address", "add", `${host}/32`, "dev", "lo"]);
    }
    await run("ip", ["route", "add", "fd96::/64", "dev", "up0", "src", "fd07::1"]);
    netfilter = await openNetfilter();
  });
  after(() => netfilter.close());

  for (const ways of WAYS) {
    it(`moves an open UDP socket off an endpoint that is gone, ${ways.type}`, async (context) => {
      const { ask, dial, reconcile, flowsToVip } = await setUp(context, ways, netfilter.conntrack);
      await setEndpoint(ways, ways.old);
      const client = await dial();
      assert.equal(await ask(client), ways.old);
      await setEndpoint(ways, ways.new);
      assert.equal(
        await ask(client),
        ways.old,
        "without deletion the flow stays: a test of the test",
      );
      const healthy = await dial();
      assert.equal(await ask(healthy), ways.new);
      const before = await flowsToVip();
      const synced = await reconcile([ways.new]);
      assert.deepEqual([synced.deleted, synced.listed], [1, before.length]);
      assert.equal(await ask(client), ways.new);
      assert.equal(await ask(healthy), ways.new);
      const healthyPort = healthy.address().port;
      const idOf = (flows: readonly Flow[]) =>
        flows.find(({ original }) => original.sourcePort === healthyPort)?.id;
      assert.notEqual(idOf(before), undefined);
      assert.equal(idOf(await flowsToVip()), idOf(before));
    });

    it(`deletes the flows of the last endpoint, ${ways.type}`, async (context) => {
      const { ask, dial, reconcile, flowsToVip } = await setUp(context, ways, netfilter.conntrack);
      await setEndpoint(ways, ways.old);
      assert.equal(await ask(await dial()), ways.old);
      await setEndpoint(ways, undefined);
      assert.equal((await reconcile([])).deleted, 1);
      assert.deepEqual(await flowsToVip(), []);
    });

    it(`deletes a flow from before there was an endpoint, ${ways.type}`, async (context) => {
      const { ask, dial, send, reconcile, flowsToVip } = await setUp(
        context,
        ways,
        netfilter.conntrack,
      );
      await setEndpoint(ways, undefined);
      const client = await dial();
      await send(client);
      assert.equal((await flowsToVip()).length, 1);
      await setEndpoint(ways, ways.new);
      assert.equal((await reconcile([ways.new])).deleted, 1);
      assert.equal(await ask(client), ways.new);
    });
  }
}

/** Servers that answer with their own address, on both endpoints, and clients of the VIP. */
async function setUp(context: TestContext, ways: Ways, conntrack: Conntrack) {
  const frontend = makeFrontend(`${ways.vip}|53`);
  for (const address of [ways.old, ways.new]) {
    const server = createSocket(ways.type);
    context.after(() => server.close());
    server.on("message", (_, from) => server.send(address, from.port, from.address));
    server.bind(5353, address);
    await once(server, "listening");
  }
  const dial = async () => {
    const client = createSocket(ways.type);
    context.after(() => client.close());
    client.on("error", () => {});
    client.connect(53, ways.vip);
    await once(client, "connect");
    return client;
  };
  const send = (client: Socket) =>
    new Promise<void>((resolve) => client.send("who?", () => resolve()));
  const ask = async (client: Socket) => {
    const answer = once(client, "message", { signal: AbortSignal.timeout(5_000) });
    await send(client);
    return String((await answer)[0]);
  };
  const flowsToVip = async () => {
    const flows = await conntrack.flows({ family: ways.family, protocol: "UDP" });
    return flows.filter(({ original }) => original.destinationPort === 53);
  };
  const reconcile = async (serving: readonly string[]) => {
    const synced: FlowsSynced[] = [];
    const events: FlowEvent[] = [];
    const known = new Map<FrontendKey, ReadonlySet<string>>();
    known.set(frontend.key, new Set(serving.map((address) => `${address}|5353`)));
    const reconciler = new FlowReconciler({
      conntrack,
      clock: systemClock,
      findServing: (key) => known.get(key),
      onSynced: (one) => synced.push(one),
      onEvent: (event) => events.push(event),
    });
    reconciler.update([frontend]);
    await reconciler.settled();
    await reconciler.close();
    assert.deepEqual(events, []);
    assert.equal(synced.length, 1);
    const [one] = synced;
    assert.ok(one);
    return one;
  };
  // Whatever the test before left.
  await setEndpoint(ways, undefined);
  await conntrack.remove(await flowsToVip());
  return { ask, dial, send, reconcile, flowsToVip };
}

/** Where new flows to the VIP go; undefined: nobody translates them. */
async function setEndpoint(ways: Ways, address: string | undefined): Promise<void> {
  const { table, vip } = ways;
  const rule =
    address === undefined
      ? ""
      : `${table} daddr ${vip} udp dport 53 dnat to ${ways.dnatTo(address)}`;
  const chain = `type nat hook output priority -100; ${rule}`;
  // An empty chain of type nat tracks nothing: the other one does.
  const tracking = "type filter hook output priority 0; ct state new counter";
  const text = `table ${table} flows {
    chain output { ${chain}
    }
    chain tracking { ${tracking}
    }
  }`;
  const nft = run("nft", ["-f", "-"]);
  nft.child.stdin?.end(`table ${table} flows {}\ndelete table ${table} flows\n${text}\n`);
  await nft;
}
