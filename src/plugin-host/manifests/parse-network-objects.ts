import type { ObjectMeta } from "../../services/objects.ts";
import { mappingIn, type Place, required, type TextRule, textIn } from "./fields.ts";
import type { IpamClaim, NetworkAttachmentDefinition } from "./manifest-object.ts";
import { SHORT_TEXT } from "./rules.ts";

/** Characters of spec.config; the host's own bound is in bytes, and tells of the one definition alone. */
const CONFIG_CHARACTERS_MAX = 1 << 20;

const CONFIG_TEXT: TextRule = {
  expected: `a CNI configuration as text of at most ${CONFIG_CHARACTERS_MAX} characters`,
  test: (text) => text.length <= CONFIG_CHARACTERS_MAX,
};

/** What the text holds is read by whoever uses it, so that a mistake in it harms one network. Throws FieldError. */
export function parseNetworkAttachmentDefinition(
  place: Place,
  metadata: ObjectMeta,
): NetworkAttachmentDefinition {
  const spec = mappingIn(place, "spec");
  const config = (spec && textIn(spec, "config", CONFIG_TEXT)) ?? "";
  return { kind: "NetworkAttachmentDefinition", metadata, spec: { config }, place: "" };
}

/** Throws FieldError. */
export function parseIpamClaim(place: Place, metadata: ObjectMeta): IpamClaim {
  const spec = required(mappingIn(place, "spec"), place, { key: "spec", expected: "a mapping" });
  const read = (key: string, expected: string): string =>
    required(textIn(spec, key, SHORT_TEXT), spec, { key, expected });
  return {
    kind: "IPAMClaim",
    metadata,
    spec: {
      network: read("network", "the name of a network"),
      interface: read("interface", "the name of an interface"),
    },
  };
}
