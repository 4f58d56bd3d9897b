import { formatAddress } from "../ip/address.ts";
import type { Conntrack, Flow, FlowFilter, FlowTuple } from "./conntrack.ts";
import { errnoCode } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";

export interface FakeConntrackOptions {
  /** Asked before each call: an errno makes it fail so. For simulated faults. */
  readonly failCall?: (method: "flows" | "remove") => number | undefined;
}

/** Connection tracking in memory. Prints as sorted text. */
export class FakeConntrack implements Conntrack {
  readonly #options: FakeConntrackOptions;
  readonly #flows = new Map<string, Flow>();
  #nextId = 1;
  #isClosed = false;

  constructor(options: FakeConntrackOptions = {}) {
    this.#options = options;
  }

  /** As a packet does that begins a flow; in place of one with the same tuple. */
  addFlow(flow: Omit<Flow, "id">): Flow {
    const made = { ...flow, id: this.#nextId++ };
    this.#flows.set(flowKey(made), made);
    return made;
  }

  async flows(
    filter: FlowFilter,
    keep: (flow: Flow) => boolean = () => true,
  ): Promise<readonly Flow[]> {
    this.#enter("flows", `${filter.protocol} flows of IPv${filter.family}`);
    return [...this.#flows.values()].filter(
      (flow) => flow.family === filter.family && flow.protocol === filter.protocol && keep(flow),
    );
  }

  async remove(flows: readonly Flow[]): Promise<number> {
    this.#enter("remove", `${flows.length} flows`);
    let removed = 0;
    for (const flow of flows) {
      const key = flowKey(flow);
      if (this.#flows.get(key)?.id === flow.id && this.#flows.delete(key)) removed++;
    }
    return removed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  toString(): string {
    return [...this.#flows.values()]
      .map((flow) => `${flowKey(flow)} reply ${printTuple(flow.reply)}\n`)
      .sort()
      .join("");
  }

  #enter(method: "flows" | "remove", object: string): void {
    const operation = method === "flows" ? "list-flows" : "remove-flows";
    if (this.#isClosed) {
      throw new KernelError({ errno: 0, code: "WORKER_GONE", operation, object });
    }
    const value = this.#options.failCall?.(method);
    if (value !== undefined) {
      throw new KernelError({ errno: value, code: errnoCode(value), operation, object });
    }
  }
}

function flowKey(flow: Flow): string {
  const zone = flow.zone === undefined ? "" : ` zone ${flow.zone}`;
  return `${flow.protocol}${zone} ${printTuple(flow.original)}`;
}

function printTuple(tuple: FlowTuple): string {
  const { source, destination, sourcePort, destinationPort } = tuple;
  return `${formatAddress(source)} ${sourcePort} > ${formatAddress(destination)} ${destinationPort}`;
}
