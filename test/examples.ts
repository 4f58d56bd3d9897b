import { readFileSync } from "node:fs";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..");

/** A plugin below examples/ that the set-up builds, as its README starts it. */
export interface Example {
  /** Of its folder. */
  readonly name: "go" | "python";
  /** As GetInfo says. */
  readonly plugin: string;
  /** Program and arguments that serve it on a socket. */
  readonly command: (socket: string) => readonly string[];
}

const built = join(repository, "build/examples");

export const EXAMPLES: readonly Example[] = [
  {
    name: "go",
    plugin: "go-bridge",
    command: (socket) => [join(built, "go/go-bridge"), "--socket", socket],
  },
  {
    name: "python",
    plugin: "python-bridge",
    command: (socket) => [
      join(built, "python/bin/python"),
      join(repository, "examples/python/plugin.py"),
      "--socket",
      socket,
    ],
  },
];

/** A plugin in Go whose calls do nothing: what a process of its own costs. */
export const NOOP_PLUGIN: Pick<Example, "plugin" | "command"> = {
  plugin: "go-noop",
  command: (socket) => [join(built, "go/noop"), "--socket", socket],
};

export function findExample(name: Example["name"]): Example {
  const found = EXAMPLES.find((example) => example.name === name);
  if (!found) throw new Error(`There is no example ${name}`);
  return found;
}

/** Why the example cannot be tested here, as the set-up wrote down; undefined: it can. */
export function findReasonToSkip(name: Example["name"]): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(built, `${name}.json`), "utf8");
  } catch {
    return `EXAMPLES/${name.toUpperCase()} IS NOT BUILT: node scripts/setup.js`;
  }
  const { reason } = JSON.parse(text) as { readonly reason: string };
  return reason === "" ? undefined : `EXAMPLES/${name.toUpperCase()} IS NOT BUILT: ${reason}`;
}
