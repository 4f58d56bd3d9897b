import { parseAddress } from "../../../ip/address.ts";
import type { Flow, FlowTuple } from "../../../kernel/conntrack.ts";
import { type AddressText, frontendKey, type Protocol } from "../../../services/model.ts";
import type { StaleFrontend } from "./flow-reconciler.ts";

/** An endpoint of a flow: "10.1.0.5|8080", "fd00::5|53". */
export type PlaceText = string;

export interface FlowFields {
  readonly client?: PlaceText;
  readonly to: PlaceText;
  /** Default: nobody translated it, the frontend's own address answers. */
  readonly by?: PlaceText;
  readonly protocol?: Protocol;
}

/** A flow from a client to a frontend that an endpoint answers; for tests. */
export function makeFlow(fields: FlowFields): Flow {
  const isIpv6 = fields.to.includes(":");
  const client = fields.client ?? (isIpv6 ? "fd01::1|40000" : "10.9.0.1|40000");
  return {
    family: isIpv6 ? 6 : 4,
    protocol: fields.protocol ?? "UDP",
    id: 1,
    original: makeTuple(client, fields.to),
    reply: makeTuple(fields.by ?? fields.to, client),
  };
}

/** A frontend as TableChanges names it; for tests. */
export function makeFrontend(place: PlaceText, protocol: Protocol = "UDP"): StaleFrontend {
  const { text, port } = split(place);
  return { key: frontendKey(text, { protocol, port }), address: text, protocol, port };
}

function makeTuple(source: PlaceText, destination: PlaceText): FlowTuple {
  const from = split(source);
  const to = split(destination);
  return {
    source: parseAddress(from.text),
    sourcePort: from.port,
    destination: parseAddress(to.text),
    destinationPort: to.port,
  };
}

function split(place: PlaceText): { text: AddressText; port: number } {
  const [text = "", port = ""] = place.split("|");
  return { text: text as AddressText, port: Number(port) };
}
