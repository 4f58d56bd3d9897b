import type { DefinitionEntry, NetworkDefinitions } from "../core/ports.ts";
import { type NetworkDefinition, networkNameOf } from "./network-definition.ts";

/** Definitions that a test puts in. */
export class FakeDefinitions implements NetworkDefinitions {
  readonly definitions = new Map<string, NetworkDefinition>();
  /** "namespace/name" */
  readonly claims = new Set<string>();
  isComplete = true;
  problems: readonly string[] = [];

  put(definition: NetworkDefinition): void {
    this.definitions.set(networkNameOf(definition), definition);
  }

  find(namespace: string, name: string): NetworkDefinition | undefined {
    return this.definitions.get(`${namespace}/${name}`);
  }

  list(): readonly DefinitionEntry[] {
    return [...this.definitions.values()].map((definition) => ({
      namespace: definition.namespace,
      name: definition.name,
      place: "",
      definition,
      problem: "",
    }));
  }

  hasClaim(namespace: string, name: string): boolean {
    return this.claims.has(`${namespace}/${name}`);
  }
}
