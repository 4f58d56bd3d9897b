// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * An address that is held or cooling.
 */
export interface IpamLease {
  /**
   * Address without prefix length.
   */
  'address'?: (string);
  /**
   * Attachment that holds it, or held it last.
   */
  'attachmentId'?: (string);
  /**
   * Container id of the runtime.
   */
  'containerId'?: (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname'?: (string);
  /**
   * Uid of the pod. May be empty.
   */
  'podUid'?: (string);
  /**
   * Sequence number of the allocation.
   */
  'sequence'?: (number | string | Long);
  /**
   * "held" or "cooling".
   */
  'state'?: (string);
  /**
   * End of the cooldown, milliseconds since 1970. 0: not cooling.
   */
  'coolingUntilMs'?: (number | string | Long);
}

/**
 * An address that is held or cooling.
 */
export interface IpamLease__Output {
  /**
   * Address without prefix length.
   */
  'address': (string);
  /**
   * Attachment that holds it, or held it last.
   */
  'attachmentId': (string);
  /**
   * Container id of the runtime.
   */
  'containerId': (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname': (string);
  /**
   * Uid of the pod. May be empty.
   */
  'podUid': (string);
  /**
   * Sequence number of the allocation.
   */
  'sequence': (number);
  /**
   * "held" or "cooling".
   */
  'state': (string);
  /**
   * End of the cooldown, milliseconds since 1970. 0: not cooling.
   */
  'coolingUntilMs': (number);
}
