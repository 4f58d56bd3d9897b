import type { ApiError } from "./api.ts";

/** Why a resource is not followed, for people; which one is said beside it. */
export function describeTrouble({ status, message }: ApiError): string {
  if (status !== 403) return message;
  // 'nodes is forbidden: User "x" cannot list resource ...' (apiserver, endpoints/handlers/responsewriters)
  const user = /\bUser "([^"]{1,300})"/.exec(message)?.[1];
  return `${user === undefined ? "this host" : `user ${user}`} ${FORBIDDEN}`;
}

/** True of a trouble that ends with another role. */
export function isForbidden(trouble: string): boolean {
  return trouble.endsWith(FORBIDDEN);
}

const FORBIDDEN = "lacks the rights to list and watch";
