import type { ApplyServicesRequest__Output } from "../../rpc/generated/patchbay/host/v1/ApplyServicesRequest.ts";
import type { ApplyServicesResponse } from "../../rpc/generated/patchbay/host/v1/ApplyServicesResponse.ts";
import type { HostHandlers } from "../../rpc/generated/patchbay/host/v1/Host.ts";
import type { ListServicesRequest__Output } from "../../rpc/generated/patchbay/host/v1/ListServicesRequest.ts";
import type { ListServicesResponse } from "../../rpc/generated/patchbay/host/v1/ListServicesResponse.ts";
import type { WaitProgrammedRequest__Output } from "../../rpc/generated/patchbay/host/v1/WaitProgrammedRequest.ts";
import type { ServerDuplexStream, ServerWritableStream } from "../../rpc/services.ts";
import { Admission } from "../core/admission.ts";
import type { Host } from "../core/host.ts";
import { formatErrorChain, PatchbayError, toPatchbayError } from "../errors.ts";
import { toGrpcError, unary } from "../grpc-answers.ts";
import { LIMITS } from "../limits.ts";
import type { ApplySources } from "./apply-sources.ts";
import { explain } from "./explain.ts";
import type { ServicesCore } from "./services-core.ts";
import { parseServicesRequest } from "./services-request.ts";
import { toServiceView } from "./services-view.ts";
import { watchServices } from "./watch-services.ts";

/** The source that a host without others waits for at first, when an earlier one had programmed something. */
export const ANY_CALLER = "a caller of ApplyServices";

export interface ServicesServiceDeps {
  readonly core: ServicesCore;
  readonly host: Host;
  readonly sources: ApplySources;
  /** What sources could not read, beside what the table says of objects. */
  readonly problems: () => readonly string[];
  /** Bounds the number of watchers; false: hung up on. */
  readonly admit: <Q, A>(call: ServerWritableStream<Q, A>) => boolean;
}

type ServicesHandlers = Pick<
  HostHandlers,
  "ApplyServices" | "ListServices" | "WatchServices" | "WaitProgrammed" | "Explain"
>;

/** The Services part of patchbay.host.v1. */
export function servicesHandlers(deps: ServicesServiceDeps): ServicesHandlers {
  const { core, host, admit } = deps;
  const { clock } = host.context.ports;
  const admission = new Admission(clock, {
    runningMax: LIMITS.explainsMax,
    waitingMax: LIMITS.explainsWaitingMax,
    waitMs: LIMITS.explainWaitMs,
  });
  let streams = 0;
  return {
    ApplyServices(call) {
      if (streams >= LIMITS.servicesStreamsMax) {
        const message = `Cannot serve more than ${LIMITS.servicesStreamsMax} streams`;
        call.emit("error", toGrpcError(new PatchbayError("LIMIT_REACHED", message)));
        return;
      }
      streams++;
      call.once("close", () => streams--);
      void answerEach(deps, call);
    },
    ListServices: unary((request) => listServices(deps, request)),
    WatchServices(call) {
      if (!admit(call)) return;
      void watchServices(core, call);
    },
    WaitProgrammed: unary(async (request) => ({
      revision: await core.waitProgrammed(parseWait(request)),
      leftOut: [...core.leftOut],
    })),
    Explain: unary((request) =>
      explain(
        {
          core,
          clock,
          attachments: () => host.context.state.attachments.values(),
          admission,
        },
        request,
      ),
    ),
  };
}

/** One message after the other: a caller that sends faster than they are taken is slowed down by its stream. */
async function answerEach(
  deps: ServicesServiceDeps,
  call: ServerDuplexStream<ApplyServicesRequest__Output, ApplyServicesResponse>,
): Promise<void> {
  try {
    for await (const request of call as AsyncIterable<ApplyServicesRequest__Output>) {
      const answer = await applyServices(deps, request);
      if (call.cancelled || call.destroyed) return;
      call.write(answer);
    }
    call.end();
  } catch (error) {
    // Hung up on: what was accepted stays.
    if (!call.cancelled && !call.destroyed) call.emit("error", toGrpcError(error));
  }
}

async function applyServices(
  { core, host, sources }: ServicesServiceDeps,
  request: ApplyServicesRequest__Output,
): Promise<ApplyServicesResponse> {
  try {
    const nowMs = host.context.ports.clock.wallMs();
    const { source, change } = parseServicesRequest(request, { nowMs });
    core.applyModel(`apply/${source}`, sources.note(source, change));
    core.sourceIsReady(ANY_CALLER);
    return { revision: await core.taken(), error: "" };
  } catch (error) {
    const known = toPatchbayError(error);
    return { revision: 0, error: `${formatErrorChain(known)} [${known.code}]` };
  }
}

async function listServices(
  { core, problems }: ServicesServiceDeps,
  request: ListServicesRequest__Output,
): Promise<ListServicesResponse> {
  await core.taken();
  const states = core.table
    .serviceNames()
    .filter((service) => service.startsWith(request.service))
    .flatMap((service) => core.table.view(service) ?? []);
  const isCounted = states.some(({ frontends }) =>
    frontends.some(({ planned }) => planned.countConnections),
  );
  const counts = isCounted ? await core.connectionCounts() : new Map();
  return {
    services: states.map((state) => toServiceView(core, state, counts)),
    revision: core.revision,
    programmedRevision: core.programmedRevision,
    problems: [
      ...core.leftOut.map((plane) => `Data plane ${plane.replace(":", " is left out:")}`),
      ...problems(),
      ...core.table.problems().map(({ object, message }) => `${object}: ${message}`),
    ],
    unserved: request.service === "" ? [] : [...core.table.unserved(request.service)],
  };
}

function parseWait(request: WaitProgrammedRequest__Output): {
  revision?: number;
  service?: string;
  timeoutMs: number;
} {
  const { revision, service, timeoutMs } = request;
  if (timeoutMs > LIMITS.servicesWaitMaxMs) {
    const message = `timeout_ms is ${timeoutMs}, expected at most ${LIMITS.servicesWaitMaxMs}`;
    throw new PatchbayError("INVALID_SERVICES", message);
  }
  return {
    ...(revision > 0 && { revision }),
    ...(service !== "" && { service }),
    timeoutMs: timeoutMs === 0 ? LIMITS.servicesWaitMs : timeoutMs,
  };
}
