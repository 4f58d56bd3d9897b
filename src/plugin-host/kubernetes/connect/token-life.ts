import type { TokenLife } from "../api.ts";

/**
 * How long a bearer token lives by its own words (RFC 7519 section 4.1: iat, exp); undefined: it does not
 * say so, or is none. Nothing is verified.
 */
export function findTokenLife(token: string): TokenLife | undefined {
  const [, payload = ""] = token.split(".");
  try {
    const text = Buffer.from(payload, "base64url").toString("utf8");
    const claims = JSON.parse(text) as { iat?: unknown; exp?: unknown } | null;
    const begunMs = timeOf(claims?.iat);
    const endMs = timeOf(claims?.exp);
    return begunMs === undefined || endMs === undefined ? undefined : { begunMs, endMs };
  } catch {
    return undefined;
  }
}

/** ECMA-262, "Time Values and Time Range". */
const LAST_DATE_MS = 8.64e15;

function timeOf(seconds: unknown): number | undefined {
  const ms = typeof seconds === "number" ? seconds * 1_000 : Number.NaN;
  return Math.abs(ms) <= LAST_DATE_MS ? ms : undefined;
}
