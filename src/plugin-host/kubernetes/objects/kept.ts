import type { Node, ObjectKey } from "../../../services/objects.ts";
import type { ManifestObject } from "../../manifests/manifest-object.ts";
import type { SourceProblem } from "../../manifests/object-source.ts";
import type { OwnNode, OwnPod } from "../view.ts";

/**
 * What the host keeps of one object of the API server: plain data, the same after it was written as
 * JSON and read again.
 */
export type Kept =
  | { readonly kind: "object"; readonly key: ObjectKey; readonly object: ManifestObject }
  /** For Services it is a Node like the others. */
  | {
      readonly kind: "own-node";
      readonly key: ObjectKey;
      readonly object: Node;
      readonly node: OwnNode;
    }
  | { readonly kind: "own-pod"; readonly key: ObjectKey; readonly pod: OwnPod };

/** An object that cannot be read: what was known of it before stays in force. */
export interface Unreadable {
  readonly kind: "unreadable";
  /** undefined: it does not even say which one it is. */
  readonly key: ObjectKey | undefined;
  readonly problem: SourceProblem;
}
