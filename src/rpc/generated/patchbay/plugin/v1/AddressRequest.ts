// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { FamilyPolicy as _patchbay_plugin_v1_FamilyPolicy, FamilyPolicy__Output as _patchbay_plugin_v1_FamilyPolicy__Output } from '../../../patchbay/plugin/v1/FamilyPolicy.ts';

/**
 * One attachment's wish.
 */
export interface AddressRequest {
  /**
   * Stable key of the attachment.
   */
  'attachmentId'?: (string);
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * Configuration of its IPAM as JSON.
   */
  'configJson'?: (string);
  /**
   * Addresses asked for by name, without or with prefix length, at most one for each family.
   */
  'requested'?: (string)[];
  /**
   * Families wanted.
   */
  'policy'?: (_patchbay_plugin_v1_FamilyPolicy);
  /**
   * Uid of the pod, part of the ownership record. May be empty.
   */
  'podUid'?: (string);
}

/**
 * One attachment's wish.
 */
export interface AddressRequest__Output {
  /**
   * Stable key of the attachment.
   */
  'attachmentId': (string);
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * Configuration of its IPAM as JSON.
   */
  'configJson': (string);
  /**
   * Addresses asked for by name, without or with prefix length, at most one for each family.
   */
  'requested': (string)[];
  /**
   * Families wanted.
   */
  'policy': (_patchbay_plugin_v1_FamilyPolicy__Output);
  /**
   * Uid of the pod, part of the ownership record. May be empty.
   */
  'podUid': (string);
}
