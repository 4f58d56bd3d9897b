import type { ProtoGrpcType as HealthProto } from "./generated/health.ts";
import type { ProtoGrpcType as NetworkProto } from "./generated/network.ts";
import { load } from "./load-proto.ts";

/** Definitions of patchbay.plugin.v1 that network plugins serve. Apart from plugin-proto.ts: each role loads its own. */
export const networkPluginProto: NetworkProto["patchbay"]["plugin"]["v1"] = load<NetworkProto>(
  "patchbay/plugin/v1/network.proto",
).patchbay.plugin.v1;

/** Definitions of grpc.health.v1, which any plugin may serve. */
export const healthProto: HealthProto["grpc"]["health"]["v1"] = load<HealthProto>(
  "grpc/health/v1/health.proto",
).grpc.health.v1;
