import { formatAddress, type IpAddress } from "../../../ip/address.ts";
import type { Flow } from "../../../kernel/conntrack.ts";
import { type AddressText, type FrontendKey, frontendKey } from "../../../services/model.ts";

/** A frontend whose flows are looked at. */
export interface FlowFrontend {
  readonly key: FrontendKey;
  readonly port: number;
  /** Its serving endpoints as "10.1.0.5|8080" (ServiceTable.servingEndpoints()); none for one that is gone. */
  readonly serving: ReadonlySet<string>;
}

/**
 * Which flows lead nowhere (services.md 3.6): those whose original destination is one of the
 * frontends and whose answers come from none of its serving endpoints. A flow that no rule
 * translated is one of them: its answers come from the frontend's own address, and as long as it
 * lives no rule will. Whether an endpoint is local, or ready, does not matter: what serves still
 * answers. Pure.
 */
export function staleFlows(flows: readonly Flow[], frontends: readonly FlowFrontend[]): Flow[] {
  return flows.filter(staleTest(frontends));
}

/** The same for flows that come piece by piece. */
export function staleTest(frontends: readonly FlowFrontend[]): (flow: Flow) => boolean {
  const byKey = new Map(frontends.map((frontend) => [frontend.key, frontend]));
  // Most flows are no Service's: the text of an address is only made where the port fits.
  const ports = new Set(frontends.map(({ port }) => port));
  return (flow) => {
    if (!ports.has(flow.original.destinationPort)) return false;
    const frontend = byKey.get(frontendOf(flow));
    return frontend !== undefined && !frontend.serving.has(endpointOf(flow));
  };
}

function frontendOf({ protocol, original }: Flow): FrontendKey {
  const { destination, destinationPort } = original;
  return frontendKey(textOf(destination), { protocol, port: destinationPort });
}

/** In the words of ServiceTable.servingEndpoints(). */
function endpointOf({ reply }: Flow): string {
  return `${textOf(reply.source)}|${reply.sourcePort}`;
}

function textOf(address: IpAddress): AddressText {
  return formatAddress(address) as AddressText;
}
