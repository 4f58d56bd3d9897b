// Original file: proto/patchbay/host/v1/host.proto

import type { IpamRange as _patchbay_host_v1_IpamRange, IpamRange__Output as _patchbay_host_v1_IpamRange__Output } from '../../../patchbay/host/v1/IpamRange.ts';
import type { IpamLease as _patchbay_host_v1_IpamLease, IpamLease__Output as _patchbay_host_v1_IpamLease__Output } from '../../../patchbay/host/v1/IpamLease.ts';

/**
 * One family of a network's pool.
 */
export interface IpamPool {
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * 4 or 6.
   */
  'family'?: (number);
  /**
   * Ranges, in the order in which they are used.
   */
  'ranges'?: (_patchbay_host_v1_IpamRange)[];
  /**
   * Addresses that may be given out, decimal.
   */
  'capacity'?: (string);
  /**
   * Addresses held, decimal.
   */
  'used'?: (string);
  /**
   * Addresses cooling, decimal.
   */
  'cooling'?: (string);
  /**
   * Addresses free now, decimal.
   */
  'free'?: (string);
  /**
   * Leases, when asked for.
   */
  'leases'?: (_patchbay_host_v1_IpamLease)[];
}

/**
 * One family of a network's pool.
 */
export interface IpamPool__Output {
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * 4 or 6.
   */
  'family': (number);
  /**
   * Ranges, in the order in which they are used.
   */
  'ranges': (_patchbay_host_v1_IpamRange__Output)[];
  /**
   * Addresses that may be given out, decimal.
   */
  'capacity': (string);
  /**
   * Addresses held, decimal.
   */
  'used': (string);
  /**
   * Addresses cooling, decimal.
   */
  'cooling': (string);
  /**
   * Addresses free now, decimal.
   */
  'free': (string);
  /**
   * Leases, when asked for.
   */
  'leases': (_patchbay_host_v1_IpamLease__Output)[];
}
