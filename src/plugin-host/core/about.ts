import type { PodIdentity } from "../../rpc/generated/patchbay/plugin/v1/PodIdentity.ts";
import { formatErrorChain } from "../errors.ts";
import type { AboutObject } from "./ports.ts";

/** What people who look at the pod are told of its failure; nothing where the runtime did not say who it is. */
export function aboutPod(
  pod: PodIdentity | null | undefined,
  error: unknown,
): { readonly about?: AboutObject } {
  const { namespace = "", name = "", uid = "" } = pod ?? {};
  if (namespace === "" || name === "") return {};
  return { about: { kind: "Pod", namespace, name, uid, sentence: formatErrorChain(error) } };
}
