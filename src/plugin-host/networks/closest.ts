/** Comparing takes the product of the lengths. */
const CHARACTERS_MAX = 64;

/** The word that somebody may have meant: one or, of longer words, two slips of the finger away. */
export function closestOf(word: string, words: readonly string[]): string | undefined {
  if (word.length > CHARACTERS_MAX) return undefined;
  const slipsMax = word.length < 5 ? 1 : 2;
  let closest: string | undefined;
  let least = slipsMax + 1;
  for (const each of words) {
    if (Math.abs(each.length - word.length) > slipsMax) continue;
    const slips = countSlips(word.toLowerCase(), each.toLowerCase());
    if (slips < least) [closest, least] = [each, slips];
  }
  return closest;
}

/** Characters that are missing, too many, others, or changed places with their neighbours (Damerau). */
function countSlips(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 1; line <= left.length; line++) {
    const next = [line];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[line - 1] === right[column - 1];
      const changed = (row[column - 1] ?? 0) + (isSame ? 0 : 1);
      const missing = Math.min(row[column] ?? 0, next[column - 1] ?? 0) + 1;
      const isSwapped =
        left[line - 1] === right[column - 2] && left[line - 2] === right[column - 1];
      const swapped = isSwapped ? (before[column - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(changed, missing, swapped));
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? 0;
}
