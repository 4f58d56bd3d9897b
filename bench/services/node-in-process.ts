import { createNftablesPlane } from "../../plugins/nftables/plane.ts";
import { parsePrefix } from "../../src/ip/address.ts";
import { openNetfilter } from "../../src/kernel/nf-netfilter.ts";
import type { ElementRun, Nfnetlink } from "../../src/kernel/nfnetlink.ts";
import { openNftables } from "../../src/kernel/nftables.ts";
import type { NodeFacts } from "../../src/services/model.ts";
import type { ObjectEvent } from "../../src/services/objects.ts";
import type { ServicePlane } from "../../src/services/service-plane.ts";
import { createServiceTable } from "../../src/services/service-table.ts";
import type { ServiceTable } from "../../src/services/table-types.ts";
import {
  NODE_NAME,
  POD_CIDR,
  type SampleService,
  SERVICE_CIDR,
  serviceObject,
  sliceObject,
} from "./sample-services.ts";

/** The core of a host, without what is around it: model event in, kernel's acknowledgement out. */
export interface NodeInProcess extends AsyncDisposable {
  readonly table: ServiceTable;
  readonly plane: ServicePlane;
  /** Elements given to the kernel so far: additions and deletions. */
  readonly elements: () => number;
  /** Takes Services, as a relist tells them, and programs them from nothing. */
  load(services: readonly SampleService[]): Promise<LoadTimes>;
  /** One event, until the kernel has acknowledged it. */
  change(event: ObjectEvent): Promise<void>;
}

export interface LoadTimes {
  readonly tableMs: number;
  readonly takeMs: number;
  readonly planeMs: number;
}

const SOURCE = "bench";

/** In the network namespace of this process. */
export async function openNodeInProcess(): Promise<NodeInProcess> {
  const table = createServiceTable(facts);
  const netfilter = await openNetfilter();
  const counting = countElements(netfilter.nfnetlink);
  const plane = createNftablesPlane({
    nftables: openNftables(),
    nfnetlink: counting.nfnetlink,
  });
  return {
    table,
    plane,
    elements: counting.elements,
    async load(services) {
      const objects = services.flatMap((service) => [
        serviceObject(service),
        sliceObject(service.name, service),
      ]);
      const startMs = performance.now();
      table.applyObjects(SOURCE, [{ kind: "relist", objects }]);
      const appliedMs = performance.now();
      table.takeChanges();
      const plan = table.plan();
      const takenMs = performance.now();
      await plane.reset(plan, table.revision);
      const endMs = performance.now();
      return {
        tableMs: appliedMs - startMs,
        takeMs: takenMs - appliedMs,
        planeMs: endMs - takenMs,
      };
    },
    async change(event) {
      table.applyObjects(SOURCE, [event]);
      const taken = table.takeChanges();
      if (taken === undefined) throw new Error("The event changed nothing");
      await plane.apply(taken.changes);
    },
    async [Symbol.asyncDispose]() {
      await plane.close();
      await netfilter.close();
    },
  };
}

const facts: NodeFacts = {
  nodeName: NODE_NAME,
  nodeLabels: new Map(),
  nodeAddresses: [],
  nodePortAddresses: [],
  podPrefixes: [parsePrefix(POD_CIDR)],
  servicePrefixes: [parsePrefix(SERVICE_CIDR)],
  masqueradeAll: false,
};

function countElements(inner: Nfnetlink): { nfnetlink: Nfnetlink; elements: () => number } {
  let elements = 0;
  const commit: Nfnetlink["commit"] = (runs) => {
    for (const run of runs) elements += countRecords(run);
    return inner.commit(runs);
  };
  const nfnetlink = new Proxy(inner, {
    get(target, name) {
      if (name === "commit") return commit;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { nfnetlink, elements: () => elements };
}

function countRecords(run: ElementRun): number {
  if (run.kind === "flush") return 1;
  const keys = run.interval === undefined ? 1 : 2;
  return run.records.length / (run.keyBytes * keys + run.dataBytes);
}
