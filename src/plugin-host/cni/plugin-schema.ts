import { createContext, Script } from "node:vm";
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** A plugin's schema for the configurations of its networks, compiled. */
export interface PluginSchema {
  /**
   * The first thing that is wrong with a configuration; undefined: nothing. Throws PatchbayError
   * PLUGIN_UNAVAILABLE where the schema cannot tell in LIMITS.pluginSchemaMs.
   */
  findError(configJson: string): ErrorObject | undefined;
}

/** Schemas, and configurations that fit one of them, that are remembered. */
const SCHEMAS_MAX = 256;
const CONFIGS_MAX = 256;

/** Knows what a schema is, and keeps none. */
const judge = new Ajv({ strict: false });
/** For each schema one of its own, that goes with it. References stay calls: 50 KB would unfold to gigabytes. */
const COMPILING: Options = {
  allErrors: false,
  strict: false,
  verbose: true,
  inlineRefs: false,
  // "constructor" is a key as any other.
  ownProperties: true,
  meta: false,
  validateSchema: false,
};

const compiled = new Map<string, PluginSchema>();

/**
 * Compiles the schema of a plugin, which may be anybody's: patterns that backtrack without end and references
 * that unfold without end cost their time once, and nobody else's pods. Throws Error where it is none.
 */
export function compilePluginSchema(schemaJson: string): PluginSchema {
  const known = compiled.get(schemaJson);
  if (known) return known;
  const schema = JSON.parse(schemaJson) as object;
  const validate = runWithin(LIMITS.pluginSchemaMs, () => {
    // Never a promise: none of its own schemas is asynchronous.
    void judge.validateSchema(schema, true);
    return new Ajv(COMPILING).compile(schema);
  });
  const checked = checkedBy(validate);
  if (compiled.size >= SCHEMAS_MAX) compiled.clear();
  compiled.set(schemaJson, checked);
  return checked;
}

function checkedBy(validate: ValidateFunction): PluginSchema {
  /** The same comes with every ADD. */
  const good = new Set<string>();
  let failures = 0;
  const run = (configJson: string): boolean => {
    const config: unknown = JSON.parse(configJson);
    try {
      return runWithin(LIMITS.pluginSchemaMs, () => validate(config));
    } catch (cause) {
      failures++;
      throw unusable(cause);
    }
  };
  return {
    findError(configJson) {
      if (good.has(configJson)) return undefined;
      if (failures >= LIMITS.pluginDeadlinesMax) throw unusable("it did so before");
      if (!run(configJson)) return validate.errors?.[0];
      if (good.size >= CONFIGS_MAX) good.clear();
      good.add(configJson);
      return undefined;
    },
  };
}

function unusable(cause: unknown): PatchbayError {
  const what = "The schema of the network's plugin cannot check this configuration";
  return new PatchbayError("PLUGIN_UNAVAILABLE", what, { cause });
}

let bounded: { readonly context: { work?: () => unknown }; readonly script: Script } | undefined;

/** Runs what may not end; the engine stops it then, within regular expressions as well. Throws what it throws. */
function runWithin<Result>(limitMs: number, work: () => Result): Result {
  bounded ??= {
    context: createContext(Object.create(null) as object),
    script: new Script("work()"),
  };
  const { context, script } = bounded;
  context.work = work;
  try {
    return script.runInContext(context, { timeout: limitMs }) as Result;
  } catch (error) {
    // The engine's own word for it is an object of the other context.
    const { code } = error as { readonly code?: unknown };
    if (code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    // oxlint-disable-next-line preserve-caught-error -- it says no more than its code
    throw new Error(`It took longer than ${limitMs} ms`);
  } finally {
    delete context.work;
  }
}
