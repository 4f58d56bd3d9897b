import assert from "node:assert/strict";
import { test } from "node:test";
import { LeakWatch, type Witness } from "./leak-watch.ts";

const GRACE_MS = 60_000;

const CASES: readonly {
  readonly name: string;
  readonly words: readonly (readonly [Witness, number])[];
  readonly verdict: string;
}[] = [
  { name: "one word", words: [["netns-gone", 0]], verdict: "new" },
  {
    name: "the same word too soon",
    words: [
      ["netns-gone", 0],
      ["netns-gone", GRACE_MS - 1],
    ],
    verdict: "candidate",
  },
  {
    name: "the same word after the grace",
    words: [
      ["netns-gone", 0],
      ["netns-gone", GRACE_MS],
    ],
    verdict: "leaked",
  },
  {
    name: "two witnesses at once",
    words: [
      ["netns-gone", 0],
      ["not-in-gc-list", 0],
    ],
    verdict: "leaked",
  },
  {
    name: "two witnesses, the first long ago",
    words: [
      ["not-in-gc-list", 0],
      ["netns-gone", 3 * GRACE_MS],
    ],
    verdict: "candidate",
  },
  {
    name: "two witnesses, the first of which keeps saying so",
    words: [
      ["netns-gone", 0],
      ["netns-gone", 50_000],
      ["not-in-gc-list", 100_000],
    ],
    verdict: "leaked",
  },
  {
    name: "two witnesses of one mouth",
    words: [
      ["not-in-gc-list", 0],
      ["not-in-sandbox-list", 0],
    ],
    verdict: "candidate",
  },
  { name: "a weak word", words: [["not-in-pod-list", 0]], verdict: "candidate" },
  {
    name: "a weak word, again and again",
    words: [
      ["not-in-pod-list", 0],
      ["not-in-pod-list", 50_000],
      ["not-in-pod-list", 100 * GRACE_MS],
    ],
    verdict: "candidate",
  },
  {
    name: "a word after a weak one that was long ago",
    words: [
      ["not-in-pod-list", 0],
      ["not-in-sandbox-list", 2 * GRACE_MS],
    ],
    verdict: "new",
  },
  {
    name: "a word that a weak one bears out",
    words: [
      ["not-in-pod-list", 0],
      ["not-in-sandbox-list", GRACE_MS],
    ],
    verdict: "leaked",
  },
];

for (const { name, words, verdict } of CASES) {
  test(`observe() of ${name}: ${verdict}`, () => {
    const watch = new LeakWatch(GRACE_MS);
    const verdicts = words.map(([witness, atMs]) => watch.observe("a", witness, atMs));
    assert.equal(verdicts.at(-1), verdict);
  });
}

test("clear() of a witness lets it start anew", () => {
  const watch = new LeakWatch(GRACE_MS);
  watch.observe("a", "netns-gone", 0);
  watch.clear("a", "netns-gone");
  assert.equal(watch.observe("a", "netns-gone", GRACE_MS), "new");
});

test("retain() drops the suspicions of what is gone", () => {
  const watch = new LeakWatch(GRACE_MS);
  watch.observe("a", "no-record", 0);
  watch.retain((id) => id !== "a");
  assert.equal(watch.observe("a", "no-record", GRACE_MS), "new");
});
