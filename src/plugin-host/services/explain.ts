import { type Family, formatAddress, parseAddress, parsePrefix } from "../../ip/address.ts";
import type { ExplainRequest__Output } from "../../rpc/generated/patchbay/host/v1/ExplainRequest.ts";
import type { ExplainResponse } from "../../rpc/generated/patchbay/host/v1/ExplainResponse.ts";
import type { AddressText, FrontendKey, Protocol } from "../../services/model.ts";
import type { PlannedEndpoint, Route } from "../../services/plan-types.ts";
import type { HeldFrontend, HeldRoute } from "../../services/service-plane.ts";
import type { EndpointState, Question } from "../../services/table-types.ts";
import type { Admission } from "../core/admission.ts";
import type { AttachmentRecord } from "../core/attachment.ts";
import { describePod } from "../core/detach.ts";
import { withDeadline } from "../core/deadline.ts";
import type { Clock } from "../core/ports.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServicesCore } from "./services-core.ts";
import { toEndpointView } from "./services-view.ts";

export interface ExplainPorts {
  readonly core: ServicesCore;
  readonly clock: Clock;
  readonly attachments: () => Iterable<AttachmentRecord>;
  /** Bounds how many are answered at a time: each holds every endpoint, its own and the kernel's. */
  readonly admission: Admission;
}

/** What becomes of a packet, by the model, and whether the kernel agrees. Throws PatchbayError. */
export function explain(
  ports: ExplainPorts,
  request: ExplainRequest__Output,
): Promise<ExplainResponse> {
  return ports.admission.run(() => answer(ports, request));
}

async function answer(
  ports: ExplainPorts,
  request: ExplainRequest__Output,
): Promise<ExplainResponse> {
  const { core } = ports;
  // What was given a moment ago counts.
  await core.taken();
  const question = parseQuestion(ports, request);
  const pod = findPod(ports, question);
  const source = pod ? { ...question.source, networks: pod.networks } : question.source;
  const explanation = core.table.explain({ ...question, source });
  // What the host's own proxy does stands in no kernel.
  const isProxied = /^(?:127\.|::1\|)/.test(explanation.key);
  const inside = pod ? core.troubleInside(explanation.key, pod.netnsIdentity) : "";
  const held = isProxied ? unchecked : await readKernel(ports, explanation.key);
  const insideDifferences = inside === "" ? [] : [`The pod's own namespace: ${inside}`];
  return {
    verdict: explanation.verdict,
    endpoints: explanation.endpoints.map(toEndpointView),
    masquerade: explanation.masquerade,
    masqueradeReason: explanation.masqueradeReason,
    service: explanation.service
      ? `${explanation.service}:${explanation.portName || portOf(explanation.key)}`
      : "",
    frontendKind: explanation.frontendKind ?? "",
    sourceKind: explanation.sourceKind,
    sourceReason: explanation.sourceReason,
    rule: explanation.rule,
    ruleText: explanation.ruleText,
    unused: explanation.unused.map(
      ({ endpoint, reason }) => `${describeSocket(endpoint)}: ${reason}`,
    ),
    affinitySeconds: explanation.affinitySeconds,
    pick: explanation.verdict === "forward" ? explanation.pick : "",
    shadowed: [...explanation.shadowed],
    ...held,
    kernelDifferences: [...(held.kernelDifferences ?? []), ...insideDifferences],
  };
}

const unchecked = { kernelChecked: false, kernelDifferences: [] };

function describeSocket({ address, port }: EndpointState): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function portOf(key: FrontendKey): string {
  return key.slice(key.lastIndexOf("|") + 1);
}

function parseQuestion(ports: ExplainPorts, request: ExplainRequest__Output): Question {
  const { address, port, protocol } = request;
  const destination = tryAddress(address);
  if (!destination) throw invalid("address", address, "an IP address");
  if (port < 1 || port > 65_535) {
    throw new PatchbayError("INVALID_SERVICES", `port is ${port}, expected 1 to 65535`);
  }
  return {
    source: parseSource(ports, request.from, destination.family),
    address: destination.text,
    port,
    protocol: parseProtocol(protocol),
  };
}

function parseProtocol(text: string): Protocol {
  const upper = text.toUpperCase();
  if (upper === "") return "TCP";
  if (upper === "TCP" || upper === "UDP" || upper === "SCTP") return upper;
  throw invalid("protocol", text, "TCP, UDP or SCTP");
}

function parseSource(ports: ExplainPorts, from: string, family: Family): Question["source"] {
  if (from === "node") return { kind: "node" };
  const address = tryAddress(from);
  if (address) {
    if (address.family === family) return { kind: "address", address: address.text };
    throw invalid("from", from, `an IPv${family} address, as the destination is one`);
  }
  if (!from.includes("/")) throw invalid("from", from, '"node", an IP address or "namespace/pod"');
  const records = [...ports.attachments()].filter(
    (record) => record.state.kind === "attached" && describePod(record) === from,
  );
  if (records.length === 0) {
    throw new PatchbayError("NOT_ATTACHED", `Pod ${JSON.stringify(from)} has no attachment here`);
  }
  const own = records.flatMap(addressesOf).find((candidate) => candidate.family === family);
  if (own) return { kind: "address", address: own.text };
  throw new PatchbayError(
    "NOT_ATTACHED",
    `Pod ${JSON.stringify(from)} has no IPv${family} address`,
  );
}

/** The pod that dials, where it is one of this node's. */
function findPod(
  ports: ExplainPorts,
  { source }: Question,
): { readonly networks: readonly string[]; readonly netnsIdentity: string } | undefined {
  if (source.kind === "node") return undefined;
  const attached = [...ports.attachments()].filter(({ state }) => state.kind === "attached");
  const holder = attached.find((record) =>
    addressesOf(record).some(({ text }) => text === source.address),
  );
  if (holder === undefined) return undefined;
  const { primaryId, netnsIdentity } = holder;
  const own = attached.filter((record) => record.primaryId === primaryId);
  return { networks: own.map(({ network }) => network), netnsIdentity };
}

function addressesOf(record: AttachmentRecord): { family: Family; text: AddressText }[] {
  const { addresses } = record.state.kind === "attached" ? record.state.response : record.request;
  return addresses.map(({ address }) => {
    const { family, value } = parsePrefix(address);
    return { family, text: formatAddress({ family, value }) as AddressText };
  });
}

function tryAddress(text: string): { family: Family; text: AddressText } | undefined {
  try {
    const address = parseAddress(text);
    return { family: address.family, text: formatAddress(address) as AddressText };
  } catch {
    return undefined;
  }
}

/** Asked only where the plane should hold what the model says: in between, differences mean nothing. */
async function readKernel(
  { core, clock }: ExplainPorts,
  key: FrontendKey,
): Promise<Pick<ExplainResponse, "kernelChecked" | "kernelDifferences">> {
  await core.waitProgrammed({ timeoutMs: LIMITS.planeReadMs }).catch(() => {});
  const plane = core.settledPlane;
  if (!plane) return unchecked;
  const { revision } = core;
  try {
    const what = `Reading ${key}`;
    const held = await withDeadline(plane.held(key), { clock, limitMs: LIMITS.planeReadMs, what });
    if (core.revision !== revision || core.settledPlane !== plane) return unchecked;
    return { kernelChecked: true, kernelDifferences: differencesOf(core, key, held) };
  } catch (error) {
    return {
      ...unchecked,
      kernelDifferences: [`The kernel cannot be read: ${formatErrorChain(error)}`],
    };
  }
}

function differencesOf(
  core: ServicesCore,
  key: FrontendKey,
  held: HeldFrontend | undefined,
): string[] {
  const { table } = core;
  const planned = table.planned(key);
  if (!planned && !held) return [];
  if (!planned) return [`The kernel holds ${key}, which no Service has`];
  if (!held) {
    const refused = core.refusalOf(key);
    return [`The kernel does not hold ${key}${refused === "" ? "" : `: ${refused}`}`];
  }
  const toHeld = (route: Route): HeldRoute =>
    route.kind === "list"
      ? { kind: "list", endpoints: table.list(route.list)?.endpoints ?? [] }
      : route;
  const sides = { inside: "pods", outside: "everybody else" } as const;
  return (["inside", "outside"] as const).flatMap((side) =>
    compareRoutes(toHeld(planned[side]), held[side], sides[side]),
  );
}

function compareRoutes(planned: HeldRoute, held: HeldRoute, who: string): string[] {
  if (planned.kind !== "list" || held.kind !== "list") {
    if (planned.kind === held.kind) return [];
    return [`For ${who} the kernel says ${verdictOf(held)}, expected ${verdictOf(planned)}`];
  }
  const wanted = weightsOf(planned.endpoints);
  const found = weightsOf(held.endpoints);
  const missing = [...wanted.keys()].filter((endpoint) => !found.has(endpoint));
  const extra = [...found.keys()].filter((endpoint) => !wanted.has(endpoint));
  const wrong = [...wanted].filter(([endpoint, share]) => isWrong(found.get(endpoint), share));
  return [
    ...missing.map((endpoint) => `For ${who} the kernel lacks endpoint ${endpoint}`),
    ...extra.map((endpoint) => `For ${who} the kernel has endpoint ${endpoint}, which is not used`),
    ...(missing.length + extra.length > 0 ? [] : wrong).map(
      ([endpoint, share]) =>
        `For ${who} the kernel gives ${endpoint} ${percent(found.get(endpoint))} of connections, expected ${percent(share)}`,
    ),
  ];
}

/** Share of connections of each endpoint, 0 to 1. */
function weightsOf(endpoints: readonly PlannedEndpoint[]): Map<string, number> {
  const total = endpoints.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(
    endpoints.map(({ address, port, weight }) => [`${address}|${port}`, weight / total]),
  );
}

/** A plane may write weights 2:4 as 1:2, and a table of consistent hashing holds shares only nearly. */
function isWrong(found: number | undefined, wanted: number): boolean {
  return found !== undefined && Math.abs(found - wanted) > Math.max(0.01, wanted * 0.1);
}

function percent(share: number | undefined): string {
  return `${((share ?? 0) * 100).toFixed(1)} %`;
}

function verdictOf(route: HeldRoute): string {
  return route.kind === "list" ? "forward" : route.kind;
}

function invalid(field: string, value: string, expected: string): PatchbayError {
  const shown = JSON.stringify(value.slice(0, 80));
  return new PatchbayError("INVALID_SERVICES", `${field} is ${shown}, expected ${expected}`);
}
