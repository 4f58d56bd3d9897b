import type { MetaOf, Pod } from "../../services/objects.ts";
import { networkStatusAnnotation } from "../../services/pod-networks.ts";
import { mappingIn, type Place, textIn } from "./fields.ts";
import { DNS_SUBDOMAIN } from "./rules.ts";

/** Of a pod the node that it is on and what networks it has: all else is dropped here. Throws FieldError. */
export function parsePod(place: Place, metadata: MetaOf<"Pod">): Pod {
  const { name, namespace, uid, resourceVersion, annotations } = metadata;
  const status = annotations?.[networkStatusAnnotation];
  const spec = mappingIn(place, "spec");
  const nodeName = spec && textIn(spec, "nodeName", DNS_SUBDOMAIN);
  return {
    kind: "Pod",
    metadata: {
      name,
      namespace,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(status !== undefined && { annotations: { [networkStatusAnnotation]: status } }),
    },
    ...(nodeName && { spec: { nodeName } }),
  };
}
