import { ApiError, type ApiRequest } from "../api.ts";

/** What is written: a label of metrics, and what is told of a failure. */
export type WriteKind = "network-status" | "event" | "node-condition";

/** One request, with what it is about. */
export interface Write {
  /** At most one write of a key is under way. */
  readonly key: string;
  /** "default/web": for people. */
  readonly subject: string;
  readonly request: ApiRequest;
}

/**
 * - written
 * - gone: the object is not there any more, which is as good
 * - conflict: somebody wrote in between, or another object has the name by now
 * - refused: the server will not have it, however often it is asked
 * - denied: RBAC, or the credentials
 * - away: no answer, or not now
 */
export type WriteOutcome = "written" | "gone" | "conflict" | "refused" | "denied" | "away";

/** What kind of failure it is: only that decides what happens next. */
export function outcomeOf(error: unknown): Exclude<WriteOutcome, "written"> {
  if (!(error instanceof ApiError)) return "away";
  const { status, message } = error;
  if (status === 404) return "gone";
  if (status === 409 || isOtherUid(error)) return "conflict";
  if (status === 401) return "denied";
  if (status === 403) return isAboutRights(message) ? "denied" : "refused";
  if (status === 0 || status === 408 || status === 429 || status >= 500) return "away";
  return "refused";
}

/** A write under a uid that the object of this name does not have: validation of ObjectMeta, as of 1.36. */
function isOtherUid({ status, message }: ApiError): boolean {
  return status === 422 && /metadata\.uid: .*immutable/s.test(message);
}

/**
 * `User "x" cannot patch resource "pods/status" in API group ""` (apiserver, ForbiddenMessage). Quotas, namespaces
 * that are going and admission plugins forbid as well: that is about one object, not about rights.
 */
function isAboutRights(message: string): boolean {
  return /cannot \S+ resource/.test(message);
}
