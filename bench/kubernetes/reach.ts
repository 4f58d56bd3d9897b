import { setTimeout as delay } from "node:timers/promises";
import type { ServiceLab } from "./service-lab.ts";

/** Before a change, ms: kube-proxy rests for a second after each of its own, so that some meet it and some do not. */
const rest = { least: 400, most: 1800 };
const UNTIMED = 4;

/** What one change of an EndpointSlice took to be served, ms. */
export interface Reach {
  /** From before the request that wrote it. */
  readonly written: number;
  /** From the API server's answer to it; negative where the new endpoint answered before that. */
  readonly answered: number;
}

/** Moves the probed Service from one endpoint to the other and back. */
export async function measureReach(lab: ServiceLab, samples: number): Promise<Reach[]> {
  const { dialler, target } = lab;
  const found: Reach[] = [];
  for (let sample = -UNTIMED; sample < samples; sample++) {
    // An even number of samples ends where it began.
    const letter = sample % 2 === 0 ? "B" : "A";
    await delay(rest.least + Math.random() * (rest.most - rest.least));
    const served = dialler.until(letter, target);
    const startNs = process.hrtime.bigint();
    await lab.pointTo(letter);
    const answerNs = process.hrtime.bigint();
    const servedNs = await served;
    if (sample < 0) continue;
    const milliseconds = (fromNs: bigint) => Number(servedNs - fromNs) / 1e6;
    found.push({ written: milliseconds(startNs), answered: milliseconds(answerNs) });
  }
  return found;
}
