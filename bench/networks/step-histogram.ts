/** What /metrics tells of a step of calls: patchbay_step_duration_seconds. */
export interface StepHistogram {
  readonly seconds: number;
  readonly count: number;
  /** Observations up to each bound (s), ascending; the last bound is Infinity. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
}

/** Reads a step of a host's metrics. */
export async function readStep(port: number, step: string): Promise<StepHistogram> {
  // Anew each time: this process sleeps while plugins are executed, and the host hangs up on the idle.
  const headers = { connection: "close" };
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
  return parseStep(await answer.text(), step);
}

function parseStep(text: string, step: string): StepHistogram {
  const name = "patchbay_step_duration_seconds";
  const labels = `step="${step}"`;
  const read = (suffix: string): number => {
    const line = text.split("\n").find((each) => each.startsWith(`${name}_${suffix}{${labels}} `));
    return Number(line?.split(" ")[1] ?? 0);
  };
  const pattern = new RegExp(`^${name}_bucket\\{le="([^"]+)",${labels}\\} (\\d+)$`, "gm");
  const buckets = [...text.matchAll(pattern)].map(
    ([, bound, count]) => [bound === "+Inf" ? Infinity : Number(bound), Number(count)] as const,
  );
  return { seconds: read("sum"), count: read("count"), buckets };
}

/** What came between two readings. */
export function between(before: StepHistogram, after: StepHistogram): StepHistogram {
  return {
    seconds: after.seconds - before.seconds,
    count: after.count - before.count,
    buckets: after.buckets.map(([bound, count], index) => {
      return [bound, count - (before.buckets[index]?.[1] ?? 0)];
    }),
  };
}

/** All of them together. */
export function together(parts: readonly StepHistogram[]): StepHistogram {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    seconds: sum(parts.map(({ seconds }) => seconds)),
    count: sum(parts.map(({ count }) => count)),
    buckets: (parts[0]?.buckets ?? []).map(([bound], index) => {
      return [bound, sum(parts.map(({ buckets }) => buckets[index]?.[1] ?? 0))];
    }),
  };
}

/** The median in seconds, within its bucket as if all were evenly spread there. */
export function medianOf({ count, buckets }: StepHistogram): number {
  let [from, below] = [0, 0];
  for (const [bound, upTo] of buckets) {
    if (upTo >= count / 2 && upTo > below) {
      if (bound === Infinity) return from;
      return from + ((bound - from) * (count / 2 - below)) / (upTo - below);
    }
    [from, below] = [bound, upTo];
  }
  return Number.NaN;
}
