import { setImmediate } from "node:timers/promises";
import type { Conntrack, Flow, FlowFilter } from "./conntrack.ts";
import { flowBytes, packFlows, unpackFlow } from "./nf-flow-records.ts";
import type { FlowRecords, NetnsPlace } from "./nf-protocol.ts";
import type { NfWorkerClient } from "./nf-worker-client.ts";

/** Of records that are looked at in one turn of the event loop: less than a millisecond. */
const RECORDS_PER_TURN = 512;

/** Connection tracking of the namespace of this process, or of another one; see Conntrack. Made by openNetfilter(). */
export class KernelConntrack implements Conntrack {
  readonly #client: NfWorkerClient;
  readonly #netns: { readonly netns?: NetnsPlace };

  constructor(client: NfWorkerClient, netns?: NetnsPlace) {
    this.#client = client;
    this.#netns = netns === undefined ? {} : { netns };
  }

  async flows(filter: FlowFilter, keep?: (flow: Flow) => boolean): Promise<readonly Flow[]> {
    const { family, protocol } = filter;
    const asked = { family, protocol };
    const where = { operation: "list-flows", object: `${protocol} flows of IPv${family}` };
    const request = { method: "flows", filter: asked, ...this.#netns } as const;
    const { records } = await this.#client.call<FlowRecords>(request, { where });
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    const step = flowBytes(asked);
    const flows: Flow[] = [];
    for (let at = 0, count = 1; at < records.length; at += step, count++) {
      const flow = unpackFlow(asked, view, at);
      if (keep === undefined || keep(flow)) flows.push(flow);
      if (count % RECORDS_PER_TURN === 0) await setImmediate();
    }
    return flows;
  }

  async remove(flows: readonly Flow[]): Promise<number> {
    if (flows.length === 0) return 0;
    const groups = [...groupFlows(flows)].map(([, group]) => {
      const { family, protocol } = group[0];
      const filter = { family, protocol };
      return { filter, records: packFlows(filter, group) };
    });
    const where = { operation: "remove-flows", object: `${flows.length} flows` };
    return this.#client.call({ method: "remove-flows", groups, ...this.#netns }, { where });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function groupFlows(flows: readonly Flow[]): Map<string, [Flow, ...Flow[]]> {
  const groups = new Map<string, [Flow, ...Flow[]]>();
  for (const flow of flows) {
    const key = `${flow.protocol} ${flow.family}`;
    const group = groups.get(key);
    if (group) group.push(flow);
    else groups.set(key, [flow]);
  }
  return groups;
}
