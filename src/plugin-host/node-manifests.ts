import type { Clock } from "./core/ports.ts";
import { isNetworksKind } from "./manifests/manifest-object.ts";
import { formatProblem } from "./manifests/object-source.ts";
import type { Definitions } from "./networks/definitions.ts";
import { type ServicesSource, servicesEventOf } from "./services-source.ts";

export interface NodeManifestsDeps {
  readonly folder: string;
  readonly clock: Clock;
  readonly definitions: Definitions;
}

/** The folder of manifests for those who hear of it: one look at it for networks and Services. */
export function manifestsSource({ folder, clock, definitions }: NodeManifestsDeps): ServicesSource {
  const open: ServicesSource["open"] = async (services) => {
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
  return { name: "manifests", about: "the manifests", open };
}
