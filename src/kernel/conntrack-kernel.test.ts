import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { formatAddress } from "../ip/address.ts";
import {
  type ConntrackSubject,
  conntrackSuite,
  parseTuple,
  printTuple,
} from "./conntrack-suite.ts";
import type { FlowFilter, FlowTuple } from "./conntrack.ts";
import { type Netfilter, openNetfilter } from "./nf-netfilter.ts";
import { enterOwnNetns } from "./nf-test-node.ts";
import { loadRuleset } from "./nftables.ts";
import { privateNodeSkip } from "./private-node-skip.ts";

if (privateNodeSkip === false) {
  enterOwnNetns();
  execFileSync("ip", ["address", "add", "fd00::1/128", "dev", "lo"]);
  execFileSync("ip", ["route", "add", "10.96.0.0/16", "dev", "lo", "src", "127.0.0.1"]);
}

/** A rule that asks for connection states makes the kernel keep them. */
const tracking = ["ip", "ip6"]
  .map(
    (family) => `table ${family} tracking {
  chain zones {
    type filter hook output priority raw
    udp dport 5007 ct zone set 7
  }
  chain out {
    type filter hook output priority 0
    ct state new accept
  }
}
`,
  )
  .join("");
const translating = `table ip tracking {
  chain translate {
    type nat hook output priority -100
    ip daddr 10.96.0.10 udp dport 53 dnat to 127.0.0.5:5353
  }
}
`;

/** Real packets: a datagram, or a connection that is made and ended. */
async function sendPackets({ family, protocol }: FlowFilter, tuple: FlowTuple): Promise<void> {
  const address = formatAddress(tuple.source);
  const to = { host: formatAddress(tuple.destination), port: tuple.destinationPort };
  if (protocol === "UDP") {
    const socket = await bound(family, tuple);
    await new Promise<void>((resolve, reject) => {
      socket.send("x", to.port, to.host, (error) => (error ? reject(error) : resolve()));
    });
    socket.close();
    return;
  }
  const server = createServer((peer) => peer.on("error", () => {}).resume()).listen(to);
  await once(server, "listening");
  const client = connect({ ...to, localAddress: address, localPort: tuple.sourcePort });
  await once(client, "connect");
  client.resetAndDestroy();
  server.close();
  await once(server, "close");
}

async function bound(family: 4 | 6, { source, sourcePort }: FlowTuple): Promise<Socket> {
  const socket = createSocket(family === 4 ? "udp4" : "udp6");
  socket.on("error", () => {});
  socket.bind(sourcePort, formatAddress(source));
  await once(socket, "listening");
  return socket;
}

async function openSubject(): Promise<ConntrackSubject> {
  await loadRuleset(tracking);
  const netfilter = await openNetfilter();
  return {
    conntrack: netfilter.conntrack,
    addFlow: sendPackets,
    close: () => netfilter.close(),
  };
}

conntrackSuite("KernelConntrack", { skip: privateNodeSkip, setup: openSubject });

describe("KernelConntrack", { skip: privateNodeSkip }, () => {
  const udp4 = { family: 4, protocol: "UDP" } as const;
  let netfilter: Netfilter;
  before(async () => {
    await loadRuleset(tracking + translating);
    netfilter = await openNetfilter();
  });
  after(() => netfilter.close());

  it("gives the endpoint as the source of the reply", async () => {
    await sendPackets(udp4, parseTuple("127.0.0.1 4000 > 10.96.0.10 53"));
    const { conntrack } = netfilter;
    const flows = await conntrack.flows(udp4, ({ reply }) => reply.sourcePort === 5353);
    assert.deepEqual(
      flows.map(({ original, reply }) => [printTuple(original), printTuple(reply)]),
      [["127.0.0.1 4000 > 10.96.0.10 53", "127.0.0.5 5353 > 127.0.0.1 4000"]],
    );
    assert.equal(await conntrack.remove(flows), 1);
  });

  it("finds and removes flows of a zone", async () => {
    await sendPackets(udp4, parseTuple("127.0.0.1 4000 > 127.0.0.2 5007"));
    const { conntrack } = netfilter;
    const [flow] = await conntrack.flows(udp4, ({ zone }) => zone === 7);
    assert.ok(flow);
    const { zone: _, ...zoneless } = flow;
    assert.equal(await conntrack.remove([zoneless]), 0);
    assert.equal(await conntrack.remove([flow]), 1);
    assert.deepEqual(await conntrack.flows(udp4, ({ zone }) => zone === 7), []);
  });

  it("works while nf_tables does", async () => {
    const results = await Promise.all([
      netfilter.conntrack.flows(udp4),
      netfilter.nfnetlink.findTable({ family: "ip", table: "tracking" }),
      netfilter.conntrack.flows(udp4),
    ]);
    assert.equal(results[1]?.uses, 3);
  });
});
