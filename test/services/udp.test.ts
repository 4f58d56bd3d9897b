import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../e2e/harness.ts";
import { dialOf, type Lab, type LabHost, openLab, program, skipLab } from "./lab.ts";
import { clusterObjects } from "./objects.ts";
import type { DialResult } from "./protocol.ts";
import { clusterIp, frontend, group, localEndpoints } from "./requests.ts";
import { type ActorName, ADDRESSES, FAMILIES } from "./topology.ts";

const SAY_MS = 200;
const MOVE_MS = 5000;

/** UDP sockets that stay open while what is behind the Service changes: conntrack would lead them astray. */
describe("UDP sockets that stay open", { skip: skipLab }, () => {
  let lab: Lab;
  let host: LabHost;

  before(async () => {
    lab = await openLab(["client-pod", "local-1", "local-2", "node-a", "outside"]);
    await lab.write("cluster.yaml", clusterObjects());
    host = await lab.startHost();
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const say = (from: ActorName, flow: string): Promise<DialResult> =>
    lab.actor(from).call("say", { flow, timeoutMs: SAY_MS });
  const nameOf = (result: DialResult) => (result.kind === "answer" ? result.own : result.kind);
  /** What the socket hears once it hears something new; all that it heard until then. */
  const untilHears = async (from: ActorName, flow: string, wanted: string) => {
    let heard = "";
    await until(`${flow} to hear ${wanted}`, MOVE_MS, async () => {
      heard = nameOf(await say(from, flow));
      return heard === wanted;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; heard ${heard}`);
    });
  };

  for (const family of FAMILIES) {
    const [first = "", second = ""] = localEndpoints(family, ["local-1", "local-2"]);
    const nodePort = { address: ADDRESSES["node-a"][family], port: 31_700 };
    const cases: readonly {
      readonly from: ActorName;
      readonly kind: string;
      readonly place: { readonly address: string; readonly port: number };
    }[] = [
      {
        from: "client-pod",
        kind: "clusterIP",
        place: { address: clusterIp(family, 20), port: 53 },
      },
      { from: "outside", kind: "nodePort", place: nodePort },
      { from: "node-a", kind: "nodePort", place: nodePort },
      {
        from: "outside",
        kind: "externalIP",
        place: { address: family === 4 ? "198.51.100.200" : "2001:db8:51::c8", port: 53 },
      },
    ];

    for (const { from, kind, place } of cases) {
      const id = `udp-${family}-${kind}-${from}`;
      const put = (addresses: readonly string[]) =>
        program(host, {
          replace: true,
          putGroups: [group(id, addresses)],
          putFrontends: [
            frontend(
              id,
              { ...place, protocol: "UDP" },
              kind === "nodePort" ? { kind, address: "", family } : { kind },
            ),
          ],
        });

      it(`${from} -> ${kind} v${family}: moves when its endpoint is swapped`, async () => {
        await put([first]);
        const flow = `${id}-swap`;
        const opened = await lab.actor(from).call("open", { flow, dial: dialOf("UDP", place) });
        assert.equal(nameOf(opened), first);
        await put([second]);
        await untilHears(from, flow, second);
        for (let count = 0; count < 5; count++) assert.equal(nameOf(await say(from, flow)), second);
        await lab.actor(from).call("close", { flow });
      });

      it(`${from} -> ${kind} v${family}: is refused at zero endpoints, and comes back`, async () => {
        await put([first]);
        const flow = `${id}-zero`;
        await lab.actor(from).call("open", { flow, dial: dialOf("UDP", place) });
        await put([]);
        await untilHears(from, flow, "refused");
        await put([second]);
        await untilHears(from, flow, second);
        await lab.actor(from).call("close", { flow });
      });

      it(`${from} -> ${kind} v${family}: reaches a first endpoint that comes late`, async () => {
        // Nothing knows the frontend, and the socket sends already.
        await program(host, { replace: true });
        const flow = `${id}-late`;
        await lab.actor(from).call("open", { flow, dial: dialOf("UDP", place, SAY_MS) });
        await lab.actor(from).call("shout", { flow });
        await put([first]);
        await untilHears(from, flow, first);
        await lab.actor(from).call("close", { flow });
      });
    }
  }
});
