import { formatAddress, type IpAddress } from "../../../ip/address.ts";
import type { Flow } from "../../../kernel/conntrack.ts";
import { type AddressText, type FrontendKey, frontendKey } from "../../../services/model.ts";

/** A frontend whose flows are looked at. */
export interface FlowFrontend {
  readonly key: FrontendKey;
  readonly port: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Which flows lead nowhere (services.md 3.6): those whose original destination is one of the
 * frontends and whose answers come from none of its serving endpoints. A flow that no rule
 * translated is one of them: its answers come from the frontend's own address, and as long as it
 * lives no rule will. Whether an endpoint is local, or ready, does not matter: what serves still
 * answers. `findServing` gives a frontend's endpoints as "10.1.0.5|8080"
 * (ServiceTable.servingEndpoints()), undefined for one that is gone. Pure.
 */
export function staleFlows(
  flows: readonly Flow[],
  frontends: readonly FlowFrontend[],
  findServing: (key: FrontendKey) => ReadonlySet<string> | undefined,
): Flow[] {
  return flows.filter(staleTest(frontends, findServing));
}

/**
 * The same for flows that come piece by piece. Asks once for each frontend that has a flow. Most
 * flows are no Service's, and those that are go to few places: the text of an address is made once.
 */
export function staleTest(
  frontends: readonly FlowFrontend[],
  findServing: (key: FrontendKey) => ReadonlySet<string> | undefined,
): (flow: Flow) => boolean {
  const keys = new Set(frontends.map(({ key }) => key));
  const ports = new Set(frontends.map(({ port }) => port));
  const texts = { 4: new Map<bigint, AddressText>(), 6: new Map<bigint, AddressText>() };
  const textOf = (address: IpAddress): AddressText => {
    const known = texts[address.family].get(address.value);
    if (known !== undefined) return known;
    const text = formatAddress(address) as AddressText;
    texts[address.family].set(address.value, text);
    return text;
  };
  const served = new Map<FrontendKey, ReadonlySet<string>>();
  return ({ protocol, original, reply }) => {
    const port = original.destinationPort;
    if (!ports.has(port)) return false;
    const key = frontendKey(textOf(original.destination), { protocol, port });
    if (!keys.has(key)) return false;
    const serving = served.get(key) ?? findServing(key) ?? NOBODY;
    served.set(key, serving);
    return !serving.has(`${textOf(reply.source)}|${reply.sourcePort}`);
  };
}
