import { Host } from "../../src/plugin-host/core/host.ts";
import {
  type HostPorts,
  NO_NODE_VIEW,
  NO_POD_WITNESSES,
} from "../../src/plugin-host/core/ports.ts";
import { drawKernelError } from "./kernel-errors.ts";
import type { CallOwner } from "./port-calls.ts";
import type { SimNode } from "./node.ts";
import { SimStore } from "./sim-store.ts";
import { OPEN_POLICY } from "../../src/plugin-host/networks/visibility.ts";

/** Thrown into the host where it is killed; what it does with it no longer matters. */
class Killed extends Error {
  override readonly name = "Killed";
}

/**
 * One life of the host process, from exec to exit or kill. When it is dead its ports do nothing:
 * calls never return, writes throw, timers stay silent.
 */
export class HostLife implements CallOwner {
  readonly number: number;
  readonly host: Host;
  readonly startedMs: number;
  /** Attachments whose host ports lead somewhere. */
  readonly published = new Set<string>();
  alive = true;
  isReady = false;
  /** When it was told to stop. */
  stoppingMs: number | undefined;
  readonly #node: SimNode;
  /** Monotonic time starts anywhere. */
  readonly #monotonicOffsetMs: number;

  constructor(node: SimNode, number: number) {
    this.#node = node;
    this.number = number;
    this.startedMs = node.clock.monotonicMs();
    this.#monotonicOffsetMs = node.rng.between(-1_000_000, 1_000_000);
    this.host = new Host(this.#ports(), {
      bootId: node.bootId,
      ownNetns: "4:1",
      policy: OPEN_POLICY,
    });
  }

  start(): void {
    this.host.start().then(
      () => {
        this.isReady = true;
      },
      (error: unknown) => this.#exit(`start failed: ${String(error)}`),
    );
  }

  stop(): void {
    this.stoppingMs = this.#node.clock.monotonicMs();
    this.host.stop().then(
      () => this.#exit("stopped"),
      (error: unknown) => this.#exit(`stop failed: ${String(error)}`),
    );
  }

  #exit(why: string): void {
    if (this.alive) this.#node.endHost(why);
  }

  #ports(): HostPorts {
    const node = this.#node;
    const plugins = node.world.plugins(this, node.calls);
    const submit = <T>(label: string, work: () => Promise<T>): Promise<T> =>
      node.calls.submit({ label, owner: this, work, error: () => new Error(`EIO: ${label}`) });
    return {
      clock: {
        wallMs: () => node.clock.wallMs(),
        monotonicMs: () => node.clock.monotonicMs() + this.#monotonicOffsetMs,
        after: (delayMs, call) => {
          // A clock throws nothing, not even for the dead.
          if (this.alive && node.takeCrash()) node.endHost("killed inside");
          if (!this.alive) return () => {};
          return node.clock.after(delayMs, () => {
            if (this.alive) call();
          });
        },
      },
      store: new SimStore(node.disk, {
        owner: this,
        calls: node.calls,
        bugs: node.options.bugs ?? {},
        hooks: {
          beforeCommit: (changes) => {
            this.#mayDie();
            node.ledger.beforeCommit(changes);
          },
          afterCommit: () => this.#mayDie(),
          isFull: () => node.faults.isDiskFull || node.takeCommitFailure(),
          isUnsyncable: () => node.faults.isDiskUnsyncable,
          flushed: () => {},
        },
      }),
      plugins: {
        find: (name) => (node.faults.pluginsGone.has(name) ? undefined : plugins.get(name)),
        names: () => [...plugins.keys()].filter((name) => !node.faults.pluginsGone.has(name)),
      },
      netns: {
        identify: (path) =>
          node.calls.submit({
            label: `netns.identify ${path}`,
            owner: this,
            work: () =>
              node.faults.flaps.has(path) ? undefined : node.world.identify(path as string),
            error: (rng) => drawKernelError(rng, "netns-identity"),
          }),
      },
      journal: {
        read: () => submit("journal.read", () => node.journal.read()),
        remove: (name) => submit(`journal.remove ${name}`, () => node.journal.remove(name)),
        setAside: (name) => submit(`journal.setAside ${name}`, () => node.journal.setAside(name)),
      },
      trace: { begin: () => ({ reached: () => this.#mayDie(), end: () => {} }) },
      events: {
        emit: (event) => {
          if (this.alive) node.observe(event);
        },
      },
      services: {
        restore: (records) => {
          for (const { id, portMappings } of records) if (portMappings) this.published.add(id);
        },
        publish: ({ id }) =>
          submit(`services.publish ${id}`, async () => void this.published.add(id)),
        withdraw: (id) => {
          this.#mayDie();
          this.published.delete(id);
        },
        settle: () => undefined,
      },
      definitions: node.definitions,
      node: node.ranges ?? NO_NODE_VIEW,
      podWitnesses: node.lists
        ? { ask: () => submit("podWitnesses.ask", async () => node.lists?.testify() ?? []) }
        : NO_POD_WITNESSES,
    };
  }

  /** A place between two effects where the process may be killed. */
  #mayDie(): void {
    if (!this.alive) throw new Killed();
    if (!this.#node.takeCrash()) return;
    this.#node.endHost("killed inside");
    throw new Killed();
  }
}
