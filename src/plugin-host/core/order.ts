import { PatchbayError } from "../errors.ts";

/** One network of a pod, as far as order goes. */
export interface Ordered {
  readonly network: string;
  readonly ifname: string;
  /** Interfaces, or networks ("namespace/name"), that must be there first. */
  readonly dependsOn: readonly string[];
  /** Its plugin attaches beside others. */
  readonly isParallel: boolean;
}

/**
 * For each network those that it comes after, as indexes: what it depends on, and for a plugin that does not
 * attach in parallel the default network (index 0) and the one before it of such a plugin (multi-network
 * standard 1.3, 7.3). Networks of plugins that do are attached beside the default one, if its plugin is such
 * a one as well: the standard's order would cost a pod its slowest network twice. `standing` are interfaces and networks that are there. Throws
 * PatchbayError INVALID_NETWORK_CONFIG: something is depended on that the pod does not get, or in a circle.
 */
export function planOrder(
  networks: readonly Ordered[],
  standing: ReadonlySet<string>,
): readonly (readonly number[])[] {
  const needed = networks.map((network, index) =>
    dependenciesOf(network, index, networks, standing),
  );
  const sequence = sortByDependency(networks, needed);
  const isBeside = (index: number) => networks[0]?.isParallel && networks[index]?.isParallel;
  const after = needed.map((indexes, index) =>
    index === 0 ? [] : [...(isBeside(index) ? [] : [0]), ...indexes],
  );
  let before: number | undefined;
  for (const index of sequence) {
    if (networks[index]?.isParallel || index === 0) continue;
    if (before !== undefined) after[index]?.push(before);
    before = index;
  }
  return after.map((indexes) => [...new Set(indexes)]);
}

function dependenciesOf(
  network: Ordered,
  index: number,
  networks: readonly Ordered[],
  standing: ReadonlySet<string>,
): number[] {
  return network.dependsOn.flatMap((name) => {
    const found = networks.flatMap((other, place) => (isNamed(other, name) ? [place] : []));
    if (found.length > 0 && !found.includes(index)) return found;
    if (found.length === 0 && standing.has(name)) return [];
    const why = found.length > 0 ? "which is itself" : "which the pod does not get";
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      `Network ${network.network} (${network.ifname}) depends on ${JSON.stringify(name)}, ${why}`,
    );
  });
}

function isNamed({ ifname, network }: Ordered, name: string): boolean {
  return ifname === name || network === name;
}

/** Indexes with dependencies first, else in the order given. */
function sortByDependency(
  networks: readonly Ordered[],
  needed: readonly (readonly number[])[],
): number[] {
  const sorted: number[] = [];
  const open = new Set<number>();
  const visit = (index: number): void => {
    if (sorted.includes(index)) return;
    if (open.has(index)) {
      const names = [...open].map((each) => networks[each]?.ifname).join(", ");
      throw new PatchbayError("INVALID_NETWORK_CONFIG", `Networks depend on each other: ${names}`);
    }
    open.add(index);
    for (const other of needed[index] ?? []) visit(other);
    open.delete(index);
    sorted.push(index);
  };
  for (const index of networks.keys()) visit(index);
  return sorted;
}

/** Something that comes after others. */
export interface Step {
  readonly id: string;
  readonly after: readonly string[];
}

/** What became of each step that was begun; a step that threw has its error. */
export interface Outcome<T> {
  readonly done: ReadonlyMap<string, T>;
  readonly failed: ReadonlyMap<string, unknown>;
}

/**
 * Runs each step when all that it comes after have ended well, as many at once as the order allows. After a
 * failure none begins any more; those under way are waited for. Never throws.
 */
export async function runForward<S extends Step, T>(
  steps: readonly S[],
  work: (step: S) => Promise<T>,
): Promise<Outcome<T>> {
  const done = new Map<string, T>();
  const failed = new Map<string, unknown>();
  const ends = new Map<string, Promise<void>>();
  const known = new Set(steps.map(({ id }) => id));
  const run = async (step: S): Promise<void> => {
    const before = step.after.filter((id) => known.has(id));
    await Promise.all(before.flatMap((id) => ends.get(id) ?? []));
    if (failed.size > 0 || !before.every((id) => done.has(id))) return;
    try {
      done.set(step.id, await work(step));
    } catch (error) {
      failed.set(step.id, error);
    }
  };
  for (const step of inOrder(steps)) ends.set(step.id, run(step));
  await Promise.all(ends.values());
  return { done, failed };
}

/** The same backwards: a step begins when all that come after it have ended, however they did. */
export async function runBackward<S extends Step>(
  steps: readonly S[],
  work: (step: S) => Promise<void>,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const ends = new Map<string, Promise<void>>();
  const run = async (step: S): Promise<void> => {
    const later = steps.filter((other) => other.after.includes(step.id));
    await Promise.all(later.flatMap(({ id }) => ends.get(id) ?? []));
    try {
      await work(step);
    } catch (error) {
      failed.set(step.id, error);
    }
  };
  for (const step of inOrder(steps).toReversed()) ends.set(step.id, run(step));
  await Promise.all(ends.values());
  return failed;
}

/** Each step behind those that it comes after. */
function inOrder<S extends Step>(steps: readonly S[]): S[] {
  const sorted: S[] = [];
  const left = new Map(steps.map((step) => [step.id, step]));
  const visit = (step: S): void => {
    if (!left.delete(step.id)) return;
    for (const id of step.after) {
      const before = left.get(id);
      if (before) visit(before);
    }
    sorted.push(step);
  };
  for (const step of steps) visit(step);
  return sorted;
}
