import type { ProtoGrpcType as PluginProto } from "./generated/plugin.ts";
import type { ProtoGrpcType as ServicesProto } from "./generated/services.ts";
import { load } from "./services.ts";

/** Definitions of patchbay.plugin.v1 that every plugin serves. Apart from services.ts: the CLI needs none of them. */
export const pluginProto: PluginProto["patchbay"]["plugin"]["v1"] = load<PluginProto>(
  "patchbay/plugin/v1/plugin.proto",
).patchbay.plugin.v1;

/** Definitions of patchbay.plugin.v1 that data planes of Services serve. */
export const servicePluginProto: ServicesProto["patchbay"]["plugin"]["v1"] = load<ServicesProto>(
  "patchbay/plugin/v1/services.proto",
).patchbay.plugin.v1;
