import { ApiError } from "./api.ts";
import type { FakeObject } from "./fake-selectors.ts";

export function eventLine(type: string, object: unknown): string {
  return JSON.stringify({ type, object });
}

export function errorLine(error: ApiError): string {
  const { message, reason, status: code } = error;
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
  return eventLine("ERROR", { ...status, message, reason, code });
}

export function expired(message: string): ApiError {
  return new ApiError(message, { status: 410, reason: "Expired" });
}

export function tooLarge(asked: string, current: string): ApiError {
  return new ApiError(`Timeout: Too large resource version: ${asked}, current: ${current}`, {
    status: 504,
    reason: "Timeout",
    retryAfterMs: 1000,
  });
}

export function notFound(message: string): ApiError {
  return new ApiError(message, { status: 404, reason: "NotFound" });
}

export function invalid(message: string): ApiError {
  return new ApiError(message, { status: 422, reason: "Invalid" });
}

export function isPartial(accept: string | undefined): boolean {
  return accept?.includes("as=PartialObjectMetadata") ?? false;
}

export function toPartial({ metadata }: FakeObject): FakeObject {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}

/** Items of lists of built-in kinds come without their kind. */
export function toItem(object: FakeObject): FakeObject {
  if (object.apiVersion?.includes(".cncf.io/")) return object;
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}
