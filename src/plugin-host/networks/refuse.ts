import { PatchbayError } from "../errors.ts";
import { FieldError } from "../manifests/fields.ts";

/** INVALID_NETWORK_CONFIG, which says where and why. */
export function refusal(where: string, why: string, options?: ErrorOptions): PatchbayError {
  return new PatchbayError("INVALID_NETWORK_CONFIG", `${where} ${why}`, options);
}

/** Reads; what is wrong with a field is told with where the fields stand before it. */
export function readFields<Result>(where: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FieldError)) throw cause;
    throw new PatchbayError("INVALID_NETWORK_CONFIG", `${where}${cause.message}`);
  }
}

/** A value that a person wrote, in few words. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length <= 80 ? quoted : `${quoted.slice(0, 77)}...`;
}
