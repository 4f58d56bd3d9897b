import { ApiError } from "../api.ts";

/** An answer that is not 2xx. */
export interface RefusedAnswer {
  /** "GET /api/v1/pods". */
  readonly what: string;
  readonly status: number;
  /** Header Retry-After; "": none. */
  readonly retryAfter: string;
  readonly body: string;
}

const MESSAGE_CHARACTERS_MAX = 1_000;

/** What a server says by metav1.Status, or by whatever else it answers with. */
export function toApiError({ what, status, retryAfter, body }: RefusedAnswer): ApiError {
  const said = parseStatus(body);
  const text = (said.message || body.trim() || "no reason given").slice(0, MESSAGE_CHARACTERS_MAX);
  return new ApiError(`${what} was answered ${status}: ${text}`, {
    status,
    reason: said.reason,
    retryAfterMs: 1_000 * (secondsOf(said.retryAfterSeconds) || secondsOf(Number(retryAfter))),
  });
}

function parseStatus(body: string): {
  readonly message: string;
  readonly reason: string;
  readonly retryAfterSeconds: number;
} {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  const status = fieldsOf(value);
  const isStatus = status["kind"] === "Status";
  const details = fieldsOf(status["details"]);
  return {
    message: isStatus ? textOf(status["message"]) : "",
    reason: isStatus ? textOf(status["reason"]) : "",
    retryAfterSeconds: isStatus ? Number(details["retryAfterSeconds"] ?? 0) : 0,
  };
}

/** Retry-After may also be a date, which Kubernetes never sends. */
function secondsOf(seconds: number): number {
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) : 0;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
