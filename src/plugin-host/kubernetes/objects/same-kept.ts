import { sameValue } from "../../manifests/same-value.ts";
import type { Kept } from "./kept.ts";

/**
 * True when nothing that is kept differs but the resourceVersion: Nodes change every few minutes,
 * and pods at each probe, in what nobody here reads.
 */
export function sameKept(left: Kept, right: Kept): boolean {
  if (left.kind === "own-pod" || right.kind === "own-pod") return sameValue(left, right);
  const { resourceVersion } = left.object.metadata;
  const dated = { ...right.object, metadata: { ...right.object.metadata, resourceVersion } };
  return sameValue(left, { ...right, object: dated });
}
