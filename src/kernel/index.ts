/**
 * Linux networking over rtnetlink for plugins, as "patchbay/kernel": links, addresses, routes and
 * neighbours, in the node's and in pods' namespaces. Only what is listed here is kept compatible.
 */
export {
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  networkOf,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../ip/address.ts";
export type {
  ApplyResult,
  Kernel,
  KernelEvent,
  KernelOperation,
  Link,
  LinkAddress,
  LinkKind,
  Neighbour,
  NetnsBatch,
  NetnsIdentity,
  NetnsPath,
  Route,
} from "./kernel.ts";
export { KernelError } from "./kernel-error.ts";
export { openKernel, type RtnetlinkOptions } from "./rtnetlink-kernel.ts";
