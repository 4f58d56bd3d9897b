import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RtnetlinkKernel } from "../src/kernel/rtnetlink-kernel.ts";
import { type ExecCall, type ExecOutcome, execPlugins } from "./exec-driver.ts";
import { createPods, deletePods } from "./pods.ts";

/** A plugin with its configuration. */
export interface Contender {
  readonly key: string;
  readonly name: string;
  readonly binary: string;
  readonly cniPath: string;
  /** What is executed for a pod, one after the other. */
  readonly networks: readonly ContenderNetwork[];
  readonly argsOf?: (index: number) => string;
  /** Takes part in every round, or only in every so manieth. */
  readonly every: number;
}

export interface ContenderNetwork {
  readonly ifname: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Samples {
  /** Of each pod: the sum of all that is executed for it. */
  readonly addMs: number[];
  readonly delMs: number[];
  /** From the first start to the last end. */
  readonly burstAddMs: number[];
  readonly burstDelMs: number[];
}

export function emptySamples(): Samples {
  return { addMs: [], delMs: [], burstAddMs: [], burstDelMs: [] };
}

/** ADD and DEL by exec. Each ADD gets a namespace that nobody used before; DEL gets ADD's result. */
export class ContenderBench {
  readonly #kernel: RtnetlinkKernel;
  readonly #folder: string;

  constructor(kernel: RtnetlinkKernel, folder: string) {
    this.#kernel = kernel;
    this.#folder = join(folder, "calls");
    mkdirSync(this.#folder, { recursive: true });
  }

  /** One pod after the other. */
  sequential(contender: Contender, name: string, count: number) {
    return this.#run(contender, { name, count, concurrency: 1 }, (add, del) => ({
      addMs: sumByPod(add),
      delMs: sumByPod(del),
    }));
  }

  /** All pods at once. */
  burst(contender: Contender, name: string, count: number) {
    return this.#run(contender, { name, count, concurrency: count }, (add, del) => ({
      addMs: sum(add.map(({ totalMs }) => totalMs)),
      delMs: sum(del.map(({ totalMs }) => totalMs)),
    }));
  }

  async #run<T>(
    contender: Contender,
    how: { readonly name: string; readonly count: number; readonly concurrency: number },
    read: (add: readonly ExecOutcome[], del: readonly ExecOutcome[]) => T,
  ): Promise<T> {
    const { binary, cniPath, argsOf, networks } = contender;
    const pods = await createPods(this.#kernel, `${contender.key}-${how.name}`, how.count);
    const calls = pods.map((pod, index) => ({
      ...pod,
      ...(argsOf && { cniArgs: argsOf(index) }),
    }));
    const common = { binary, cniPath, calls, concurrency: how.concurrency };
    const add = networks.map(({ ifname, config }) => {
      const stdinFile = join(this.#folder, `${contender.key}-${ifname}.json`);
      writeFileSync(stdinFile, JSON.stringify(config));
      const saveFile = join(this.#folder, `{id}-${ifname}.result`);
      return execPlugins({ ...common, command: "ADD", ifname, stdinFile, saveFile });
    });
    for (const network of networks) this.#writeDelConfigs(network, calls);
    const del = networks.toReversed().map(({ ifname }) => {
      const stdinFile = join(this.#folder, `{id}-${ifname}.del`);
      return execPlugins({ ...common, command: "DEL", ifname, stdinFile });
    });
    await deletePods(this.#kernel, pods);
    return read(add, del);
  }

  /** A runtime gives DEL the result of ADD. */
  #writeDelConfigs({ ifname, config }: ContenderNetwork, calls: readonly ExecCall[]): void {
    for (const { containerId } of calls) {
      const result = readFileSync(join(this.#folder, `${containerId}-${ifname}.result`), "utf8");
      const prevResult: unknown = result === "" ? undefined : JSON.parse(result);
      writeFileSync(
        join(this.#folder, `${containerId}-${ifname}.del`),
        JSON.stringify({ ...config, prevResult }),
      );
    }
  }
}

function sumByPod(outcomes: readonly ExecOutcome[]): number[] {
  const [first] = outcomes;
  return (first?.wallMs ?? []).map((_, pod) => sum(outcomes.map(({ wallMs }) => wallMs[pod] ?? 0)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
