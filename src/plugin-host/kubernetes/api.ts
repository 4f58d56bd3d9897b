/**
 * The API server, as far as Patchbay needs it. http2-api.ts is the real one; fake-api.ts answers from
 * memory, and fails as told.
 */
export interface KubernetesApi extends AsyncDisposable {
  /** "https://10.0.0.1:6443": the server that answers now, or was tried last. */
  readonly server: string;
  /** Of the token that the next request shows; undefined: there is none, or it does not say. */
  readTokenLife?(): Promise<TokenLife | undefined>;
  /** One request with one answer. Throws ApiError. */
  request(request: ApiRequest): Promise<unknown>;
  /**
   * A stream of JSON lines: the complete ones of each chunk, as they arrive. The first part is empty: the
   * server has accepted (status 200) and may have nothing to tell yet. Ends when the server ends it.
   * Throws ApiError: no connection, refused, broken off, or silent for too long.
   */
  stream(request: StreamRequest): AsyncIterable<readonly string[]>;
}

/** Wall times, ms since 1970. */
export interface TokenLife {
  readonly begunMs: number;
  readonly endMs: number;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH";
  /** "/api/v1/namespaces/default/pods/web/status": its parts are already escaped. */
  readonly path: string;
  readonly query?: ApiQuery;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body. Default application/json. */
  readonly contentType?: "application/json" | PatchType;
  /** Default application/json. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export type PatchType =
  | "application/merge-patch+json"
  | "application/strategic-merge-patch+json"
  | "application/apply-patch+yaml";

export interface StreamRequest {
  readonly path: string;
  readonly query: ApiQuery;
  readonly accept?: string;
  readonly signal: AbortSignal;
}

/** Absent and undefined ones are left out. */
export type ApiQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** What came instead of an answer. */
export class ApiError extends Error {
  /** HTTP status; 0: there was no answer (no connection, broken off, too late). */
  readonly status: number;
  /** metav1.Status reason: "Expired", "Forbidden", "Conflict"; "" where there is none. */
  readonly reason: string;
  /** The server asks not to come again sooner, ms; 0: it does not. */
  readonly retryAfterMs: number;

  constructor(
    message: string,
    options: {
      readonly status?: number;
      readonly reason?: string;
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "ApiError";
    this.status = options.status ?? 0;
    this.reason = options.reason ?? "";
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}
