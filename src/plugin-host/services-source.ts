import type { ObjectEvent } from "../services/objects.ts";
import {
  isServicesKey,
  isServicesObject,
  type ManifestEvent,
} from "./manifests/manifest-object.ts";
import type { SourceProblem } from "./manifests/object-source.ts";

/** Where objects of Services come from. */
export interface ServicesSource {
  /** Of its events: "manifests". */
  readonly name: string;
  /** In a sentence: "the manifests". */
  readonly about: string;
  open(listener: ServicesListener): Promise<AsyncDisposable>;
}

/** Hears of objects of Services alone. */
export interface ServicesListener {
  onEvents(source: string, events: readonly ObjectEvent[]): void;
  /** All problems of the source, whatever they are about. */
  onProblems(source: string, problems: readonly SourceProblem[]): void;
}

/** What of an event is about Services; the list of everything always is. */
export function servicesEventOf(event: ManifestEvent): ObjectEvent[] {
  switch (event.kind) {
    case "put": {
      const { object } = event;
      return isServicesObject(object) ? [{ kind: "put", object }] : [];
    }
    case "delete":
      return isServicesKey(event.key) ? [event] : [];
    case "relist":
      return [{ kind: "relist", objects: event.objects.filter(isServicesObject) }];
  }
}
