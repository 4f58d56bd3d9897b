import { Ajv } from "ajv";
import { Violation } from "./rule.ts";

/** A compiled schema of network configurations. */
export interface ConfigSchema {
  /** What is wrong with a configuration, in Ajv's words; "" when nothing is. */
  check(config: unknown): { readonly problem: string };
}

/** Compiles a plugin's schema as the host does. Throws Violation. */
export function compileSchema(text: string): ConfigSchema {
  const schema = parseSchema(text);
  const ajv = new Ajv({ strict: false, allErrors: false });
  let validate: ReturnType<typeof ajv.compile>;
  try {
    validate = ajv.compile(schema);
  } catch (error) {
    throw new Violation(`config_schema_json does not compile: ${(error as Error).message}`);
  }
  return {
    check(config) {
      return { problem: validate(config) ? "" : ajv.errorsText(validate.errors) };
    },
  };
}

/** Fields by which a schema names itself: the host leaves them out. */
const OWN_NAMES = new Set(["$schema", "$id"]);

function parseSchema(text: string): object {
  let schema: unknown;
  try {
    schema = JSON.parse(text, (key, value: unknown) =>
      OWN_NAMES.has(key) && typeof value === "string" ? undefined : value,
    );
  } catch (error) {
    throw new Violation(`config_schema_json is no JSON: ${(error as Error).message}`);
  }
  if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) return schema;
  throw new Violation("config_schema_json: expected an object");
}
