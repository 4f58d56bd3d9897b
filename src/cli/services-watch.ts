import type { FrontendView__Output } from "../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { ServiceChange__Output } from "../rpc/generated/patchbay/host/v1/ServiceChange.ts";
import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import { type Output, sanitize } from "./output.ts";
import {
  describeAffinity,
  describeService,
  endpointsOf,
  formatFrontend,
  formatSocket,
  stateOf,
} from "./services-text.ts";

/** How many endpoints or frontends a line names before it only counts them. */
const NAMED_AT_MOST = 8;

/** Prints a line for each change, with what is different since the Service's line before. */
export function createChangePrinter(output: Output): (change: ServiceChange__Output) => void {
  const known = new Map<string, ServiceView__Output>();
  return ({ change, service }) => {
    if (!service) return;
    const before = known.get(service.service);
    if (change === "removed") known.delete(service.service);
    else known.set(service.service, service);
    const words = [change.padEnd(10), service.service, describe(change, service, before)];
    output.line(sanitize(words.join("  ").trimEnd()));
  };
}

function describe(
  change: string,
  service: ServiceView__Output,
  before: ServiceView__Output | undefined,
): string {
  if (change === "removed") return "";
  if (change === "programmed") return `revision ${service.revision}`;
  if (change === "present" || !before) return describeService(service);
  return describeDifference(before, service).join("; ") || `revision ${service.revision}`;
}

/** What is different, a few words each: "endpoints +10.88.0.4:8080 (3 in all)". Empty: nothing that shows. */
export function describeDifference(
  before: ServiceView__Output,
  after: ServiceView__Output,
): string[] {
  const parts: string[] = [];
  const frontendsBefore = byPlace(before);
  const frontendsAfter = byPlace(after);
  const frontendNames = signed(frontendsBefore, frontendsAfter);
  if (frontendNames.length > 0) parts.push(`frontends ${few(frontendNames)}`);
  const endpointsBefore = endpointsOf(before);
  const endpointsAfter = endpointsOf(after);
  const endpointNames = [
    ...signed(endpointsBefore, endpointsAfter),
    ...[...endpointsAfter]
      .filter(([socket, { weight }]) => (endpointsBefore.get(socket)?.weight ?? weight) !== weight)
      .map(([socket, { weight }]) => `${socket} weight ${weight}`),
  ];
  if (endpointNames.length > 0) {
    parts.push(`endpoints ${few(endpointNames)} (${endpointsAfter.size} in all)`);
  }
  // What the whole Service lost or gained is said by then.
  const isSaid = (socket: string) => endpointsBefore.has(socket) !== endpointsAfter.has(socket);
  for (const [place, frontend] of frontendsAfter) {
    const old = frontendsBefore.get(place);
    if (!old) continue;
    const own = describeFrontendDifference(old, frontend, isSaid);
    if (own.length > 0) parts.push(`${place} ${own.join(", ")}`);
  }
  return parts;
}

function describeFrontendDifference(
  before: FrontendView__Output,
  after: FrontendView__Output,
  isSaid: (socket: string) => boolean,
): string[] {
  const inside = describeRouteDifference(before.inside, after.inside, isSaid);
  const outside = describeRouteDifference(before.outside, after.outside, isSaid);
  const parts =
    inside === outside ? [inside] : [inside && `inside ${inside}`, outside && `outside ${outside}`];
  if (before.masquerade !== after.masquerade) {
    parts.push(`masquerade ${before.masquerade} -> ${after.masquerade}`);
  }
  const affinity = [before, after].map((frontend) => describeAffinity(frontend) || "none");
  if (affinity[0] !== affinity[1]) parts.push(`affinity ${affinity.join(" -> ")}`);
  // Programmed or not is a change of its own.
  const [oldState, state] = [before, after].map((frontend) => stateOf(frontend, everProgrammed));
  if (oldState?.text !== state?.text) {
    parts.push(
      state?.kind === "programmed" ? `not ${oldState?.kind} any more` : (state?.text ?? ""),
    );
  }
  return parts.filter((part) => part !== "");
}

const everProgrammed = { programmed: true };

function describeRouteDifference(
  before: Route,
  after: Route,
  isSaid: (socket: string) => boolean,
): string {
  const verdicts = [before, after].map((route) => route?.verdict || "nothing");
  const changed = verdicts[0] === verdicts[1] ? "" : verdicts.join(" -> ");
  const names = signed(sockets(before), sockets(after)).filter((name) => !isSaid(name.slice(1)));
  return [changed, few(names)].filter((part) => part !== "").join(" ");
}

type Route = FrontendView__Output["inside"];

function sockets(route: Route): Map<string, unknown> {
  return new Map(route?.endpoints.map((endpoint) => [formatSocket(endpoint), endpoint]));
}

function byPlace(service: ServiceView__Output): Map<string, FrontendView__Output> {
  return new Map(
    service.frontends.map((frontend) => [`${frontend.kind} ${formatFrontend(frontend)}`, frontend]),
  );
}

/** "+added" and "-removed", in the order in which they stand. */
function signed(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): string[] {
  const added = [...after.keys()].filter((name) => !before.has(name)).map((name) => `+${name}`);
  const removed = [...before.keys()].filter((name) => !after.has(name)).map((name) => `-${name}`);
  return [...added, ...removed];
}

function few(names: readonly string[]): string {
  const rest = names.length - NAMED_AT_MOST;
  const named = names.slice(0, NAMED_AT_MOST).join(" ");
  return rest > 0 ? `${named} and ${rest} more` : named;
}
