import type { ObjectKey } from "./objects.ts";
import type { ObjectProblem } from "./table-types.ts";

/** What problems() says at most; the last one then says how many more there are. */
export const maxProblems = 1000;

/** What is wrong with the objects of one source. */
export class Problems {
  readonly #source: string;
  readonly #byObject = new Map<ObjectKey, readonly string[]>();

  constructor(source: string) {
    this.#source = source;
  }

  /** Replaces what was wrong with an object; nothing is wrong with it when `sentences` is empty. */
  set(key: ObjectKey, sentences: readonly string[]): void {
    if (sentences.length === 0) this.#byObject.delete(key);
    else this.#byObject.set(key, sentences);
  }

  list(): readonly ObjectProblem[] {
    const problems: ObjectProblem[] = [];
    for (const [key, sentences] of this.#byObject) {
      const object = key.replace("/", " ");
      for (const message of sentences) problems.push({ source: this.#source, object, message });
    }
    return problems.sort((one, other) => {
      if (one.object !== other.object) return one.object < other.object ? -1 : 1;
      return 0;
    });
  }
}

/** The first of many. */
export function boundProblems(problems: readonly ObjectProblem[]): readonly ObjectProblem[] {
  if (problems.length <= maxProblems) return problems;
  const more = problems.length - (maxProblems - 1);
  return [
    ...problems.slice(0, maxProblems - 1),
    { source: "", object: "", message: `${more} more problems` },
  ];
}
