/**
 * What a network plugin imports, as "patchbay/plugin-sdk". docs/plugins.md tells how to write one.
 * Only what is listed here is kept compatible.
 */
export { checkAttached } from "./check-attached.ts";
export { readConfig } from "./check-request.ts";
export {
  type AttachAnswer,
  type CheckOrder,
  definePlugin,
  type FindingAnswer,
  type PluginDefinition,
} from "./define-plugin.ts";
export { type FakeHost, type FakeHostOptions, fakeHost } from "./fake-host.ts";
export {
  findLinkOwner,
  formatAlias,
  type LinkNames,
  type LinkOwner,
  linkNamesOf,
} from "./link-names.ts";
export {
  type AttachRequest,
  type AttachResponse,
  type Bandwidth,
  can,
  type Capability,
  type CheckRequest,
  type DetachRequest,
  type Finding,
  type ListedAttachment,
  type ListRequest,
  type NetworkPlugin,
  type PluginCall,
  PluginError,
  type PluginErrorKind,
  type PluginInfo,
  type RepairNetworkRequest,
  type StatusRequest,
  type StatusResponse,
} from "./network-plugin.ts";
export { podOperations, wantedRoutes } from "./pod-order.ts";
export { serve, type ServedPlugin, type ServeOptions } from "./serve.ts";
