import type { ProtoGrpcType as ServicesProto } from "./generated/services.ts";
import { load } from "./load-proto.ts";

/** Definitions of patchbay.plugin.v1 that data planes of Services serve. */
export const servicePluginProto: ServicesProto["patchbay"]["plugin"]["v1"] = load<ServicesProto>(
  "patchbay/plugin/v1/services.proto",
).patchbay.plugin.v1;
