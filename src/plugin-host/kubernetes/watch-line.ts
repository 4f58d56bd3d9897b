import { ApiError } from "./api.ts";

/** One event of a watch (metav1.WatchEvent). */
export type WatchLine =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: unknown }
  | { readonly type: "ERROR"; readonly error: ApiError };

/** Reads a line of a watch. What is none is an ERROR. */
export function readWatchLine(text: string): WatchLine {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch (cause) {
    return { type: "ERROR", error: new ApiError("a line of the watch is no JSON", { cause }) };
  }
  const { type, object } = (line ?? {}) as { type?: unknown; object?: unknown };
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      return { type, object };
    case "ERROR":
      return { type, error: readStatus(object) };
    default: {
      const error = new ApiError(`a watch event is of type ${JSON.stringify(type)?.slice(0, 80)}`);
      return { type: "ERROR", error };
    }
  }
}

/** True for the bookmark after which everything that was there has been told (KEP-3157). */
export function initialEventsEnd(object: unknown): boolean {
  const annotations = metadataOf(object)["annotations"] as Record<string, unknown> | undefined;
  return annotations?.["k8s.io/initial-events-end"] === "true";
}

function metadataOf(object: unknown): Record<string, unknown> {
  const { metadata } = (object ?? {}) as { metadata?: unknown };
  return (typeof metadata === "object" && metadata ? metadata : {}) as Record<string, unknown>;
}

function readStatus(object: unknown): ApiError {
  const status = (object ?? {}) as { message?: unknown; code?: unknown; reason?: unknown };
  const { message, code, reason } = status;
  return new ApiError(typeof message === "string" ? message : "the watch failed", {
    ...(typeof code === "number" && { status: code }),
    ...(typeof reason === "string" && { reason }),
  });
}
