/**
 * When a bearer token ends, ms since 1970, as it says itself (RFC 7519 section 4.1.4: exp); undefined: it
 * does not say so, or is none. Nothing is verified.
 */
export function findTokenEnd(token: string): number | undefined {
  const [, payload = ""] = token.split(".");
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as unknown;
    const seconds = (claims as { exp?: unknown } | null)?.exp;
    const endMs = typeof seconds === "number" ? seconds * 1_000 : Number.NaN;
    return Math.abs(endMs) <= LAST_DATE_MS ? endMs : undefined;
  } catch {
    return undefined;
  }
}

/** ECMA-262, "Time Values and Time Range". */
const LAST_DATE_MS = 8.64e15;
