import { act } from "./actions.ts";
import { type Failure, type NodeOptions, SimNode } from "./node.ts";
import { comeToRest } from "./quiet.ts";
import { Rng } from "./rng.ts";

/** Steps between two looks at everything. */
const SCAN_EVERY = 128;

export interface EpisodeOptions extends NodeOptions {
  readonly seed: number;
  readonly episode: number;
  /** Ends earlier than it would by itself. */
  readonly stepsMax?: number;
  /** Steps that are left out, to make a failure shorter. */
  readonly isSkipped?: (step: number) => boolean;
}

export interface EpisodeResult {
  /** Scheduler actions, those on the way to rest included. */
  readonly steps: number;
  /** The step at which it failed, or the last one. */
  readonly lastStep: number;
  readonly failure: Failure | undefined;
  /** The same for the same seed and options. */
  readonly hash: number;
  readonly pods: number;
  readonly answers: number;
  readonly eventCounts: ReadonlyMap<string, number>;
}

/**
 * A node from its first boot to its end: rounds of chaos, after each of which everything is mended
 * and must come to rest. Each step draws from numbers of its own, so that leaving one out leaves
 * the others what they are.
 */
export async function runEpisode(options: EpisodeOptions): Promise<EpisodeResult> {
  const { seed, episode } = options;
  const plan = new Rng(seed, episode, 0x7fff_ffff);
  const rounds = Array.from({ length: plan.oneOf(1, 1, 2, 3) }, () =>
    plan.oneOf(plan.between(50, 400), plan.between(300, 2_000), plan.between(1_000, 4_000)),
  );
  // Not in all of them: what earlier seeds found is found by them still.
  const node = new SimNode(plan, {
    hasLists: episode % 2 === 1,
    hasNodeRanges: episode % 8 === 5,
    ...options,
  });
  node.note(() => `profile ${JSON.stringify(node.profile)}`);
  for (const { config } of node.networks) node.note(() => `network ${JSON.stringify(config)}`);
  const stepsMax = options.stepsMax ?? Number.POSITIVE_INFINITY;
  let step = 0;
  let restSteps = 0;
  node.startHost();
  await node.settle();
  for (const [round, length] of rounds.entries()) {
    const end = Math.min(step + length, stepsMax);
    for (; step < end && !node.failure; step++) {
      if (options.isSkipped?.(step)) continue;
      node.rng = new Rng(seed, episode, step);
      await act(node);
      await node.settle();
      if (step % SCAN_EVERY === 0) node.ledger.scan();
    }
    if (node.failure) break;
    const isLast = round === rounds.length - 1 || step >= stepsMax;
    restSteps += await comeToRest(node, { empty: false });
    if (isLast && !node.failure) restSteps += await comeToRest(node, { empty: true });
    if (isLast || node.failure) break;
  }
  node.endHost("end of the episode");
  return {
    steps: step + restSteps,
    lastStep: step,
    failure: node.failure,
    hash: node.hash,
    pods: node.runtime.podCount,
    answers: node.runtime.answers,
    eventCounts: node.eventCounts,
  };
}
