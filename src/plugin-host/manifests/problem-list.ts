import type { ObjectKey } from "../../services/objects.ts";
import type { Conflict } from "./object-index.ts";
import type { SourceProblem } from "./object-source.ts";
import { describeKey } from "./parse-manifest.ts";
import { sameValue } from "./same-value.ts";

/** Conflicts of which both places are told; finding them means reading the files again. */
const LOCATED_CONFLICTS_MAX = 10;

/** Where an object's name stands: "a.yaml:3:9". */
type Locate = (file: string, key: ObjectKey) => Promise<string>;

/** What is wrong with a folder and its files, bounded, and whether that is news. */
export class ProblemList {
  readonly #folder: string;
  readonly #max: number;
  readonly #files = new Map<string, readonly SourceProblem[]>();
  #ofFolder: string | undefined;
  #told: readonly SourceProblem[] = [];

  constructor(folder: string, options: { readonly max: number }) {
    this.#folder = folder;
    this.#max = options.max;
  }

  setFolder(message: string | undefined): void {
    this.#ofFolder = message;
  }

  setFile(name: string, problems: readonly SourceProblem[]): void {
    if (problems.length === 0) this.#files.delete(name);
    else this.#files.set(name, problems);
  }

  /** All problems, sorted by place, when they are others than at the last call. */
  async findNews(
    conflicts: readonly Conflict[],
    locate: Locate,
  ): Promise<readonly SourceProblem[] | undefined> {
    const problems = [...this.#files.values()].flat();
    if (this.#ofFolder !== undefined) {
      problems.push({ place: this.#folder, message: this.#ofFolder });
    }
    for (const [index, { key, file, heldBy }] of conflicts.entries()) {
      const isLocated = index < LOCATED_CONFLICTS_MAX;
      const place = isLocated ? await locate(file, key) : file;
      const other = isLocated ? await locate(heldBy, key) : heldBy;
      const message = `${describeKey(key)} is in ${other} already, which counts`;
      problems.push({ place, message, kind: key.slice(0, key.indexOf("/")) });
    }
    const bounded = this.#bound(problems.sort(byPlace));
    if (sameValue(bounded, this.#told)) return undefined;
    this.#told = bounded;
    return bounded;
  }

  #bound(problems: readonly SourceProblem[]): readonly SourceProblem[] {
    const more = problems.length - this.#max;
    if (more <= 0) return problems;
    const rest = { place: this.#folder, message: `has ${more} more problems` };
    return [...problems.slice(0, this.#max), rest];
  }
}

function byPlace(left: SourceProblem, right: SourceProblem): number {
  if (left.place === right.place) return 0;
  return left.place < right.place ? -1 : 1;
}
