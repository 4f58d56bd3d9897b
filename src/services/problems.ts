import type { ObjectKey } from "./objects.ts";
import type { ObjectProblem } from "./table-types.ts";

/** What problems() says at most; the last one then says how many more there are. */
export const maxProblems = 1000;
/** What is kept of one object's: a slice may have a thousand bad addresses. */
export const maxProblemsOfObject = 20;
const maxSentenceChars = 300;

/** What is wrong with the objects of one source. */
export class Problems {
  readonly #source: string;
  readonly #byObject = new Map<ObjectKey, readonly string[]>();

  constructor(source: string) {
    this.#source = source;
  }

  /** Replaces what was wrong with an object; nothing is wrong with it when `sentences` is empty. */
  set(key: ObjectKey, sentences: readonly string[]): void {
    if (sentences.length === 0) {
      this.#byObject.delete(key);
      return;
    }
    const kept = sentences.slice(0, maxProblemsOfObject).map(clip);
    const more = sentences.length - kept.length;
    this.#byObject.set(key, more > 0 ? [...kept, `${more} more problems`] : kept);
  }

  list(): readonly ObjectProblem[] {
    const problems: ObjectProblem[] = [];
    for (const [key, sentences] of this.#byObject) {
      const object = key.replace("/", " ");
      for (const message of sentences) problems.push({ source: this.#source, object, message });
    }
    return problems;
  }
}

/** The first of many, ordered by source and object: who came first does not matter. */
export function boundProblems(problems: readonly ObjectProblem[]): readonly ObjectProblem[] {
  const ordered = problems.toSorted(
    (one, other) =>
      compareTexts(one.source, other.source) || compareTexts(one.object, other.object),
  );
  if (ordered.length <= maxProblems) return ordered;
  const more = ordered.length - (maxProblems - 1);
  return [
    ...ordered.slice(0, maxProblems - 1),
    { source: "", object: "", message: `${more} more problems` },
  ];
}

/** Sentences quote what objects say, however long that is. */
function clip(sentence: string): string {
  if (sentence.length <= maxSentenceChars) return sentence;
  return `${sentence.slice(0, maxSentenceChars)}...`;
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
