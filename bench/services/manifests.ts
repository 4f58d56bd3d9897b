import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EndpointSlice, Service } from "../../src/services/objects.ts";
import {
  clusterObjects,
  type SampleService,
  serviceObject,
  sliceObject,
} from "./sample-services.ts";

export type Format = "json" | "yaml";

const SERVICES_A_FILE = 500;

/** Endpoints of one slice, as the controller fills it. */
const SLICE_ENDPOINTS = 100;

/** Writes a node, the Service range and Services with their slices into a folder: 500 Services a file. */
export function writeManifests(
  folder: string,
  options: { readonly services: readonly SampleService[]; readonly format: Format },
): void {
  mkdirSync(folder, { recursive: true });
  const { services, format } = options;
  writeFileSync(join(folder, `cluster.${format}`), formatObjects(clusterObjects(), format));
  for (let from = 0; from < services.length; from += SERVICES_A_FILE) {
    const objects = services.slice(from, from + SERVICES_A_FILE).flatMap(objectsOf);
    const name = `services-${String(from / SERVICES_A_FILE).padStart(3, "0")}.${format}`;
    writeFileSync(join(folder, name), formatObjects(objects, format));
  }
}

export function formatObjects(objects: readonly object[], format: Format): string {
  if (format === "yaml") return objects.map((object) => `---\n${toYaml(object, "")}`).join("");
  return `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }, null, 1)}\n`;
}

function objectsOf(service: SampleService): (Service | EndpointSlice)[] {
  const objects: (Service | EndpointSlice)[] = [serviceObject(service)];
  for (let from = 0; from < service.endpoints.length; from += SLICE_ENDPOINTS) {
    const endpoints = service.endpoints.slice(from, from + SLICE_ENDPOINTS);
    objects.push(sliceObject(service.name, { endpoints, number: from / SLICE_ENDPOINTS }));
  }
  return objects;
}

/** As kubectl prints it: block style, lists not indented. Values here need no quotes, or are numbers and booleans. */
function toYaml(value: object, indent: string): string {
  const isList = Array.isArray(value);
  let text = "";
  for (const [key, child] of Object.entries(value)) {
    const lead = isList ? "-" : `${key}:`;
    if (typeof child !== "object" || child === null) {
      text += `${indent}${lead} ${String(child)}\n`;
    } else if (isList) {
      text += `${indent}- ${toYaml(child, `${indent}  `).trimStart()}`;
    } else {
      text += `${indent}${lead}\n${toYaml(child, Array.isArray(child) ? indent : `${indent}  `)}`;
    }
  }
  return text;
}
