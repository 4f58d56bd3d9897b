import type { Rng } from "./rng.ts";

/**
 * What may happen in an episode. Each episode draws its own mixture ("swarm testing"): a fault that
 * is always on hides what only shows where it is off.
 */
export interface Profile {
  /** Probabilities of one scheduler action. */
  readonly crash: number;
  readonly crashInside: number;
  readonly stop: number;
  readonly reboot: number;
  readonly diskFull: number;
  readonly commitFails: number;
  readonly flushFails: number;
  readonly journalFull: number;
  readonly jumpForward: number;
  readonly jumpBack: number;
  readonly netnsVanishes: number;
  readonly netnsFlaps: number;
  readonly orphan: number;
  readonly lostAnswer: number;
  readonly configChange: number;
  readonly reload: number;
  readonly recreate: number;
  readonly stray: number;
  readonly gc: number;
  /** Probabilities of one port call. */
  readonly late: number;
  readonly failBefore: number;
  readonly failAfter: number;
  readonly crashAtCall: number;
  /** Share of GC lists that are wrong. */
  readonly gcWrong: number;
  /** Share of DELs that come after the namespace is gone. */
  readonly netnsFirst: number;
  readonly requested: number;
  /** More repeats of ADDs than usual. */
  readonly repeats: number;
  readonly secondNetwork: number;
  /** Networks that pods may ask for beside their default ones. */
  readonly extraNetworks: number;
  /** Share of pods that ask for some. */
  readonly asks: number;
  /** Share of what running pods do that is hot-plug. */
  readonly plugs: number;
  /** Share of what is asked for that names an IPAM claim. */
  readonly claims: number;
  /** Probability that an IPAM claim comes or goes. */
  readonly claimChange: number;
  /** Plugins attach beside others; else one after the other. */
  readonly parallel: boolean;
  /** Share of repeated Attach calls that plugins answer with something else. */
  readonly fickle: number;
  readonly podsMax: number;
  /** Host bits of the subnets of the first network. */
  readonly hostBits: number;
  readonly networks: number;
  /** The built-in plugins on a fake kernel, instead of plugins that keep tables. */
  readonly isKernel: boolean;
  readonly pluginChanges: boolean;
  readonly cooldownSeconds: number;
  /** Of what concerns lists of pods, where there are any. */
  readonly lists: number;
}

export function drawProfile(rng: Rng): Profile {
  const calm = rng.chance(0.08);
  const maybe = (probability: number, share = 0.5) =>
    !calm && rng.chance(share) ? probability * rng.oneOf(0.3, 1, 1, 3) : 0;
  const jumpBack = maybe(0.001, 0.3);
  return {
    crash: maybe(0.004),
    crashInside: maybe(0.006),
    stop: maybe(0.003),
    reboot: maybe(0.0015),
    diskFull: maybe(0.002),
    commitFails: maybe(0.004),
    flushFails: maybe(0.002),
    journalFull: maybe(0.002),
    jumpForward: maybe(0.001, 0.3),
    jumpBack,
    netnsVanishes: maybe(0.004),
    netnsFlaps: maybe(0.004),
    orphan: maybe(0.002),
    lostAnswer: maybe(0.006),
    configChange: maybe(0.003),
    // A container id that comes back while the clock goes back: the journal has wall times only.
    reload: jumpBack > 0 ? 0 : maybe(0.006, 0.4),
    recreate: jumpBack > 0 ? 0 : maybe(0.003, 0.3),
    stray: maybe(0.004),
    gc: maybe(0.004, 0.7),
    late: rng.chance(0.15) ? 0.3 : maybe(0.03),
    failBefore: maybe(0.03),
    failAfter: maybe(0.02),
    crashAtCall: maybe(0.006),
    gcWrong: rng.oneOf(0, 0.3, 0.6),
    netnsFirst: rng.oneOf(0, 0.1, 0.5),
    repeats: rng.oneOf(0, 0, 0.4),
    requested: rng.oneOf(0, 0, 0.2),
    secondNetwork: rng.oneOf(0, 0.3),
    extraNetworks: rng.oneOf(0, 2, 4),
    asks: rng.oneOf(0.3, 0.9),
    plugs: rng.oneOf(0, 0.1, 0.3),
    claims: rng.oneOf(0, 0, 0.4),
    claimChange: maybe(0.002),
    parallel: rng.chance(0.5),
    fickle: rng.oneOf(0, 0, 0.2),
    podsMax: rng.oneOf(3, 8, 16, 30),
    hostBits: rng.oneOf(3, 3, 4, 4, 6, 16),
    networks: rng.oneOf(1, 2, 2, 3),
    isKernel: rng.chance(0.4),
    pluginChanges: rng.chance(0.3),
    cooldownSeconds: rng.oneOf(0, 5, 30, 120, 120),
    lists: calm ? 0 : 0.012,
  };
}
