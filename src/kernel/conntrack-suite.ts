import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { formatAddress, parseAddress } from "../ip/address.ts";
import type { Conntrack, Flow, FlowFilter, FlowTuple } from "./conntrack.ts";
import { KernelError } from "./kernel-error.ts";

export interface ConntrackSubject {
  readonly conntrack: Conntrack;
  /** Makes a flow that nothing translates. */
  addFlow(filter: FlowFilter, original: FlowTuple): Promise<void>;
  close(): Promise<void>;
}

const udp4 = { family: 4, protocol: "UDP" } as const;
const udp6 = { family: 6, protocol: "UDP" } as const;
const tcp4 = { family: 4, protocol: "TCP" } as const;
const sctp4 = { family: 4, protocol: "SCTP" } as const;

/** "127.0.0.1 4000 > 127.0.0.2 53". */
export function parseTuple(text: string): FlowTuple {
  const [source = "", sourcePort, , destination = "", destinationPort] = text.split(" ");
  return {
    source: parseAddress(source),
    destination: parseAddress(destination),
    sourcePort: Number(sourcePort),
    destinationPort: Number(destinationPort),
  };
}

export function printTuple(tuple: FlowTuple): string {
  const { source, destination, sourcePort, destinationPort } = tuple;
  return `${formatAddress(source)} ${sourcePort} > ${formatAddress(destination)} ${destinationPort}`;
}

export function turned(tuple: FlowTuple): FlowTuple {
  return {
    source: tuple.destination,
    destination: tuple.source,
    sourcePort: tuple.destinationPort,
    destinationPort: tuple.sourcePort,
  };
}

/** What every Conntrack does. Addresses are the loopback's: 127.0.0.0/8, ::1 and fd00::1. */
export function conntrackSuite(
  name: string,
  options: { setup(): Promise<ConntrackSubject>; readonly skip?: string | false },
): void {
  describe(name, { skip: options.skip ?? false }, () => {
    let subject: ConntrackSubject;
    let conntrack: Conntrack;
    before(async () => {
      subject = await options.setup();
      conntrack = subject.conntrack;
    });
    after(() => subject.close());
    beforeEach(async () => {
      for (const filter of [udp4, udp6, tcp4])
        await conntrack.remove(await conntrack.flows(filter));
    });

    const add = (filter: FlowFilter, text: string): Promise<void> =>
      subject.addFlow(filter, parseTuple(text));
    const held = async (filter: FlowFilter): Promise<string[]> =>
      (await conntrack.flows(filter)).map(({ original }) => printTuple(original)).sort();
    const one = async (filter: FlowFilter): Promise<Flow> => {
      const [flow, ...more] = await conntrack.flows(filter);
      assert.ok(flow);
      assert.deepEqual(more, []);
      return flow;
    };

    it("flows() lists those of a family and protocol", async () => {
      await add(udp4, "127.0.0.1 4000 > 127.0.0.2 5000");
      await add(udp4, "127.0.0.1 4000 > 127.0.0.2 5001");
      await add(udp6, "::1 4000 > fd00::1 5000");
      await add(tcp4, "127.0.0.1 4000 > 127.0.0.3 5000");
      assert.deepEqual(await held(udp4), [
        "127.0.0.1 4000 > 127.0.0.2 5000",
        "127.0.0.1 4000 > 127.0.0.2 5001",
      ]);
      assert.deepEqual(await held(udp6), ["::1 4000 > fd00::1 5000"]);
      assert.deepEqual(await held(tcp4), ["127.0.0.1 4000 > 127.0.0.3 5000"]);
      assert.deepEqual(await held(sctp4), []);
    });

    for (const [filter, text] of [
      [udp4, "127.0.0.1 4000 > 127.0.0.2 5000"],
      [udp6, "::1 4000 > fd00::1 5000"],
    ] as const) {
      it(`flows() gives both tuples and nothing else of IPv${filter.family}`, async () => {
        await add(filter, text);
        const flow = await one(filter);
        const original = parseTuple(text);
        assert.deepEqual(flow, { ...filter, id: flow.id, original, reply: turned(original) });
      });
    }

    it("flows() keeps what it is told to", async () => {
      for (const port of [5000, 5001, 5002]) {
        await add(udp4, `127.0.0.1 4000 > 127.0.0.2 ${port}`);
      }
      const flows = await conntrack.flows(udp4, ({ original }) => original.destinationPort > 5000);
      assert.deepEqual(
        new Set(flows.map(({ original }) => original.destinationPort)),
        new Set([5001, 5002]),
      );
    });

    it("remove() deletes those flows and no others, and counts them", async () => {
      await add(udp4, "127.0.0.1 4000 > 127.0.0.2 5000");
      await add(udp4, "127.0.0.1 4000 > 127.0.0.2 5001");
      await add(udp6, "::1 4000 > fd00::1 5000");
      await add(tcp4, "127.0.0.1 4000 > 127.0.0.2 5000");
      const flows = await conntrack.flows(
        udp4,
        ({ original }) => original.destinationPort === 5000,
      );
      const both = [...flows, await one(udp6)];
      assert.equal(await conntrack.remove(both), 2);
      assert.deepEqual(await held(udp4), ["127.0.0.1 4000 > 127.0.0.2 5001"]);
      assert.deepEqual(await held(udp6), []);
      assert.deepEqual(await held(tcp4), ["127.0.0.1 4000 > 127.0.0.2 5000"]);
      assert.equal(await conntrack.remove(both), 0);
      assert.equal(await conntrack.remove([]), 0);
    });

    it("remove() leaves a later flow with the same tuple", async () => {
      await add(udp4, "127.0.0.1 4000 > 127.0.0.2 5000");
      const flow = await one(udp4);
      const other = { ...flow, id: (flow.id ^ 1) >>> 0 };
      assert.equal(await conntrack.remove([other]), 0);
      assert.deepEqual(await one(udp4), flow);
    });

    it("remove() leaves a flow of another zone", async () => {
      await add(udp4, "127.0.0.1 4000 > 127.0.0.2 5000");
      const flow = await one(udp4);
      assert.equal(await conntrack.remove([{ ...flow, zone: 9 }]), 0);
      assert.equal(await conntrack.remove([flow]), 1);
    });

    it("remove() deletes hundreds at once", async () => {
      const count = 1500;
      for (let port = 0; port < count; port++) {
        await add(udp4, `127.0.0.1 4000 > 127.0.1.1 ${10_000 + port}`);
      }
      const flows = await conntrack.flows(udp4);
      assert.equal(flows.length, count);
      // A gone one among them is no reason to stop.
      assert.equal(await conntrack.remove(flows.slice(700, 701)), 1);
      assert.equal(await conntrack.remove(flows), count - 1);
      assert.deepEqual(await held(udp4), []);
    });

    it("close() refuses later calls", async () => {
      const own = await options.setup();
      await own.close();
      await own.close();
      await assert.rejects(own.conntrack.flows(udp4), (error) => {
        assert.ok(error instanceof KernelError);
        assert.equal(error.code, "WORKER_GONE");
        return true;
      });
    });
  });
}
