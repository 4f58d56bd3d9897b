import type { ManifestEvent } from "./manifest-object.ts";

/**
 * Where Kubernetes objects come from: a folder of manifests, the watch of an API server. A source
 * begins with a relist; before that it has said nothing, not that there is nothing.
 */
export interface ObjectSource extends AsyncDisposable {
  /** Unique among the sources of a host: "manifests". */
  readonly name: string;
  /** Tells nothing any more once it resolves. What it told stays in force. */
  close(): Promise<void>;
}

export interface ObjectListener {
  /** In order; the events of one call belong together. */
  onEvents(source: string, events: readonly ManifestEvent[]): void;
  /** All problems of the source as of now; an empty list when the last one is gone. */
  onProblems(source: string, problems: readonly SourceProblem[]): void;
}

/** Something of a source that cannot be used, or not yet. What was good before stays in force. */
export interface SourceProblem {
  /** "web.yaml:12:11", "web.yaml" or the folder: where to look. */
  readonly place: string;
  /** "spec.ports[0].port is 0, expected 1 to 65535". */
  readonly message: string;
  /** Kind of the object, or the one that was meant. Absent: it may be about any. */
  readonly kind?: string;
}

/** "web.yaml:12:11: spec.ports[0].port is 0, expected 1 to 65535". */
export function formatProblem(problem: SourceProblem): string {
  return `${problem.place}: ${problem.message}`;
}
