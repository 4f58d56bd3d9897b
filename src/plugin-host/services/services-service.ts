import type { HostHandlers } from "../../rpc/generated/patchbay/host/v1/Host.ts";
import { grpcError } from "../../rpc/status.ts";

type ServicesHandlers = Pick<
  HostHandlers,
  "ApplyServices" | "ListServices" | "WatchServices" | "WaitProgrammed" | "Explain"
>;

/** The Services part of patchbay.host.v1. */
export function servicesHandlers(): ServicesHandlers {
  const missing = grpcError("UNIMPLEMENTED", "Services are not served by this host");
  return {
    ApplyServices: (call) => call.emit("error", missing),
    WatchServices: (call) => call.emit("error", missing),
    ListServices: (_call, done) => done(missing),
    WaitProgrammed: (_call, done) => done(missing),
    Explain: (_call, done) => done(missing),
  };
}
