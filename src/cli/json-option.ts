import { readFileSync } from "node:fs";
import { CliError, EXIT, messageOf, whyRefused } from "./failure.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads an option that is a JSON object, or the path of a file with one. Throws CliError. */
export function readJsonOption(option: string, text: string): JsonObject {
  const isInline = text.trimStart().startsWith("{");
  const json = isInline ? text : readFile(option, text);
  const where = isInline ? option : `${option} ${text}`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new CliError(`${where} is no JSON: ${messageOf(cause)}`, EXIT.usage, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new CliError(`${where} must be a JSON object`, EXIT.usage);
}

function readFile(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new CliError(`Cannot read ${option} ${path}: ${whyRefused(cause)}`, EXIT.usage, {
      cause,
    });
  }
}
