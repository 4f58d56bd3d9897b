// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { Long } from '@grpc/proto-loader';

/**
 * An address held by an attachment.
 */
export interface Lease {
  /**
   * Stable key of the attachment.
   */
  'attachmentId'?: (string);
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * Address in CIDR notation with the prefix length of its subnet.
   */
  'address'?: (string);
  /**
   * Gateway of that subnet. Empty: none.
   */
  'gateway'?: (string);
  /**
   * Number that grows with every allocation; a release must carry it.
   */
  'sequence'?: (number | string | Long);
  /**
   * Uid of the pod. May be empty.
   */
  'podUid'?: (string);
}

/**
 * An address held by an attachment.
 */
export interface Lease__Output {
  /**
   * Stable key of the attachment.
   */
  'attachmentId': (string);
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * Address in CIDR notation with the prefix length of its subnet.
   */
  'address': (string);
  /**
   * Gateway of that subnet. Empty: none.
   */
  'gateway': (string);
  /**
   * Number that grows with every allocation; a release must carry it.
   */
  'sequence': (number);
  /**
   * Uid of the pod. May be empty.
   */
  'podUid': (string);
}
