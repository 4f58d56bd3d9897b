import { hash } from "node:crypto";
import type { Family } from "../../src/ip/address.ts";
import type { Nfnetlink, TablePlace } from "../../src/kernel/nfnetlink.ts";
import { number32 } from "./codecs.ts";
import { ImageMap } from "./image-map.ts";
import { TABLE } from "./skeleton.ts";

export interface LoadedRules {
  readonly family: Family;
  readonly text: string;
}

/**
 * Whether the rules in the kernel are those that a text makes. Loading them anew makes the kernel walk every map that
 * they use, once for each chain: seconds with 100,000 endpoints. So what was loaded is noted beside it, in a map of the
 * table: a hash of the text, and one of the rules that the kernel then held.
 */
export async function rulesAreLoaded(
  nfnetlink: Nfnetlink,
  { family, text }: LoadedRules,
): Promise<boolean> {
  const about = aboutMap(family);
  const digest = await nfnetlink.ruleDigest(about.place);
  if (digest === undefined) return false;
  about.load(await nfnetlink.elements(about.place));
  const waysDigest = await digestOfWays(nfnetlink, about.place);
  return (
    about.get(TEXT) === short(text) &&
    about.get(RULES) === short(digest) &&
    about.get(WAYS) === short(waysDigest)
  );
}

/** Notes what was just loaded. */
export async function noteLoadedRules(
  nfnetlink: Nfnetlink,
  { family, text }: LoadedRules,
): Promise<void> {
  const about = aboutMap(family);
  about.load(await nfnetlink.elements(about.place));
  about.put(TEXT, short(text));
  about.put(RULES, short((await nfnetlink.ruleDigest(about.place)) ?? ""));
  about.put(WAYS, short(await digestOfWays(nfnetlink, about.place)));
  const { deletions, additions } = about.drain();
  await nfnetlink.commit([...deletions, ...additions]);
}

/** The map that holds the hashes. */
export function aboutMap(family: Family): ImageMap<number, number> {
  const place = { family: family === 4 ? "ip" : "ip6", table: TABLE, set: "about" } as const;
  return new ImageMap({ place, key: number32, value: number32 });
}

const TEXT = 1;
const RULES = 2;
const WAYS = 3;

/** Verdicts are not dumped; their keys are. */
async function digestOfWays(nfnetlink: Nfnetlink, table: TablePlace): Promise<string> {
  const keys: string[] = [];
  for (const set of ["ways", "seat-ways"]) {
    const dump = await nfnetlink.elements({ ...table, set });
    const records = dump?.records ?? new Uint8Array();
    for (let at = 0; at < records.length; at += 4) {
      keys.push(`${set} ${Buffer.from(records.subarray(at, at + 4)).toString("hex")}`);
    }
  }
  return keys.sort().join();
}

function short(text: string): number {
  return Number.parseInt(hash("sha256", text).slice(0, 8), 16);
}
