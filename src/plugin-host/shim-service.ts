import type { ShimHandlers } from "../rpc/generated/patchbay/shim/v1/Shim.ts";
import { shimProto } from "../rpc/services.ts";
import { grpcError } from "../rpc/status.ts";
import type { ServedService } from "../rpc/unix-server.ts";
import type { Host } from "./core/host.ts";
import { HOST_VERSION } from "./version.ts";

/** patchbay.shim.v1 on top of the core: decode, call, encode, no decisions. */
export function shimService(host: Host): ServedService {
  const handlers: ShimHandlers = {
    Invoke(call, done) {
      host.invoke(call.request).then(
        ({ resultJson, exitCode }) =>
          done(null, { resultJson: Buffer.from(resultJson), exitCode, hostVersion: HOST_VERSION }),
        (error: unknown) => done(grpcError("INTERNAL", String(error))),
      );
    },
  };
  return { definition: shimProto.Shim.service, handlers };
}
