import { errno } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";
import type { Nftables } from "./nftables.ts";

/**
 * Tables as text, by family and name. Knows the statements that make, empty and delete tables;
 * others are kept as text with the table that they name. A failing statement leaves all as it was.
 */
export class FakeNftables implements Nftables {
  #tables: ReadonlyMap<string, string> = new Map();

  async load(ruleset: string): Promise<void> {
    const tables = new Map(this.#tables);
    for (const statement of statementsOf(ruleset)) applyStatement(tables, statement);
    this.#tables = tables;
  }

  async list(table: string): Promise<string | undefined> {
    const key = tableKey(table.trim().split(/\s+/));
    const text = this.#tables.get(key);
    return text === undefined ? undefined : `table ${key} {\n${text}}`;
  }

  toString(): string {
    return [...this.#tables]
      .map(([key, text]) => `table ${key} {\n${text}}\n`)
      .sort()
      .join("");
  }
}

function applyStatement(tables: Map<string, string>, statement: string): void {
  const brace = statement.indexOf("{");
  const head = (brace < 0 ? statement : statement.slice(0, brace)).trim().split(/\s+/);
  if (head[0] === "flush" && head[1] === "ruleset") {
    tables.clear();
    return;
  }
  const verb = head[0] === "table" ? "add" : head.shift();
  if (head.shift() !== "table") {
    keepWithTable(tables, statement, head);
    return;
  }
  const key = tableKey(head);
  const body =
    brace < 0 ? "" : `${statement.slice(brace + 1, statement.lastIndexOf("}")).trim()}\n`;
  switch (verb) {
    case "create":
      if (tables.has(key)) throw refusal("EEXIST", "File exists", key);
      tables.set(key, body);
      return;
    case "add":
      tables.set(key, (tables.get(key) ?? "") + (body === "\n" ? "" : body));
      return;
    case "delete":
    case "flush":
      if (!tables.has(key)) throw refusal("ENOENT", "No such file or directory", key);
      if (verb === "flush") tables.set(key, "");
      else tables.delete(key);
      return;
    case "destroy":
      tables.delete(key);
      return;
    case undefined:
    default:
      throw refusal("EINVAL", `syntax error: ${statement}`, key);
  }
}

/** "add element inet t m { … }": the words after the object's kind are its table's. */
function keepWithTable(tables: Map<string, string>, statement: string, head: string[]): void {
  const key = tableKey(families.has(head[0] ?? "") ? head.slice(0, 2) : head.slice(0, 1));
  const text = tables.get(key);
  if (text === undefined) throw refusal("ENOENT", "No such file or directory", key);
  tables.set(key, `${text}${statement}\n`);
}

/** Splits at line ends and semicolons outside of braces. Comments are dropped. */
function statementsOf(ruleset: string): string[] {
  const statements: string[] = [];
  let depth = 0;
  let current = "";
  for (const char of ruleset.replaceAll(/^\s*#.*$/gm, "")) {
    if (char === "{") depth++;
    if (char === "}") depth--;
    if (depth < 0) break;
    if (depth === 0 && (char === "\n" || char === ";")) {
      if (current.trim() !== "") statements.push(current.trim());
      current = "";
    } else current += char;
  }
  if (depth !== 0) throw refusal("EINVAL", "syntax error: unbalanced braces", "ruleset");
  if (current.trim() !== "") statements.push(current.trim());
  return statements;
}

const families = new Set(["ip", "ip6", "inet", "arp", "bridge", "netdev"]);

/** nft's family is ip where none is said. */
function tableKey(words: readonly string[]): string {
  const [first = "", second] = words;
  return second === undefined ? `ip ${first}` : `${first} ${second}`;
}

function refusal(
  code: "EEXIST" | "ENOENT" | "EINVAL",
  message: string,
  object: string,
): KernelError {
  return new KernelError({
    errno: errno[code],
    code,
    operation: "load-ruleset",
    object,
    extendedAck: message,
  });
}
