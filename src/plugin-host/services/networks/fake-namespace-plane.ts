import { FakeConntrack } from "../../../kernel/fake-conntrack.ts";
import type { NetnsPlace } from "../../../kernel/netns-netfilter.ts";
import type { NamespacePlan, NamespacePlane } from "../../../services/namespace-plane.ts";

/** Namespaces in memory. A test may fail and hold back calls, let namespaces go, and change what they hold. Prints as sorted text. */
export class FakeNamespacePlane implements NamespacePlane {
  readonly calls: string[] = [];
  /** Identities of namespaces that are not there any more. */
  readonly gone = new Set<string>();
  readonly flows = new FakeConntrack();
  /** Awaited before each program() has its effect. */
  before: (netns: NetnsPlace) => Promise<void> = async () => {};
  /** How many program() calls run, and ran at most, side by side. */
  running = 0;
  most = 0;
  isClosed = false;
  readonly #held = new Map<string, string>();

  async program(netns: NetnsPlace, plan: NamespacePlan): Promise<string> {
    this.calls.push(netns.identity);
    this.running++;
    this.most = Math.max(this.most, this.running);
    try {
      await this.before(netns);
    } finally {
      this.running--;
    }
    this.#requireThere(netns);
    if (plan.frontends.length === 0) this.#held.delete(netns.identity);
    else this.#held.set(netns.identity, describe(plan));
    return this.inspect(netns);
  }

  async inspect(netns: NetnsPlace): Promise<string> {
    this.#requireThere(netns);
    return this.#held.get(netns.identity) ?? "";
  }

  conntrack(): FakeConntrack {
    return this.flows;
  }

  /** Somebody with the rights flushes the rules there. */
  flush({ identity }: Pick<NetnsPlace, "identity">): void {
    this.#held.delete(identity);
  }

  /** What an earlier host left. */
  leave(identity: string): void {
    this.#held.set(identity, "something old");
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  toString(): string {
    return [...this.#held]
      .map(([identity, text]) => `${identity} ${text}\n`)
      .sort()
      .join("");
  }

  #requireThere({ identity }: NetnsPlace): void {
    if (this.gone.has(identity)) throw new Error(`No namespace ${identity}`);
  }
}

function describe({ frontends, ifnames, client }: NamespacePlan): string {
  const names = [...ifnames].map(([network, list]) => `${network}=${list.join("+")}`).sort();
  const routes = frontends.map(({ key, onNetwork }) => {
    const route = onNetwork?.route;
    const endpoints = route?.kind === "forward" ? route.endpoints : [];
    return `${key}>${endpoints.map(({ address, port }) => `${address}|${port}`).join("+") || route?.kind}`;
  });
  return `${client} ${names.join(" ")} ${routes.join(" ")}`;
}
