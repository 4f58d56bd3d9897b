import type { Capability } from "../plugin-sdk/network-plugin.ts";
import type { Bench } from "./bench.ts";

/** One sentence of the contract, and how to see whether a plugin keeps it. */
export interface Rule {
  /** Stable: tests of plugins name it. */
  readonly id: string;
  readonly sentence: string;
  /** Rules without which this one says nothing: where one of them failed, this one is skipped. */
  readonly after?: readonly string[];
  readonly needs?: Needs;
  /** Throws Violation or PluginCallError where the plugin breaks the rule, Skip where it cannot be seen. */
  readonly check: (bench: Bench) => Promise<void>;
}

/** What a rule cannot do without. */
export interface Needs {
  readonly capability?: Capability;
  /** The kit started the plugin and may kill it. */
  readonly start?: true;
  /** Pools of these families. */
  readonly families?: readonly (4 | 6)[];
  /** Pools of any family. */
  readonly addresses?: true;
  /** Attachments that stand at the same time. Default 1. */
  readonly attachments?: number;
}

/** Rules of one concern. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** The plugin breaks a rule: what was expected, and what was found. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** The rule cannot be seen here, for the reason given. */
export class Skip extends Error {
  override readonly name = "Skip";
}

/** Holds two values equal, by their JSON. */
export function expectEqual(what: string, expected: unknown, found: unknown): void {
  const [left, right] = [textOf(expected), textOf(found)];
  if (left !== right) throw new Violation(`${what}: expected ${left}, found ${right}`);
}

/** Throws Violation unless something holds. */
export function expectThat(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Violation(sentence);
}

function textOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(value);
  return JSON.stringify(value);
}
