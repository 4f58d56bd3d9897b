import { networkStatusAnnotation } from "../../../services/pod-networks.ts";
import type { MetaOf } from "../../../services/objects.ts";
import { mappingIn, type Place, required, textIn } from "../../manifests/fields.ts";
import { TIMESTAMP } from "../../manifests/rules.ts";
import type { OwnPod } from "../view.ts";

/** A pod of this node, of its metadata alone. Throws FieldError. */
export function parseOwnPod(place: Place, metadata: MetaOf<"Pod">): OwnPod {
  const { namespace, name, uid, annotations = {} } = metadata;
  const meta = mappingIn(place, "metadata") ?? place;
  return {
    namespace,
    name,
    uid: required(uid || undefined, meta, { key: "uid", expected: "text" }),
    staticUid: annotations["kubernetes.io/config.hash"] ?? "",
    networkStatus: annotations[networkStatusAnnotation],
    isLeaving: textIn(meta, "deletionTimestamp", TIMESTAMP) !== undefined,
  };
}
