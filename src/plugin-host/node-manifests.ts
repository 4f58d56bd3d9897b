import type { ObjectEvent } from "../services/objects.ts";
import type { Clock } from "./core/ports.ts";
import {
  isNetworksKind,
  isServicesKey,
  isServicesObject,
  type ManifestEvent,
} from "./manifests/manifest-object.ts";
import { formatProblem, type SourceProblem } from "./manifests/object-source.ts";
import type { Definitions } from "./networks/definitions.ts";

/** Hears of objects of Services alone. */
export interface ServicesListener {
  onEvents(source: string, events: readonly ObjectEvent[]): void;
  /** All problems of the source, whatever they are about. */
  onProblems(source: string, problems: readonly SourceProblem[]): void;
}

export interface NodeManifestsDeps {
  readonly folder: string;
  readonly clock: Clock;
  readonly definitions: Definitions;
}

/** Opens the source of manifests for those who hear of them: one look at the folder for networks and Services. */
export function manifestsOpener({ folder, clock, definitions }: NodeManifestsDeps) {
  return async (services: ServicesListener): Promise<AsyncDisposable> => {
    // Loaded only where there is a folder.
    const { watchManifests } = await import("./manifests/manifest-source.ts");
    return watchManifests({
      folder,
      clock,
      listener: {
        onEvents(source, events) {
          definitions.apply(events);
          const own = events.flatMap(servicesEventOf);
          if (own.length > 0) services.onEvents(source, own);
        },
        onProblems(source, problems) {
          const own = problems.filter(({ kind }) => kind === undefined || isNetworksKind(kind));
          definitions.setProblems(own.map(formatProblem));
          services.onProblems(source, problems);
        },
      },
    });
  };
}

function servicesEventOf(event: ManifestEvent): ObjectEvent[] {
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
