import type { ProtoGrpcType as PluginProto } from "./generated/plugin.ts";
import { load } from "./load-proto.ts";

/** Definitions of patchbay.plugin.v1 that every plugin serves. Apart from services.ts: the CLI needs none of them. */
export const pluginProto: PluginProto["patchbay"]["plugin"]["v1"] = load<PluginProto>(
  "patchbay/plugin/v1/plugin.proto",
).patchbay.plugin.v1;
