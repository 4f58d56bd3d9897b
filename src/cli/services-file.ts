import type { ApplyServicesRequest } from "../rpc/generated/patchbay/host/v1/ApplyServicesRequest.ts";
import { CliError, EXIT, messageOf } from "./failure.ts";

type FieldType = "string" | "uint32" | "bool" | "EndpointState" | MessageName;
type MessageName =
  | "ApplyServicesRequest"
  | "EndpointGroup"
  | "Endpoint"
  | "EndpointPort"
  | "Frontend";

interface Field {
  readonly type: FieldType;
  readonly isList: boolean;
}

const one = (type: FieldType): Field => ({ type, isList: false });
const listOf = (type: FieldType): Field => ({ type, isList: true });

/**
 * Messages of proto/patchbay/host/v1/host.proto by the names that stand there; a test holds them
 * equal. protobufjs would drop a field that it does not know, and turn "80" into a number: a file
 * that somebody wrote must not be half understood.
 */
export const messages: Readonly<Record<MessageName, Readonly<Record<string, Field>>>> = {
  ApplyServicesRequest: {
    source: one("string"),
    replace: one("bool"),
    put_groups: listOf("EndpointGroup"),
    remove_groups: listOf("string"),
    put_frontends: listOf("Frontend"),
    remove_frontends: listOf("string"),
  },
  EndpointGroup: { id: one("string"), endpoints: listOf("Endpoint") },
  Endpoint: {
    address: one("string"),
    ports: listOf("EndpointPort"),
    node: one("string"),
    zone: one("string"),
    state: one("EndpointState"),
    weight: one("uint32"),
    pod: one("string"),
  },
  EndpointPort: { name: one("string"), protocol: one("string"), port: one("uint32") },
  Frontend: {
    id: one("string"),
    kind: one("string"),
    address: one("string"),
    family: one("uint32"),
    protocol: one("string"),
    port: one("uint32"),
    group: one("string"),
    port_name: one("string"),
    internal_local: one("bool"),
    external_local: one("bool"),
    affinity_seconds: one("uint32"),
    source_ranges: listOf("string"),
    pick: one("string"),
    topology_keys: listOf("string"),
    count_connections: one("bool"),
  },
};

export const endpointStates: readonly string[] = [
  "ENDPOINT_STATE_READY",
  "ENDPOINT_STATE_SERVING_TERMINATING",
  "ENDPOINT_STATE_NOT_READY",
];

/**
 * Parses the JSON of one ApplyServicesRequest, field names as in the proto or in camelCase. Throws
 * CliError that names file and field. Addresses, kinds and ports are the host's to judge.
 */
export function parseServicesFile(text: string, file: string): ApplyServicesRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const hint = /^kind:/m.test(text) ? kubernetesHint : messageOf(cause);
    throw new CliError(`${file} is not JSON: ${hint}`, EXIT.failure, { cause });
  }
  if (isKubernetes(json)) {
    throw new CliError(`${file} is no ApplyServicesRequest: ${kubernetesHint}`);
  }
  const at = { file, path: "" };
  return readMessage(json, "ApplyServicesRequest", at);
}

const kubernetesHint = "Kubernetes objects go into the folder of `patchbay host --manifests DIR`";

function isKubernetes(json: unknown): boolean {
  return typeof json === "object" && json !== null && "kind" in json && "apiVersion" in json;
}

interface Place {
  readonly file: string;
  /** "put_groups[0].id"; empty for the whole. */
  readonly path: string;
}

function readMessage(value: unknown, name: MessageName, at: Place): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(at, `must be an object (${name})`);
  }
  const fields = messages[name];
  const message: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const snake = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const field = Object.hasOwn(fields, snake) ? fields[snake] : undefined;
    const below = { ...at, path: at.path === "" ? key : `${at.path}.${key}` };
    if (!field) throw wrong(below, `is no field of ${name}: ${Object.keys(fields).join(", ")}`);
    const camel = snake.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (Object.hasOwn(message, camel)) throw wrong(below, "is there twice");
    message[camel] = readField(item, field, below);
  }
  return message;
}

function readField(value: unknown, { type, isList }: Field, at: Place): unknown {
  if (!isList) return readValue(value, type, at);
  if (!Array.isArray(value)) throw wrong(at, "must be a list");
  return value.map((item, index) => readValue(item, type, { ...at, path: `${at.path}[${index}]` }));
}

function readValue(value: unknown, type: FieldType, at: Place): unknown {
  switch (type) {
    case "string":
      if (typeof value === "string") return value;
      throw wrong(at, "must be a string");
    case "bool":
      if (typeof value === "boolean") return value;
      throw wrong(at, "must be true or false");
    case "uint32":
      if (Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32) return value;
      throw wrong(at, "must be a whole number, 0 or more");
    case "EndpointState":
      if (typeof value === "string" && endpointStates.includes(value)) return value;
      throw wrong(at, `must be one of ${endpointStates.join(", ")}`);
    case "ApplyServicesRequest":
    case "EndpointGroup":
    case "Endpoint":
    case "EndpointPort":
    case "Frontend":
      return readMessage(value, type, at);
  }
}

function wrong({ file, path }: Place, what: string): CliError {
  return new CliError(`${file}: ${path === "" ? "It" : path} ${what}`);
}
