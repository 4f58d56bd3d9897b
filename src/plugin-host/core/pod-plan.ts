import { MAC_PATTERN, mergeRequested, parseRequested } from "../cni/network-config.ts";
import type { CniRequest } from "../cni/request.ts";
import { PatchbayError } from "../errors.ts";
import type { NetworkDefinition } from "../networks/network-definition.ts";
import {
  DEFAULT_NETWORK_ANNOTATION,
  type NetworkSelection,
  NETWORKS_ANNOTATION,
} from "../networks/network-selection.ts";
import { parseDefaultNetwork, parseNetworkSelections } from "../networks/parse-selections.ts";
import { requireVisible, type NetworkPolicy } from "../networks/visibility.ts";
import { claimIdOf } from "./attachment.ts";
import { type NetworkWish, NO_WISH } from "./network-wish.ts";
import type { NetworkDefinitions } from "./ports.ts";

type AddRequest = Extract<CniRequest, { verb: "ADD" }>;

/** What selections are resolved by. */
export interface SelectionContext {
  readonly definitions: NetworkDefinitions;
  readonly policy: NetworkPolicy;
}

/**
 * Every network of a pod, the default one first, then in the annotation's order (multi-network
 * standard 1.3, 7.1). Throws PatchbayError that names annotation, element and field.
 */
export function planPod(request: AddRequest, context: SelectionContext): readonly NetworkWish[] {
  const { annotations } = request.config;
  const podNamespace = request.args.podNamespace;
  const primary = planPrimary(request, context);
  const text = annotations[NETWORKS_ANNOTATION] ?? "";
  const selections =
    text.trim() === "" ? [] : parseNetworkSelections(text, { podNamespace, taken: request.ifname });
  const names = new Set([request.ifname, ...selections.flatMap(({ ifname }) => ifname ?? [])]);
  const extras = selections.map((selection, index) => {
    const ifname = selection.ifname ?? freeIfname(names, index + 1);
    names.add(ifname);
    return toWish(selection, { ...context, podNamespace, ifname });
  });
  return withOneDefaultRoute([primary, ...extras]);
}

/** A network for a running pod: its other attachments keep their default routes. */
export function planExtra(
  selection: NetworkSelection,
  context: SelectionContext & { readonly podNamespace: string; readonly ifname: string },
): NetworkWish {
  if (selection.defaultRoute.length === 0) return toWish(selection, context);
  throw new PatchbayError(
    "INVALID_NETWORK_CONFIG",
    `${selection.field}.default-route is given, expected nothing: a running pod keeps its default routes`,
  );
}

/** "net1", or the next one that is free. */
export function freeIfname(taken: ReadonlySet<string>, from: number): string {
  for (let number = from; ; number++) {
    if (!taken.has(`net${number}`)) return `net${number}`;
  }
}

function planPrimary(request: AddRequest, context: SelectionContext): NetworkWish {
  const { config, args, ifname } = request;
  const text = config.annotations[DEFAULT_NETWORK_ANNOTATION] ?? "";
  const chosen = text.trim() === "" ? undefined : planDefaultNetwork(text, request, context);
  const argTexts = args.ip === undefined ? [] : args.ip.split(",");
  const requested = [...config.requestedAddresses, ...parseRequested(argTexts, "CNI_ARGS IP")];
  const addresses = mergeRequested([...(chosen?.addresses ?? []), ...requested]);
  return {
    ...NO_WISH,
    config,
    ...chosen,
    ifname,
    addresses,
    addressTexts: [
      ...new Set([...(chosen?.addressTexts ?? []), ...config.requestedAddressTexts, ...argTexts]),
    ],
    mac: chosen?.mac ?? config.requestedMac ?? parseMac(args.mac),
    bandwidth: chosen?.bandwidth ?? config.requestedBandwidth,
    portMappings: [...(chosen?.portMappings ?? []), ...config.portMappings],
    defaultRoute: chosen && chosen.defaultRoute !== "none" ? chosen.defaultRoute : "network",
  };
}

/** The network that a pod takes instead of the node's default one. */
function planDefaultNetwork(
  text: string,
  request: AddRequest,
  context: SelectionContext,
): NetworkWish {
  const podNamespace = request.args.podNamespace;
  const selection = parseDefaultNetwork(text, { podNamespace });
  return toWish(selection, { ...context, podNamespace, ifname: request.ifname });
}

function toWish(
  selection: NetworkSelection,
  context: SelectionContext & { readonly podNamespace: string; readonly ifname: string },
): NetworkWish {
  const definition = requireDefinition(selection, context);
  const { config } = definition;
  return {
    ...NO_WISH,
    config,
    ifname: context.ifname,
    addresses: mergeRequested([...config.requestedAddresses, ...selection.ips]),
    addressTexts: [...new Set([...config.requestedAddressTexts, ...selection.ipTexts])],
    mac: selection.mac,
    infinibandGuid: selection.infinibandGuid ?? "",
    deviceId: selection.deviceId ?? "",
    bandwidth: selection.bandwidth,
    portMappings: selection.portMappings,
    cniArgs: selection.cniArgs,
    defaultRoute: selection.defaultRoute.length > 0 ? selection.defaultRoute : "none",
    claim: requireClaim(selection, context),
    field: selection.field,
  };
}

function requireDefinition(
  selection: NetworkSelection,
  context: SelectionContext & { readonly podNamespace: string },
): NetworkDefinition {
  const { namespace, name, field } = selection;
  const { definitions, policy, podNamespace } = context;
  requireVisible({ field, podNamespace, namespace, name }, policy);
  const definition = definitions.find(namespace, name);
  if (definition) return definition;
  const what = `${field} names network ${namespace}/${name}`;
  throw definitions.isComplete
    ? new PatchbayError("NETWORK_NOT_FOUND", `${what}, which is not defined`)
    : new PatchbayError("HOST_NOT_READY", `${what}, and the definitions are still being read`);
}

function requireClaim(
  { ipamClaim, field }: NetworkSelection,
  { definitions, podNamespace }: SelectionContext & { readonly podNamespace: string },
) {
  if (ipamClaim === undefined) return undefined;
  if (definitions.hasClaim(podNamespace, ipamClaim)) return claimIdOf(podNamespace, ipamClaim);
  throw new PatchbayError(
    definitions.isComplete ? "NETWORK_NOT_FOUND" : "HOST_NOT_READY",
    `${field}.ipam-claim-reference names IPAMClaim ${podNamespace}/${ipamClaim}, which is not there`,
  );
}

/** One attachment has the pod's default routes. The two annotations may ask for them, each for itself. */
function withOneDefaultRoute(wishes: readonly NetworkWish[]): readonly NetworkWish[] {
  const [chosen, other] = wishes.filter(({ defaultRoute }) => Array.isArray(defaultRoute));
  if (!chosen) return wishes;
  if (other) {
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      `${other.field}.default-route is given, and so is ${chosen.field}.default-route, expected one of them`,
    );
  }
  return wishes.map((wish) => (wish === chosen ? wish : { ...wish, defaultRoute: "none" }));
}

function parseMac(text: string | undefined): string | undefined {
  if (text === undefined || new RegExp(MAC_PATTERN).test(text)) return text;
  throw new PatchbayError(
    "INVALID_ENVIRONMENT",
    `CNI_ARGS MAC is ${JSON.stringify(text)}, expected six hex bytes joined by ':'`,
  );
}
