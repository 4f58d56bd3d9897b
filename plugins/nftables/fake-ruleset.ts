import type { FakeNfnetlink } from "../../src/kernel/fake-nfnetlink.ts";
import type { TablePlace } from "../../src/kernel/nfnetlink.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import { FamilyImage } from "./family-image.ts";
import { TABLE } from "./skeleton.ts";
import { aboutMap } from "./rules-check.ts";
import { StickyWays } from "./sticky-ways.ts";

/** Loads our skeleton into a FakeNfnetlink: the maps are there with it. Rules are not looked at. */
export class FakeRuleset implements Nftables {
  readonly #nfnetlink: FakeNfnetlink;
  /** Texts loaded, for tests. */
  readonly loaded: string[] = [];

  constructor(nfnetlink: FakeNfnetlink) {
    this.#nfnetlink = nfnetlink;
  }

  async load(ruleset: string): Promise<void> {
    this.loaded.push(ruleset);
    for (const family of [4, 6] as const) {
      const place: TablePlace = { family: family === 4 ? "ip" : "ip6", table: TABLE };
      if (ruleset.includes(`delete table ${place.family} ${TABLE}`)) {
        this.#nfnetlink.deleteTable(place);
      }
      const isWhole = ruleset.includes(`add table ${place.family} ${TABLE}`);
      if (!isWhole) continue;
      if ((await this.#nfnetlink.findTable(place)) === undefined) {
        const { maps } = new FamilyImage(family, new StickyWays());
        const shapes = [...Object.values(maps), aboutMap(family)].map((map) => map.shape);
        this.#nfnetlink.createTable(place, shapes);
      }
      this.#nfnetlink.setRules(place, ruleset);
    }
  }

  async list(): Promise<string | undefined> {
    return undefined;
  }
}
