import type { Capability } from "./network-plugin.ts";

/** Same characters as a CNI network name; NAME.sock must fit a path. */
const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/;

/** semver.org, 2. */
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

const KNOWN_CAPABILITIES: Readonly<Record<Exclude<Capability, "CAPABILITY_UNSPECIFIED">, true>> = {
  CAPABILITY_ATTACH_IN_PARALLEL: true,
  CAPABILITY_REPAIR: true,
  CAPABILITY_REPAIR_NETWORK: true,
  CAPABILITY_PORT_MAPPINGS: true,
  CAPABILITY_BANDWIDTH: true,
  CAPABILITY_INFINIBAND_GUID: true,
};

const REQUIRED_CALLS = ["attach", "detach", "list"];
const OPTIONAL_CALLS = ["check", "status", "repairNetwork"];
const FIELDS = ["name", "version", "configSchema", "capabilities"];

/** Throws TypeError for what no compiler has looked at: plugins in JavaScript. */
export function checkDefinition(definition: unknown): void {
  if (!isRecord(definition)) refuse("its argument must be an object");
  const known = [...FIELDS, ...REQUIRED_CALLS, ...OPTIONAL_CALLS];
  // Methods of a class are no own keys; what they are called is their author's affair.
  const unknown = Object.keys(definition).find((key) => !known.includes(key));
  if (unknown !== undefined) refuse(`"${unknown}" is none of ${known.join(", ")}`);

  const { name, version, configSchema, capabilities = [] } = definition;
  if (typeof name !== "string" || !NAME.test(name)) {
    refuse(
      `name must be 1 to 63 letters, digits, "_", "." and "-", the first a letter or digit; it is ${show(name)}`,
    );
  }
  if (typeof version !== "string" || !VERSION.test(version)) {
    refuse(`version must be a semantic version, for example "1.0.0"; it is ${show(version)}`);
  }
  if (configSchema !== undefined) checkSchema(configSchema);
  if (!Array.isArray(capabilities)) refuse("capabilities must be an array");
  for (const capability of capabilities as unknown[]) {
    if (typeof capability !== "string" || !Object.hasOwn(KNOWN_CAPABILITIES, capability)) {
      const names = Object.keys(KNOWN_CAPABILITIES).join(", ");
      refuse(`capabilities: ${show(capability)} is none of ${names}`);
    }
  }
  for (const call of REQUIRED_CALLS) {
    if (typeof definition[call] !== "function") refuse(`${call} must be a function`);
  }
  for (const call of OPTIONAL_CALLS) {
    const handler = definition[call];
    if (handler !== undefined && typeof handler !== "function") {
      refuse(`${call} must be a function where it is there`);
    }
  }
  const requires = { CAPABILITY_REPAIR: "check", CAPABILITY_REPAIR_NETWORK: "repairNetwork" };
  for (const [capability, call] of Object.entries(requires)) {
    if ((capabilities as unknown[]).includes(capability) && definition[call] === undefined) {
      refuse(`${capability} needs ${call}()`);
    }
  }
}

function checkSchema(schema: unknown): void {
  if (!isRecord(schema) || Array.isArray(schema)) refuse("configSchema must be a JSON schema");
  try {
    JSON.stringify(schema);
  } catch (cause) {
    refuse("configSchema cannot be written as JSON", { cause });
  }
  const { type } = schema;
  if (type !== undefined && type !== "object") {
    refuse(`configSchema.type must be "object": a network's configuration is one`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value) ?? typeof value);
}

function refuse(message: string, options?: ErrorOptions): never {
  throw new TypeError(`definePlugin(): ${message}`, options);
}
