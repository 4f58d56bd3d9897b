import { type EpisodeOptions, type EpisodeResult, runEpisode } from "./episode.ts";

export interface Shrunk {
  readonly result: EpisodeResult;
  /** The steps that are left. */
  readonly kept: readonly number[];
  readonly tries: number;
}

/**
 * Leaves out steps of a failing episode as long as it breaks the same invariant: first large pieces,
 * then smaller ones, then single steps, until nothing more can go or the tries are used up.
 */
export async function shrink(
  options: EpisodeOptions,
  failed: EpisodeResult,
  limits: { readonly stepsMax: number },
): Promise<Shrunk> {
  const invariant = failed.failure?.invariant;
  let kept = Array.from({ length: failed.lastStep + 1 }, (_, step) => step);
  let result = failed;
  let stepsLeft = limits.stepsMax;
  let tries = 0;
  const attempt = async (candidate: readonly number[]): Promise<boolean> => {
    const set = new Set(candidate);
    const stepsMax = failed.lastStep + 1;
    tries++;
    const again = await runEpisode({ ...options, stepsMax, isSkipped: (step) => !set.has(step) });
    stepsLeft -= again.steps;
    if (again.failure?.invariant !== invariant) return false;
    kept = candidate.filter((step) => step <= again.lastStep);
    result = again;
    return true;
  };
  let size = Math.ceil(kept.length / 2);
  while (stepsLeft > 0) {
    let hasShrunk = false;
    // From the end: what happened last is needed most, so its neighbours are found needless first.
    for (let end = kept.length; end > 0 && stepsLeft > 0; end -= size) {
      const start = Math.max(0, end - size);
      const candidate = [...kept.slice(0, start), ...kept.slice(end)];
      if (await attempt(candidate)) hasShrunk = true;
    }
    if (size === 1 && !hasShrunk) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return { result, kept, tries };
}
